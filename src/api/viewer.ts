import { type IRepositoryKey, type Transport, within } from './transport';
import type {
  DatasetDetails,
  HoldingCollection,
  HoldingEvent,
  MemoryCost,
  Preview,
  Provenance
} from './types';

/** Which part of a dataset's contents is wanted. */
export interface IPreviewWish {
  /** Keys that lead into a document. */
  readonly path?: readonly string[];
  /** How many values, or lines of a log, to skip. */
  readonly offset?: number;
  /** Lines of a log of this level or above. */
  readonly level?: number;
  /** Words that lines of a log must have. */
  readonly words?: string;
}

/** What a stream of collections tells before it ends. */
export type HoldingProgress =
  | { readonly collections: readonly HoldingCollection[] }
  /** Seconds after which a busy server is asked again. */
  | { readonly busy: number };

/** Asks the backend what one dataset is. */
export interface IDatasetClient {
  details(key: IRepositoryKey, id: string, signal: AbortSignal): Promise<DatasetDetails>;
  /**
   * @param brief - Only who made it is wanted: no file is read for it, no inputs and outputs are looked for.
   */
  provenance(key: IRepositoryKey, id: string, signal: AbortSignal, brief?: boolean): Promise<Provenance>;
  /**
   * The collections that hold the dataset, as they are found.
   *
   * @returns whether those are all: a query of somebody else's may have ended the search.
   */
  holdings(
    key: IRepositoryKey,
    id: string,
    signal: AbortSignal
  ): AsyncGenerator<HoldingProgress, boolean, undefined>;
}

/** Asks the backend what one dataset is, and what is in it. */
export interface IViewerClient extends IDatasetClient {
  memoryCost(key: IRepositoryKey, id: string, signal: AbortSignal): Promise<MemoryCost>;
  preview(key: IRepositoryKey, id: string, wish: IPreviewWish, signal: AbortSignal): Promise<Preview>;
  figure(key: IRepositoryKey, id: string, signal: AbortSignal): Promise<Blob>;
}

/** Asks the backend about one dataset. */
export class ViewerClient implements IViewerClient {
  constructor(private readonly _transport: Transport) {}

  details(key: IRepositoryKey, id: string, signal: AbortSignal): Promise<DatasetDetails> {
    return this._transport.get(within(key, 'datasets', id), {}, signal);
  }

  memoryCost(key: IRepositoryKey, id: string, signal: AbortSignal): Promise<MemoryCost> {
    return this._transport.get(within(key, 'datasets', id, 'memory'), {}, signal);
  }

  provenance(key: IRepositoryKey, id: string, signal: AbortSignal, brief = false): Promise<Provenance> {
    return this._transport.get(within(key, 'datasets', id, 'provenance'), brief ? { brief } : {}, signal);
  }

  preview(key: IRepositoryKey, id: string, wish: IPreviewWish, signal: AbortSignal): Promise<Preview> {
    const { path = [], offset = 0, level = 0, words = '' } = wish;
    return this._transport.get(
      within(key, 'datasets', id, 'preview'),
      { path, offset, level, words },
      signal
    );
  }

  async figure(key: IRepositoryKey, id: string, signal: AbortSignal): Promise<Blob> {
    return (await this._transport.bytes(within(key, 'datasets', id, 'figure'), {}, signal)).blob;
  }

  async *holdings(
    key: IRepositoryKey,
    id: string,
    signal: AbortSignal
  ): AsyncGenerator<HoldingProgress, boolean, undefined> {
    const events = this._transport.events<HoldingEvent>(
      within(key, 'datasets', id, 'collections'),
      {},
      signal
    );
    for (;;) {
      const next = await events.next();
      if (next.done) {
        return !next.value.superseded;
      }
      yield next.value.event === 'holdings'
        ? { collections: next.value.collections }
        : { busy: next.value.retry_in };
    }
  }
}
