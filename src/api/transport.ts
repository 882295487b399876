import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';

import { AbortedError, ApiError, cutOff, parseReport, reportOfStatus, unreachable } from './errors';
import { readLines } from './lines';
import type { ErrorReport, RepositoryKind } from './types';

/** Names one repository. */
export interface IRepositoryKey {
  readonly kind: RepositoryKind;
  readonly label: string;
}

/** Values of a query string; null and empty lists are left out, lists are repeated. */
export type Parameters = Readonly<
  Record<string, string | number | boolean | null | readonly (string | number)[]>
>;

/** An event that ends a stream with a failure. */
interface IErrorEvent {
  readonly event: 'error';
  readonly error: ErrorReport;
}

/**
 * The way to the backend, through the Jupyter server, with Jupyter's own authentication. Every method fails
 * with an `ApiError`, or with an `AbortedError` when its signal was raised.
 *
 * Paths are given in parts, each of which may hold any character.
 */
export class Transport {
  constructor(options: { serverSettings: ServerConnection.ISettings }) {
    this._settings = options.serverSettings;
  }

  /** Ask for a document. */
  get<T>(path: readonly string[], parameters: Parameters, signal: AbortSignal): Promise<T> {
    return this._document(path, parameters, {}, signal);
  }

  /** Have something done; the body is sent as JSON. */
  send<T>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: readonly string[],
    body: unknown,
    signal: AbortSignal,
    parameters: Parameters = {}
  ): Promise<T> {
    return this._document(path, parameters, withBody(method, body), signal);
  }

  /** Ask for bytes, such as a picture. */
  async bytes(
    path: readonly string[],
    parameters: Parameters,
    signal: AbortSignal
  ): Promise<{ readonly blob: Blob; readonly headers: Headers }> {
    const { response, requestId } = await this._request(path, parameters, {}, signal);
    try {
      return { blob: await response.blob(), headers: response.headers };
    } catch (reason) {
      throw failure(reason, signal, cutOff(requestId));
    }
  }

  /**
   * Ask for a stream of events, one a line. The last is an `end` event, which is returned; an `error` event
   * and an answer that breaks off are thrown.
   *
   * @param body - Sent as JSON with POST; without it the stream is asked for with GET.
   */
  async *events<E extends { readonly event: string }>(
    path: readonly string[],
    parameters: Parameters,
    signal: AbortSignal,
    body?: unknown
  ): AsyncGenerator<Exclude<E, { event: 'end' | 'error' }>, Extract<E, { event: 'end' }>, undefined> {
    const init = body === undefined ? {} : withBody('POST', body);
    const { response, requestId } = await this._request(path, parameters, init, signal);
    try {
      if (response.body) {
        for await (const line of readLines(response.body)) {
          const event = JSON.parse(line) as E | IErrorEvent;
          if (event.event === 'end') {
            return event as Extract<E, { event: 'end' }>;
          }
          if (event.event === 'error') {
            throw new ApiError((event as IErrorEvent).error);
          }
          yield event as Exclude<E, { event: 'end' | 'error' }>;
        }
      }
    } catch (reason) {
      throw failure(reason, signal, cutOff(requestId));
    }
    throw new ApiError(cutOff(requestId));
  }

  private async _document<T>(
    path: readonly string[],
    parameters: Parameters,
    init: RequestInit,
    signal: AbortSignal
  ): Promise<T> {
    const { response, requestId } = await this._request(path, parameters, init, signal);
    try {
      return (await response.json()) as T;
    } catch (reason) {
      throw failure(reason, signal, cutOff(requestId));
    }
  }

  private async _request(
    path: readonly string[],
    parameters: Parameters,
    init: RequestInit,
    signal: AbortSignal
  ): Promise<{ response: Response; requestId: string }> {
    const base = URLExt.join(this._settings.baseUrl, 'python-butler', 'api');
    const query = queryOf(parameters);
    const url = `${base}/${path.map(encodeURIComponent).join('/')}${query.size > 0 ? `?${query}` : ''}`;
    const requestId = UUID.uuid4();
    let response: Response;
    let body = '';
    try {
      const headers = { ...(init.headers as Record<string, string> | undefined), 'X-Request-ID': requestId };
      response = await ServerConnection.makeRequest(url, { ...init, signal, headers }, this._settings);
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

/** The path of something within a repository. */
export function within(key: IRepositoryKey, ...rest: string[]): string[] {
  return ['repositories', key.kind, key.label, ...rest];
}

function queryOf(parameters: Parameters): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? (value as (string | number)[]) : [value]) {
      if (one !== null) {
        query.append(name, String(one));
      }
    }
  }
  return query;
}

function withBody(method: string, body: unknown): RequestInit {
  return { method, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
}

function failure(reason: unknown, signal: AbortSignal, report: ErrorReport): Error {
  if (signal.aborted) {
    return new AbortedError();
  }
  return reason instanceof ApiError ? reason : new ApiError(report);
}
