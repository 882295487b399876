/**
 * The room of queries: what narrows the list of datasets, and the call that it is.
 */

export type { IQueryActions } from './actions';
export { QueryModel, type IQuerySources } from './model';
export { QuerySection } from './section';
