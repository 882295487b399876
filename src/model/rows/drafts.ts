/**
 * What the rows of the tree are, and what they are made from.
 */

import type {
  Collection,
  CollectionFolder,
  CollectionPage,
  DatasetCount,
  DatasetType,
  DatasetTypeList,
  PersonalUsage,
  Repository,
  Validity
} from '../../api';
import type { IHeldCount } from '../marks';
import type { INotice } from '../notices';
import type { IPlaced } from '../parts';
import type { IPlace } from '../places';
import type { TreeRequest } from '../requests';
import type { Loadable } from '../resource';

interface IDraftBase {
  /** The way from the root, so that it stays the same when things around it change. */
  readonly id: string;
  /** Null for a row that nothing can be below. */
  readonly expanded: boolean | null;
  /** What has to be asked for once this row is seen; null if nothing. */
  readonly request: TreeRequest | null;
}

interface IRepositoryDraft extends IDraftBase {
  readonly kind: 'repository';
  readonly repository: Repository;
  /** Its state is being asked for. */
  readonly checking: boolean;
  /** How much room it takes, if that is known. */
  readonly usage: PersonalUsage | null;
}

interface IFolderDraft extends IDraftBase {
  readonly kind: 'folder';
  readonly repository: Repository;
  readonly folder: CollectionFolder;
  /** What of its path the folder around it does not say already. */
  readonly name: string;
}

interface ICollectionDraft extends IDraftBase {
  readonly kind: 'collection';
  readonly repository: Repository;
  readonly collection: Collection;
  /** What of its name the folder around it does not say already. */
  readonly name: string;
  readonly starred: boolean;
}

/** Keeps the dataset types of a chain apart from its children. */
interface ITypesDraft extends IDraftBase {
  readonly kind: 'types';
  readonly repository: Repository;
  readonly collection: Collection;
  readonly total: number | null;
}

interface IDatasetTypeDraft extends IDraftBase {
  readonly kind: 'dataset-type';
  readonly repository: Repository;
  readonly collection: Collection;
  readonly datasetType: DatasetType;
  readonly count: Loadable<DatasetCount>;
  /** Of calibrations in a calibration collection; null elsewhere. */
  readonly validity: Loadable<Validity> | null;
  /** How many of them the person's satellite has; null if none, or not known. */
  readonly held: IHeldCount | null;
  readonly starred: boolean;
}

/** Favourites, or what was opened last. */
interface IPlacesDraft extends IDraftBase {
  readonly kind: 'places';
  readonly which: PlacesKind;
  readonly total: number;
}

interface IPlaceDraft extends IDraftBase {
  readonly kind: 'place';
  readonly which: PlacesKind;
  readonly place: IPlace;
  readonly starred: boolean;
}

/** Holds the place of an entry that comes from the server once it is looked at. */
interface IAbsentDraft extends IDraftBase {
  readonly kind: 'absent';
}

/** Stands where something else would, and says why it is not there. */
interface INoticeDraft extends IDraftBase {
  readonly kind: 'notice';
  readonly notice: INotice;
  /** What Retry asks for; null if there is nothing to ask. */
  readonly retry: TreeRequest | null;
}

/** What a row is before it is known where it stands. */
export type Draft =
  | IRepositoryDraft
  | IFolderDraft
  | ICollectionDraft
  | ITypesDraft
  | IDatasetTypeDraft
  | IPlacesDraft
  | IPlaceDraft
  | IAbsentDraft
  | INoticeDraft;

export type IRepositoryRow = IRepositoryDraft & IPlaced;
export type IFolderRow = IFolderDraft & IPlaced;
export type ICollectionRow = ICollectionDraft & IPlaced;
export type ITypesRow = ITypesDraft & IPlaced;
export type IDatasetTypeRow = IDatasetTypeDraft & IPlaced;
export type IPlacesRow = IPlacesDraft & IPlaced;
export type IPlaceRow = IPlaceDraft & IPlaced;
export type INoticeRow = INoticeDraft & IPlaced;

/** One visible line of the tree. */
export type TreeRow = Draft & IPlaced;

export type PlacesKind = 'favourites' | 'recent';

/** What the rows are made from. */
export interface ITreeSource {
  /** Whether the top level of repositories is grouped into folders. */
  grouped(): boolean;
  repositories(): Loadable<readonly Repository[]>;
  checking(repository: Repository): boolean;
  usage(repository: Repository): PersonalUsage | null;
  level(
    repository: Repository,
    parent: string | null,
    folder: string | null,
    page: number
  ): Loadable<CollectionPage>;
  types(repository: Repository, collection: string): Loadable<DatasetTypeList>;
  count(repository: Repository, collection: string, datasetType: string): Loadable<DatasetCount>;
  held(repository: Repository, collection: string, datasetType: string): IHeldCount | null;
  validity(repository: Repository, collection: string, datasetType: string): Loadable<Validity>;
  expanded(id: string, byDefault: boolean): boolean;
  /** What is open of the rows that belong to this one and begin closed: the last parts of their ways. */
  openBelow(id: string): readonly string[];
  places(which: PlacesKind): readonly IPlace[];
  isStarred(place: IPlace): boolean;
}
