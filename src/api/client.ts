import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';

import { AbortedError, ApiError, cutOff, parseReport, reportOfStatus, unreachable } from './errors';
import { readLines } from './lines';
import type {
  CollectionPage,
  DatasetCount,
  DatasetDetails,
  DatasetEvent,
  DatasetTypeList,
  EndEvent,
  ErrorReport,
  Repository,
  RepositoryKind,
  RepositoryList,
  VersionList
} from './types';

/** Names one repository. */
export interface IRepositoryKey {
  readonly kind: RepositoryKind;
  readonly label: string;
}

/** Names the datasets of one type found in one collection. */
export interface IDatasetQuery extends IRepositoryKey {
  readonly collection: string;
  readonly datasetType: string;
}

/** What a page's stream tells before it ends. */
export type PageEvent = Exclude<DatasetEvent, { event: 'end' | 'error' }>;

/**
 * The backend as the panel sees it. Every method fails with an `ApiError`, or with an
 * `AbortedError` when its signal was raised.
 */
export interface IButlerClient {
  repositories(signal: AbortSignal): Promise<RepositoryList>;
  repository(key: IRepositoryKey, signal: AbortSignal): Promise<Repository>;
  collections(key: IRepositoryKey, parent: string | null, signal: AbortSignal): Promise<CollectionPage>;
  datasetTypes(key: IRepositoryKey, collection: string, signal: AbortSignal): Promise<DatasetTypeList>;
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

type Parameters = Readonly<Record<string, string | number | null>>;

/**
 * Asks the backend through the Jupyter server, with Jupyter's own authentication.
 */
export class ButlerClient implements IButlerClient {
  constructor(options: { serverSettings: ServerConnection.ISettings }) {
    this._settings = options.serverSettings;
  }

  repositories(signal: AbortSignal): Promise<RepositoryList> {
    return this._get(['repositories'], {}, signal);
  }

  repository(key: IRepositoryKey, signal: AbortSignal): Promise<Repository> {
    return this._get(within(key), {}, signal);
  }

  collections(key: IRepositoryKey, parent: string | null, signal: AbortSignal): Promise<CollectionPage> {
    return this._get(within(key, 'collections'), { parent }, signal);
  }

  datasetTypes(key: IRepositoryKey, collection: string, signal: AbortSignal): Promise<DatasetTypeList> {
    return this._get(within(key, 'dataset-types'), { collection }, signal);
  }

  count(query: IDatasetQuery, signal: AbortSignal): Promise<DatasetCount> {
    const { collection, datasetType } = query;
    return this._get(within(query, 'count'), { collection, dataset_type: datasetType }, signal);
  }

  async *datasets(
    query: IDatasetQuery,
    page: { readonly limit: number; readonly cursor: string | null },
    signal: AbortSignal
  ): AsyncGenerator<PageEvent, EndEvent, undefined> {
    const { collection, datasetType } = query;
    const parameters = { collection, dataset_type: datasetType, limit: page.limit, cursor: page.cursor };
    const { response, requestId } = await this._request(within(query, 'datasets'), parameters, signal);
    try {
      if (response.body) {
        for await (const line of readLines(response.body)) {
          const event = JSON.parse(line) as DatasetEvent;
          if (event.event === 'end') {
            return event;
          }
          if (event.event === 'error') {
            throw new ApiError(event.error);
          }
          yield event;
        }
      }
    } catch (reason) {
      throw failure(reason, signal, cutOff(requestId));
    }
    throw new ApiError(cutOff(requestId));
  }

  details(key: IRepositoryKey, id: string, signal: AbortSignal): Promise<DatasetDetails> {
    return this._get(within(key, 'datasets', id), {}, signal);
  }

  versions(signal: AbortSignal): Promise<VersionList> {
    return this._get(['versions'], {}, signal);
  }

  private async _get<T>(path: readonly string[], parameters: Parameters, signal: AbortSignal): Promise<T> {
    const { response, requestId } = await this._request(path, parameters, signal);
    try {
      return (await response.json()) as T;
    } catch (reason) {
      throw failure(reason, signal, cutOff(requestId));
    }
  }

  private async _request(
    path: readonly string[],
    parameters: Parameters,
    signal: AbortSignal
  ): Promise<{ response: Response; requestId: string }> {
    const base = URLExt.join(this._settings.baseUrl, 'python-butler', 'api');
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== null) {
        query.set(name, String(value));
      }
    }
    const url = `${base}/${path.map(encodeURIComponent).join('/')}${query.size > 0 ? `?${query}` : ''}`;
    const requestId = UUID.uuid4();
    let response: Response;
    let body = '';
    try {
      const init = { signal, headers: { 'X-Request-ID': requestId } };
      response = await ServerConnection.makeRequest(url, init, this._settings);
      if (!response.ok) {
        body = await response.text();
      }
    } catch (reason) {
      throw failure(reason, signal, unreachable(requestId));
    }
    if (!response.ok) {
      throw new ApiError(parseReport(body) ?? reportOfStatus(response.status, requestId));
    }
    return { response, requestId };
  }

  private readonly _settings: ServerConnection.ISettings;
}

function within(key: IRepositoryKey, ...rest: string[]): string[] {
  return ['repositories', key.kind, key.label, ...rest];
}

function failure(reason: unknown, signal: AbortSignal, report: ErrorReport): Error {
  if (signal.aborted) {
    return new AbortedError();
  }
  return reason instanceof ApiError ? reason : new ApiError(report);
}
