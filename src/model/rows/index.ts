export { requestsBelow } from './asking';
export type {
  ICollectionRow,
  IDatasetTypeRow,
  IFolderRow,
  INoticeRow,
  IPlaceRow,
  IPlacesRow,
  IRepositoryRow,
  ITreeSource,
  ITypesRow,
  PlacesKind,
  TreeRow
} from './drafts';
export { nameOfEntry, placeOf } from './level';
export { TreeRows } from './rows';
export { wayTo, wayToType, wayToTypes } from './ways';
