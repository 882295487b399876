/**
 * What an inserted cell says of the data in it.
 */

import type { ICellNote, IDatasetSelection } from '../model';
import { VERSION } from './version';

/** The note for some datasets, or for everything that a query finds. */
export function noteFor({
  repository,
  collection,
  datasetType,
  datasets,
  filter,
  whole
}: IDatasetSelection): ICellNote {
  const { kind, label } = repository;
  const where = { collection: collection.name, dataset_type: datasetType.name };
  return {
    version: VERSION,
    repository: { kind, label },
    ...where,
    datasets: whole === undefined ? datasets.map(({ id }) => id) : [],
    query: whole === undefined ? null : { kind, label, ...where, filter: filter ?? {} }
  };
}
