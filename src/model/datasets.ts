import { type ISignal, Signal } from '@lumino/signaling';

import {
  AbortedError,
  type Dataset,
  type DatasetFilter,
  type DatasetSearch,
  type EndEvent,
  type ErrorReport,
  type IButlerClient,
  type IRepositoryKey,
  type QueryCall,
  reportOf
} from '../api';
import { Choice } from './choice';
import { tidyFilter } from './filters';
import type { IDatasetMarks } from './marks';
import { type IPage, RowPages } from './pages';
import type { Picking } from './picking';
import { repositoryId } from './requests';
import type { IDatasetSelection } from './selection';
import { breathe } from './slices';
import { RowSummary } from './summary';
import { type IDatasetPlace, type IDatasetTarget, queryOf, samePlace, sameTarget, searchOf } from './targets';

/** How far the list has come. */
export type ListState =
  /** Nothing was chosen to list. */
  | { readonly status: 'closed' }
  /** A page is on its way; `busyUntil` says when a busy server is asked again, in ms since the epoch. */
  | { readonly status: 'loading'; readonly busyUntil: number | null }
  /** There is more, to be asked for when the end comes into view. */
  | { readonly status: 'partial' }
  | { readonly status: 'complete' }
  | { readonly status: 'cancelled' }
  | { readonly status: 'superseded' }
  | { readonly status: 'failed'; readonly error: ErrorReport };

/** Most rows held at once; others are fetched again when they come into view. */
export const MAX_HELD = 30_000;

/** Most rows that one request may ask for. */
const MAX_PAGE = 20_000;

