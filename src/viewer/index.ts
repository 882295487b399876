/**
 * The room of the dataset viewer: everything known of one dataset, and a look at what is in it.
 */

export * from './actions';
export { type IDatasetKey, ViewerModel } from './model';
export * from './previews';
export { DatasetViewer } from './widget';
