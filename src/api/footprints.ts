import { type IRepositoryKey, type Transport, within } from './transport';
import type { DatasetFilter, EndEvent, FootprintEvent } from './types';

/** Names the datasets of one type in one collection that a filter leaves. */
export interface IFootprintQuery {
  readonly repository: IRepositoryKey;
  readonly collection: string;
  readonly datasetType: string;
  /** Null for all. */
  readonly filter: DatasetFilter | null;
}

/** What the stream tells before it ends. */
export type FootprintNews = Exclude<FootprintEvent, { event: 'end' | 'error' }>;

/** Ask where on the sky datasets are, in the order of their list. */
export function footprints(
  transport: Transport,
  { repository, collection, datasetType, filter }: IFootprintQuery,
  signal: AbortSignal
): AsyncGenerator<FootprintNews, EndEvent, undefined> {
  const body = { collection, dataset_type: datasetType, ...(filter ? { filter } : {}) };
  return transport.events<FootprintEvent>(within(repository, 'footprints'), {}, signal, body);
}
