import { type ISignal, Signal } from '@lumino/signaling';

import {
  AbortedError,
  type Collection,
  type Dataset,
  type DatasetType,
  type EndEvent,
  type ErrorReport,
  type IButlerClient,
  type IDatasetQuery,
  type IRepositoryKey,
  reportOf,
  type Repository
} from '../api';
import { Picking } from './picking';
import { repositoryId } from './requests';
import type { IDatasetSelection } from './selection';

/** What is listed: the datasets of one type found in one collection. */
export interface IDatasetTarget {
  readonly repository: Repository;
  readonly collection: Collection;
  readonly datasetType: DatasetType;
}

/** How far the list has come. */
export type ListState =
  /** Nothing was chosen to list. */
  | { readonly status: 'closed' }
  /** A page is on its way; `busyUntil` says when a busy server is asked again, in ms since the epoch. */
  | { readonly status: 'loading'; readonly busyUntil: number | null }
  /** There is more, to be asked for when the end comes into view. */
  | { readonly status: 'partial' }
  | { readonly status: 'complete' }
  /** There is more, but nobody scrolls that far. */
  | { readonly status: 'capped' }
  | { readonly status: 'cancelled' }
  | { readonly status: 'superseded' }
  | { readonly status: 'failed'; readonly error: ErrorReport };

/** Most rows held at once; browsers limit how high an element can be. */
export const MAX_ROWS = 500_000;

/** Most rows that one request may ask for. */
const MAX_PAGE = 20_000;

/**
 * A list of datasets that grows page by page as its end comes into view, with one stream at a time.
 */
export class DatasetListModel {
  constructor(private readonly _client: IButlerClient) {}

