import { type IRepositoryKey, type Transport, within } from './transport';
import type {
  CollectionPage,
  CollectionPath,
  DatasetCount,
  DatasetDetails,
  DatasetEvent,
  DatasetFilter,
  DatasetTypeList,
  DatasetTypePlace,
  EndEvent,
  PersonalUsage,
  Repository,
  RepositoryList,
  SearchEvent,
  Validity,
  VersionList
} from './types';

/** Names the datasets of one type found in one collection. */
export interface IDatasetQuery extends IRepositoryKey {
  readonly collection: string;
  readonly datasetType: string;
  /** Narrows and orders them. */
  readonly filter?: DatasetFilter;
}

/** A stretch of one level of the tree of collections. */
export interface ILevelQuery {
  /** A chain, or null for the top level. */
  readonly parent: string | null;
  /** At the top level: a folder, empty for what is in none, or null if nothing is grouped. */
  readonly folder: string | null;
  readonly offset: number;
  readonly limit: number;
}

/** What a search's stream tells before it ends. */
export type SearchProgress = Exclude<SearchEvent, { event: 'end' | 'error' }>;

/** What a page's stream tells before it ends. */
export type PageEvent = Exclude<DatasetEvent, { event: 'end' | 'error' }>;

/**
 * The backend as the panel sees it. Every method fails with an `ApiError`, or with an
 * `AbortedError` when its signal was raised.
 */
export interface IButlerClient {
  repositories(signal: AbortSignal): Promise<RepositoryList>;
  repository(key: IRepositoryKey, signal: AbortSignal): Promise<Repository>;
  collections(key: IRepositoryKey, level: ILevelQuery, signal: AbortSignal): Promise<CollectionPage>;
  /** The way from the top of the tree to a collection. */
  path(
    key: IRepositoryKey,
    collection: string,
    grouped: boolean,
    signal: AbortSignal
  ): Promise<CollectionPath>;
  usage(key: IRepositoryKey, signal: AbortSignal): Promise<PersonalUsage>;
  validity(query: IDatasetQuery, signal: AbortSignal): Promise<Validity>;
  /** Search one repository; `request` comes back in every event that it is about. */
  search(
    key: IRepositoryKey,
    question: { readonly text: string; readonly request: string; readonly limit: number },
    signal: AbortSignal
  ): AsyncGenerator<SearchProgress, EndEvent, undefined>;
  datasetTypes(key: IRepositoryKey, collection: string, signal: AbortSignal): Promise<DatasetTypeList>;
  /** A collection that has datasets of a type. */
  place(key: IRepositoryKey, datasetType: string, signal: AbortSignal): Promise<DatasetTypePlace>;
  count(query: IDatasetQuery, signal: AbortSignal): Promise<DatasetCount>;
  /** One page: its rows as they come, and at last where the next page begins. */
  datasets(
    query: IDatasetQuery,
    page: { readonly limit: number; readonly cursor: string | null },
    signal: AbortSignal
  ): AsyncGenerator<PageEvent, EndEvent, undefined>;
  details(key: IRepositoryKey, id: string, signal: AbortSignal): Promise<DatasetDetails>;
  versions(signal: AbortSignal): Promise<VersionList>;
}

/**
 * Asks the backend.
 */
export class ButlerClient implements IButlerClient {
  constructor(private readonly _transport: Transport) {}

  repositories(signal: AbortSignal): Promise<RepositoryList> {
    return this._transport.get(['repositories'], {}, signal);
  }

  repository(key: IRepositoryKey, signal: AbortSignal): Promise<Repository> {
    return this._transport.get(within(key), {}, signal);
  }

  collections(key: IRepositoryKey, level: ILevelQuery, signal: AbortSignal): Promise<CollectionPage> {
    return this._transport.get(within(key, 'collections'), { ...level }, signal);
  }

  path(
    key: IRepositoryKey,
    collection: string,
    grouped: boolean,
    signal: AbortSignal
  ): Promise<CollectionPath> {
    return this._transport.get(within(key, 'collections', 'path'), { collection, grouped }, signal);
  }

  usage(key: IRepositoryKey, signal: AbortSignal): Promise<PersonalUsage> {
    return this._transport.get(within(key, 'usage'), {}, signal);
  }

  validity(query: IDatasetQuery, signal: AbortSignal): Promise<Validity> {
    const { collection, datasetType } = query;
    return this._transport.get(within(query, 'validity'), { collection, dataset_type: datasetType }, signal);
  }

  search(
    key: IRepositoryKey,
    question: { readonly text: string; readonly request: string; readonly limit: number },
    signal: AbortSignal
  ): AsyncGenerator<SearchProgress, EndEvent, undefined> {
    return this._transport.events<SearchEvent>(within(key, 'search'), { ...question }, signal);
  }

  datasetTypes(key: IRepositoryKey, collection: string, signal: AbortSignal): Promise<DatasetTypeList> {
    return this._transport.get(within(key, 'dataset-types'), { collection }, signal);
  }

  place(key: IRepositoryKey, datasetType: string, signal: AbortSignal): Promise<DatasetTypePlace> {
    return this._transport.get(within(key, 'place'), { dataset_type: datasetType }, signal);
  }

  count(query: IDatasetQuery, signal: AbortSignal): Promise<DatasetCount> {
    const { collection, datasetType, filter } = query;
    const parameters = { collection, dataset_type: datasetType };
    return filter
      ? this._transport.send('POST', within(query, 'query', 'count'), { ...parameters, filter }, signal)
      : this._transport.get(within(query, 'count'), parameters, signal);
  }

  datasets(
    query: IDatasetQuery,
    page: { readonly limit: number; readonly cursor: string | null },
    signal: AbortSignal
  ): AsyncGenerator<PageEvent, EndEvent, undefined> {
    const { collection, datasetType, filter } = query;
    const place = { collection, dataset_type: datasetType };
    const { limit, cursor } = page;
    return filter
      ? this._transport.events<DatasetEvent>(within(query, 'query'), { limit, cursor }, signal, {
          ...place,
          filter
        })
      : this._transport.events<DatasetEvent>(within(query, 'datasets'), { ...place, limit, cursor }, signal);
  }

  details(key: IRepositoryKey, id: string, signal: AbortSignal): Promise<DatasetDetails> {
    return this._transport.get(within(key, 'datasets', id), {}, signal);
  }

  versions(signal: AbortSignal): Promise<VersionList> {
    return this._transport.get(['versions'], {}, signal);
  }
}