/**
 * A list of datasets that grows page by page as its end comes into view, with one stream at a time.
 *
 * Rows far from those in view are let go: however long the list, it takes no more memory.
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

  /** How many rows the list has so far. */
  get length(): number {
    return this._pages.length;
  }

  /** A row, or undefined while it is not held: `look` has it fetched. */
  rowAt(index: number): Dataset | undefined {
    return this._pages.at(index);
  }

  /** The rows that are held, in order; all of them if the list is not longer than `MAX_HELD`. */
  get rows(): readonly Dataset[] {
    return Array.from(this._pages.entries(), ([, row]) => row);
  }

  /** What the columns depend on. */
  get summary(): RowSummary {
    return this._summary;
  }

  get picking(): Picking {
    return this._choice.picking;
  }

  /** Index of the row that has the keyboard, or null before any was touched. */
  get activeIndex(): number | null {
    return this._awaited ?? this._choice.activeIndex;
  }

  /** Whether the row that has the keyboard is still to come, to be chosen then. */
  get isAwaiting(): boolean {
    return this._awaited !== null;
  }

  /** Whether everything found is chosen, also what is not held or has not come. */
  get isAllChosen(): boolean {
    return this._choice.isAll;
  }

  /** How many datasets are chosen, as far as that is known. */
  get chosenCount(): number {
    return this.isAllChosen ? this.length : this.picking.chosen.size;
  }

  /** How many rows of the stretch that was chosen last are not chosen, since they are not held. */
  get leftOut(): number {
    return this._choice.leftOut;
  }

  isChosen(id: string): boolean {
    return this._choice.has(id);
  }

  /** Rows asked for at a time. */
  pageSize = 1000;

  /** What is known of datasets in the person's satellite, once somebody finds that out. */
  get marks(): IDatasetMarks | null {
    return this._marks;
  }

  set marks(marks: IDatasetMarks | null) {
    this._marks = marks;
    marks?.changed.connect(() => this._stateChanged.emit());
  }

  /** The list as a butler's query, once the backend has told it. */
  get call(): QueryCall | null {
    return this._call;
  }

  set call(call: QueryCall | null) {
    this._call = call;
    if (this.isAllChosen) {
      this._stateChanged.emit();
    }
  }

  /** What is listed, for whoever acts on all that is found; null if nothing is listed. */
  get search(): DatasetSearch | null {
    return this._target && searchOf(this._target);
  }

  /** The chosen datasets in the order of the list, or null if there are none. */
  get selection(): IDatasetSelection | null {
    if (!this._target) {
      return null;
    }
    const { repository, collection, datasetType } = this._target;
    const place = { repository, collection, datasetType };
    if (this.isAllChosen) {
      return { ...place, datasets: this.rows, whole: this._call, filter: this._target.filter };
    }
    const datasets = this._choice.rows;
    return datasets.length > 0 ? { ...place, datasets } : null;
  }

  /** List other datasets; what was under way ends. Without a filter, all of a place. */
  open(place: IDatasetPlace & { readonly filter?: DatasetFilter | null }): void {
    const { repository, collection, datasetType } = place;
    const before = this._target;
    // Who only names the place that is listed already does not ask for its filter to go.
    const kept = before && place.filter === undefined && samePlace(before, place) ? before.filter : null;
    const filter = tidyFilter(place.filter ?? kept);
    const target = { repository, collection, datasetType, filter };
    if (before && sameTarget(before, target) && this._state.status !== 'failed') {
      return;
    }
    this._abort();
    this._target = target;
    this._call = null;
    this._begin();
    void this._loadPage();
  }

  /** These rows are in view: get more if the end is near, and what was let go. */
  look(last: number, first = last): void {
    this._view = [first, last];
    this._lookForMarks(first, last);
    if (this._running) {
      return;
    }
    const missing = this._pages.missing(first, Math.min(last, this._pages.length - 1));
    if (missing && CAN_LOAD.has(this._state.status)) {
      void this._reload(missing);
    } else if (this._state.status === 'partial' && last >= this._pages.length - this.pageSize / 2) {
      void this._loadPage();
    }
  }

  /** Go on where it stopped, for whatever reason. */
  retry(): void {
    const { status } = this._state;
    if (status === 'failed' || status === 'cancelled' || status === 'superseded') {
      const missing = this._pages.missing(this._view[0], Math.min(this._view[1], this._pages.length - 1));
      void (missing ? this._reload(missing) : this._loadPage());
    }
  }

  /** Stop the stream; what has come stays. */
  cancel(): void {
    if (this._running) {
      this._abort();
      this._awaited = null;
      this._set({ status: 'cancelled' });
    }
  }

  /** Choose rows, among those that are held. */
  pick(change: (picking: Picking, ids: readonly string[]) => void): void {
    this._awaited = null;
    this._choice.isAll = false;
    this._choice.leftOut = 0;
    change(
      this.picking,
      this.rows.map(row => row.id)
    );
    this._choice.follow(this._pages);
    this._stateChanged.emit();
  }

  /**
   * Choose the row at an index; one that is not held once it has come.
   *
   * @param extend - Whether to choose everything from the row chosen last, as far as it was ever held: up to the
   *   nearest row on the way that is.
   */
  pickAt(index: number, extend = false): void {
    if (!extend && !this.rowAt(index) && this._await(index)) {
      return;
    }
    const at = this._pages.nearest(index, this._choice.activeIndex ?? index);
    const row = at === null ? undefined : this.rowAt(at);
    if (!row) {
      return;
    }
    if (!extend) {
      this.pick(picking => picking.only(row.id));
      return;
    }
    this._awaited = null;
    this._choice.extendTo(row.id, index, this._pages);
    this._stateChanged.emit();
  }

  /** Choose everything that is found. */
  pickAll(): void {
    this.pick((picking, ids) => picking.all(ids));
    this._choice.isAll = this._state.status !== 'complete' || this._pages.held < this._pages.length;
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
    if (this._pages.length > MAX_HELD) {
      // Too long to be fetched again as a whole: what is in view is, and the rest when it comes into view.
      this._abort();
      this._pages.dropBroken();
      this._pages.evictAll();
      this._set({ status: this._cursor === null ? 'complete' : 'partial' });
      return;
    }
    const wanted = Math.max(this._pages.length, this.pageSize);
    const running = this._start();
    const pages = new RowPages();
    const summary = new RowSummary();
    // Should this break off, the list is asked for again from its beginning.
    this._isStale = true;
    let cursor: string | null = null;
    try {
      do {
        const limit = Math.min(MAX_PAGE, wanted - pages.length);
        const page = pages.add(cursor);
        const end: EndEvent = await this._stream(target, { limit, cursor }, running.signal, some => {
          pages.append(page, some);
          summary.take(some);
        });
        page.whole = true;
        cursor = end.next_cursor;
        if (end.superseded) {
          // What there was stays in sight; whoever goes on gets all of it anew.
          if (this._running === running) {
            this._running = null;
            this._set({ status: 'superseded' });
          }
          return;
        }
      } while (cursor !== null && pages.length < wanted);
    } catch (reason) {
      this._stop(running, reason);
      return;
    }
    if (this._running === running) {
      this._isStale = false;
      this._pages = pages;
      this._summary = summary;
      this._cursor = cursor;
      this.picking.keep(new Set(this.rows.map(row => row.id)));
      this._choice.follow(this._pages);
      this._running = null;
      this._pickAwaited();
      this._set({ status: cursor === null ? 'complete' : 'partial' });
    }
  }

  /** Have a row fetched and chosen, if it was let go and rows can be fetched. */
  private _await(index: number): boolean {
    const { status } = this._state;
    if (!this._pages.pageAt(index) || !(CAN_LOAD.has(status) || status === 'loading')) {
      return false;
    }
    this._awaited = index;
    this.look(index);
    this._stateChanged.emit();
    return true;
  }

  /** Choose the row that was waited for, if it has come. */
  private _pickAwaited(): void {
    const row = this._awaited === null ? undefined : this.rowAt(this._awaited);
    if (row) {
      this.pick(picking => picking.only(row.id));
    }
  }

  private _lookForMarks(first: number, last: number): void {
    if (this._marks && this._target) {
      const ids: string[] = [];
      for (let index = first; index <= last; index++) {
        const row = this._pages.at(index);
        if (row) {
          ids.push(row.id);
        }
      }
      this._marks.look(this._target.repository, ids);
    }
  }

  dispose(): void {
    this._isDisposed = true;
    this._abort();
    Signal.clearData(this);
  }

  private _begin(): void {
    this._pages = new RowPages();
    this._summary = new RowSummary();
    this._cursor = null;
    this._isStale = false;
    this._view = [0, 0];
    this._awaited = null;
    this._choice.clear();
  }

  /** Get the page at the end of the list. */
  private async _loadPage(): Promise<void> {
    const target = this._target;
    if (!target) {
      return;
    }
    const running = this._start();
    this._set({ status: 'loading', busyUntil: null });
    if (this._isStale) {
      this._cursor = null;
    }
    // A page that broke off is asked for again as a whole; its rows go when the first new ones come.
    let page: IPage | null = null;
    const begun = (): IPage => {
      if (this._isStale) {
        this._begin();
      }
      return (page ??= this._pages.add(this._cursor));
    };
    try {
      const asked = { limit: Math.min(MAX_PAGE, this.pageSize), cursor: this._cursor };
      const end = await this._stream(target, asked, running.signal, some => {
        this._pages.append(begun(), some);
        this._summary.take(some);
        this._set({ status: 'loading', busyUntil: null });
      });
      if (this._running === running) {
        this._running = null;
        begun().whole = true;
        this._finish(end);
      }
    } catch (reason) {
      this._stop(running, reason);
    }
  }

  /** Get a page again whose rows were let go. */
  private async _reload(page: IPage): Promise<void> {
    const target = this._target;
    if (!target) {
      return;
    }
    const running = this._start();
    const isLast = page.start + page.length >= this._pages.length;
    this._set({ status: 'loading', busyUntil: null });
    try {
      const rows: Dataset[] = [];
      const asked = { limit: Math.min(MAX_PAGE, Math.max(1, page.length)), cursor: page.cursor };
      const end = await this._stream(target, asked, running.signal, some => rows.push(...some));
      if (this._running !== running) {
        return;
      }
      this._running = null;
      if (end.superseded) {
        this._set({ status: 'superseded' });
        return;
      }
      this._pages.refill(page, rows);
      if (isLast) {
        this._cursor = end.next_cursor;
      }
      this._settle();
    } catch (reason) {
      this._stop(running, reason);
    }
  }

  private _finish(end: EndEvent): void {
    if (end.superseded) {
      // Without a cursor the page is asked for again from its beginning.
      if (end.next_cursor === null) {
        this._markBroken();
      }
      this._cursor = end.next_cursor ?? this._cursor;
      this._set({ status: 'superseded' });
      return;
    }
    this._cursor = end.next_cursor;
    this._settle();
  }

  private _markBroken(): void {
    const last = this._pages.pageAt(this._pages.length - 1);
    if (last) {
      last.whole = false;
    }
  }

  private _settle(): void {
    this._pickAwaited();
    const anchor = this.activeIndex ?? this._view[0];
    const near = Math.abs(anchor - this._view[0]) <= MAX_HELD;
    const stretch = [Math.min(anchor, this._view[0]), Math.max(anchor, this._view[1])] as const;
    this._pages.evict(MAX_HELD, this._view, near ? stretch : this._view);
    this._set({ status: this._cursor === null ? 'complete' : 'partial' });
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
        const pause = breathe();
        if (pause) {
          await pause;
        }
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
    this._awaited = null;
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
  private readonly _choice = new Choice();
  private _target: IDatasetTarget | null = null;
  private _call: QueryCall | null = null;
  private _pages = new RowPages();
  private _summary = new RowSummary();
  private _cursor: string | null = null;
  /** Whether the whole list has to be asked for again. */
  private _isStale = false;
  private _view: readonly [first: number, last: number] = [0, 0];
  /** Index of a row that is chosen once it has come. */
  private _awaited: number | null = null;
  private _state: ListState = { status: 'closed' };
  private _running: AbortController | null = null;
  private _marks: IDatasetMarks | null = null;
  private _isDisposed = false;
}

/** States in which rows may be fetched without being asked for by a person. */
const CAN_LOAD: ReadonlySet<ListState['status']> = new Set(['partial', 'complete']);