  /** Emitted when rows, state or choice change. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  /** Emitted when a query fails, with the repository it was about. */
  get failed(): ISignal<this, { key: IRepositoryKey; error: ErrorReport }> {
    return this._failed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get target(): IDatasetTarget | null {
    return this._target;
  }

  get state(): ListState {
    return this._state;
  }

  get rows(): readonly Dataset[] {
    return this._rows;
  }

  get picking(): Picking {
    return this._picking;
  }

  /** Rows asked for at a time. */
  pageSize = 1000;

  /** The chosen datasets in the order of the list, or null if there are none. */
  get selection(): IDatasetSelection | null {
    if (!this._target) {
      return null;
    }
    const { chosen } = this._picking;
    const datasets = this._rows.filter(row => chosen.has(row.id));
    return datasets.length > 0 ? { ...this._target, datasets } : null;
  }

  /** List other datasets; what was under way ends. */
  open(target: IDatasetTarget): void {
    if (this._target && sameTarget(this._target, target) && this._state.status !== 'failed') {
      return;
    }
    this._abort();
    this._target = target;
    this._rows = [];
    this._complete = 0;
    this._cursor = null;
    this._picking.clear();
    void this._loadPage();
  }

  /** Rows up to this one are in view: get more if the end is near. */
  look(lastVisible: number): void {
    if (
      this._state.status === 'partial' &&
      !this._running &&
      lastVisible >= this._rows.length - this.pageSize / 2
    ) {
      void this._loadPage();
    }
  }

  /** Go on where it stopped, for whatever reason. */
  retry(): void {
    const { status } = this._state;
    if (status === 'failed' || status === 'cancelled' || status === 'superseded') {
      void this._loadPage();
    }
  }

  /** Stop the stream; what has come stays. */
  cancel(): void {
    if (this._running) {
      this._abort();
      this._set({ status: 'cancelled' });
    }
  }

  /** Choose rows. */
  pick(change: (picking: Picking, ids: readonly string[]) => void): void {
    change(
      this._picking,
      this._rows.map(row => row.id)
    );
    this._stateChanged.emit();
  }

  /**
   * Something in this repository changed: if it is the one listed, get the same stretch of the list
   * anew and swap it in whole, so that what is read, chosen and scrolled to stays where it is.
   */
  async refresh(key: IRepositoryKey): Promise<void> {
    const target = this._target;
    if (!target || repositoryId(target.repository) !== repositoryId(key)) {
      return;
    }
    const wanted = Math.max(this._rows.length, this.pageSize);
    const running = this._start();
    // Should this break off, the list is asked for again from its beginning.
    this._complete = 0;
    this._cursor = null;
    const rows: Dataset[] = [];
    let cursor: string | null = null;
    try {
      do {
        const limit = Math.min(MAX_PAGE, wanted - rows.length);
        const end: EndEvent = await this._stream(target, { limit, cursor }, running.signal, some => {
          rows.push(...some);
        });
        cursor = end.next_cursor;
        if (end.superseded) {
          break;
        }
      } while (cursor !== null && rows.length < wanted);
    } catch (reason) {
      this._stop(running, reason);
      return;
    }
    if (this._running === running) {
      this._rows = rows;
      this._complete = rows.length;
      this._cursor = cursor;
      this._picking.keep(new Set(rows.map(row => row.id)));
      this._running = null;
      this._set({ status: cursor === null ? 'complete' : 'partial' });
    }
  }

  dispose(): void {
    this._isDisposed = true;
    this._abort();
    Signal.clearData(this);
  }

  private async _loadPage(): Promise<void> {
    const target = this._target;
    if (!target) {
      return;
    }
    const running = this._start();
    this._set({ status: 'loading', busyUntil: null });
    // A page that broke off is asked for again as a whole; its rows go when the first new ones come.
    let begun = false;
    try {
      const page = { limit: Math.min(MAX_PAGE, this.pageSize), cursor: this._cursor };
      const end = await this._stream(target, page, running.signal, some => {
        if (!begun) {
          this._rows.length = this._complete;
          begun = true;
        }
        this._rows.push(...some);
        this._set({ status: 'loading', busyUntil: null });
      });
      if (this._running === running) {
        this._running = null;
        this._finish(end, begun);
      }
    } catch (reason) {
      this._stop(running, reason);
    }
  }

  private _finish(end: EndEvent, begun: boolean): void {
    if (!begun) {
      this._rows.length = this._complete;
    }
    this._complete = this._rows.length;
    if (end.superseded) {
      // Without a cursor the page is asked for again from its beginning.
      this._cursor = end.next_cursor ?? this._cursor;
      this._set({ status: 'superseded' });
      return;
    }
    this._cursor = end.next_cursor;
    if (this._cursor === null) {
      this._set({ status: 'complete' });
    } else {
      this._set({ status: this._rows.length >= MAX_ROWS ? 'capped' : 'partial' });
    }
  }

  private async _stream(
    target: IDatasetTarget,
    page: { limit: number; cursor: string | null },
    signal: AbortSignal,
    take: (rows: readonly Dataset[]) => void
  ): Promise<EndEvent> {
    const events = this._client.datasets(queryOf(target), page, signal);
    for (;;) {
      const next = await events.next();
      if (signal.aborted) {
        throw new AbortedError();
      }
      if (next.done) {
        return next.value;
      }
      if (next.value.event === 'rows') {
        take(next.value.rows);
      } else {
        this._set({ status: 'loading', busyUntil: Date.now() + next.value.retry_in * 1000 });
      }
    }
  }

  private _start(): AbortController {
    this._abort();
    this._running = new AbortController();
    return this._running;
  }

  private _stop(running: AbortController, reason: unknown): void {
    if (this._running !== running || reason instanceof AbortedError) {
      return;
    }
    this._running = null;
    const error = reportOf(reason);
    this._set({ status: 'failed', error });
    if (this._target) {
      this._failed.emit({ key: this._target.repository, error });
    }
  }

  private _set(state: ListState): void {
    this._state = state;
    if (!this._isDisposed) {
      this._stateChanged.emit();
    }
  }

  private _abort(): void {
    this._running?.abort();
    this._running = null;
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _failed = new Signal<this, { key: IRepositoryKey; error: ErrorReport }>(this);
  private readonly _picking = new Picking();
  private _target: IDatasetTarget | null = null;
  private _rows: Dataset[] = [];
  /** How many rows belong to pages that came whole. */
  private _complete = 0;
  private _cursor: string | null = null;
  private _state: ListState = { status: 'closed' };
  private _running: AbortController | null = null;
  private _isDisposed = false;
}

function queryOf(target: IDatasetTarget): IDatasetQuery {
  const { repository, collection, datasetType } = target;
  return {
    kind: repository.kind,
    label: repository.label,
    collection: collection.name,
    datasetType: datasetType.name
  };
}

/** Whether both name the same list. */
export function sameTarget(one: IDatasetTarget, other: IDatasetTarget): boolean {
  return (
    repositoryId(one.repository) === repositoryId(other.repository) &&
    one.collection.name === other.collection.name &&
    one.datasetType.name === other.datasetType.name
  );
}
