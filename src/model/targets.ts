/**
 * What a list of datasets is a list of.
 */

import type {
  Collection,
  DatasetFilter,
  DatasetSearch,
  DatasetType,
  IDatasetQuery,
  Repository
} from '../api';
import { NO_FILTER, sameFilter } from './filters';
import { repositoryId } from './requests';

/** Where datasets are: of one type, found in one collection. */
export interface IDatasetPlace {
  readonly repository: Repository;
  readonly collection: Collection;
  readonly datasetType: DatasetType;
}

/** What is listed: the datasets at one place, or some of them. */
export interface IDatasetTarget extends IDatasetPlace {
  /** Null if nothing is left out, and the data ID decides the order. */
  readonly filter: DatasetFilter | null;
}

/** What the backend is asked for a list. */
export function queryOf({ repository, collection, datasetType, filter }: IDatasetTarget): IDatasetQuery {
  const place = { kind: repository.kind, label: repository.label, collection: collection.name };
  return { ...place, datasetType: datasetType.name, ...(filter ? { filter } : {}) };
}

/** The search that a list shows. */
export function searchOf({ collection, datasetType, filter }: IDatasetTarget): DatasetSearch {
  return { collection: collection.name, dataset_type: datasetType.name, filter: filter ?? NO_FILTER };
}

/** Whether both name the same list. */
export function sameTarget(one: IDatasetTarget, other: IDatasetTarget): boolean {
  return samePlace(one, other) && sameFilter(one.filter, other.filter);
}

/** Whether both name the same datasets, before any filter. */
export function samePlace(one: IDatasetPlace, other: IDatasetPlace): boolean {
  return (
    repositoryId(one.repository) === repositoryId(other.repository) &&
    one.collection.name === other.collection.name &&
    one.datasetType.name === other.datasetType.name
  );
}
