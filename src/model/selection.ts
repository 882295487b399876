import type { Collection, Dataset, DatasetType, Repository } from '../api';

/**
 * Some datasets of one type that a person chose, with where they were found.
 */
export interface IDatasetSelection {
  readonly repository: Repository;
  /** The collection that was searched, which need not be the run that holds the datasets. */
  readonly collection: Collection;
  readonly datasetType: DatasetType;
  /** At least one, in the order of the list. */
  readonly datasets: readonly Dataset[];
}
