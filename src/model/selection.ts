import type { Collection, Dataset, DatasetFilter, DatasetType, QueryCall, Repository } from '../api';

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
  /**
   * Given if everything that a query finds is chosen, of which `datasets` are only some: the query, or null
   * as long as the backend has not told it.
   */
  readonly whole?: QueryCall | null;
  /** What narrowed the list that they were chosen from, if anything did. */
  readonly filter?: DatasetFilter | null;
}

/** The chosen dataset if it is a single one; of everything that is found none is, however few are here. */
export function onlyOne({ datasets, whole }: IDatasetSelection): Dataset | null {
  return whole === undefined && datasets.length === 1 ? (datasets[0] ?? null) : null;
}
