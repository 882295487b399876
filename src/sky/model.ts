import { type ISignal, Signal } from '@lumino/signaling';

import {
  AbortedError,
  type EndEvent,
  type ErrorReport,
  type FootprintNews,
  type FootprintsBegin,
  type IFootprintQuery,
  reportOf,
  type SkyCircle
} from '../api';
import { breathe, type ButlerModel, type IDatasetTarget, NO_FILTER } from '../model';
import { FootprintSet, type IFootprint } from './footprints';

/** How far the map has come. */
export type SkyState =
  /** Nothing is listed. */
  | { readonly status: 'closed' }
  /** Footprints come; `busyUntil` says when a busy server is asked again, in ms since the epoch. */
  | { readonly status: 'loading'; readonly busyUntil: number | null }
  /** Datasets of this type have no place on the sky. */
  | { readonly status: 'nowhere'; readonly dimensions: readonly string[] }
  | { readonly status: 'complete'; readonly capped: boolean; readonly withoutRegion: number }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly error: ErrorReport };

export interface ISkySource {
  /** Ask for footprints. */
  footprints(query: IFootprintQuery, signal: AbortSignal): AsyncGenerator<FootprintNews, EndEvent, undefined>;
}

/**
 * The footprints of what the panel lists, and which of them are chosen: the choice is the list's own.
 */
export class SkyModel {
  constructor(
    private readonly _butler: ButlerModel,
    private readonly _source: ISkySource
  ) {
    _butler.datasets.stateChanged.connect(this._follow, this);
    _butler.watch.changed.connect(this._refresh, this);
  }

  /** Emitted when footprints come, or the choice or the state changes. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  /** Emitted with footprints that were chosen in the list, which should come into view. */
  get revealed(): ISignal<this, readonly IFootprint[]> {
    return this._revealed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get state(): SkyState {
    return this._state;
  }

  get target(): IDatasetTarget | null {
    return this._target;
  }

  get footprints(): FootprintSet {
    return this._footprints;
  }

  /** Goes up whenever other footprints are shown than before. */
  get generation(): number {
    return this._generation;
  }

  /** Indices of the footprints of chosen datasets. */
  get chosen(): ReadonlySet<number> {
    return this._chosen;
  }

  /** The footprints at the place that was pointed at last, and which of them is chosen. */
  get here(): readonly IFootprint[] {
    return this._here;
  }

  /** Whether somebody can see the map; nothing is asked for before. */
  set visible(visible: boolean) {
    this._visible = visible;
    this._follow();
  }

  /**
   * Choose the datasets of footprints in the list.
   *
   * @param here - All footprints at the place, if it was a place that was chosen.
   */
  choose(footprints: readonly IFootprint[], here: readonly IFootprint[] = []): void {
    this._here = here;
    const ids = footprints.flatMap(({ datasets }) => datasets);
    this._wanted = this._picked = new Set(ids);
    this._before = this._butler.datasets.picking.chosen;
    this._pick();
    this._mark();
    this._touch();
  }

  /** Ask again if it failed or was stopped. */
  retry(): void {
    if (this._state.status === 'failed' || this._state.status === 'cancelled') {
      void this._load();
    }
  }

  /** Stop what is under way; what has come stays. */
  cancel(): void {
    if (this._running) {
      this._abort();
      this._set({ status: 'cancelled' });
    }
  }

  /** List only what overlaps a circle; null lifts the condition. */
  search(circle: SkyCircle | null): void {
    const { target } = this._butler.datasets;
    if (target) {
      const filter = { ...(target.filter ?? NO_FILTER), near: circle };
      this._butler.datasets.open({ ...target, filter });
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._abort();
      Signal.clearData(this);
    }
  }

  /** Keep up with the list: what is listed, and what is chosen in it. */
  private _follow(): void {
    if (this._isDisposed || !this._visible) {
      return;
    }
    const { target } = this._butler.datasets;
    if (target !== this._target) {
      this._target = target;
      this._here = [];
      this._wanted = null;
      if (target) {
        void this._load();
      } else {
        this._abort();
        this._begin([]);
        this._set({ status: 'closed' });
      }
    }
    this._pick();
    this._mark();
  }

  /** The contents of personal repositories changed. */
  private _refresh(_: unknown, labels: readonly string[]): void {
    const repository = this._target?.repository;
    if (this._visible && repository?.kind === 'personal' && labels.includes(repository.label)) {
      void this._load();
    }
  }

  private async _load(): Promise<void> {
    const target = this._target;
    if (!target) {
      return;
    }
    this._abort();
    const running = new AbortController();
    this._running = running;
    this._set({ status: 'loading', busyUntil: null });
    try {
      // A page of the list goes first; then this begins again.
      while (await this._stream(target, running.signal));
    } catch (reason) {
      if (this._running === running && !(reason instanceof AbortedError)) {
        this._running = null;
        this._set({ status: 'failed', error: reportOf(reason) });
      }
    }
  }

  /** Take one stream to its end; gives whether it has to be asked for once more. */
  private async _stream(target: IDatasetTarget, signal: AbortSignal): Promise<boolean> {
    const events = this._source.footprints(queryOf(target), signal);
    let end: SkyState = { status: 'complete', capped: false, withoutRegion: 0 };
    for (;;) {
      const next = await events.next();
      if (signal.aborted) {
        throw new AbortedError();
      }
      if (next.done) {
        if (!next.value.superseded) {
          this._running = null;
          this._set(end);
          this._mark();
        }
        return next.value.superseded;
      }
      const news = next.value;
      switch (news.event) {
        case 'begin':
          end = beginning(news) ?? end;
          this._begin(news.region_dimensions);
          break;
        case 'footprints':
          this._footprints.add(news.regions, news.datasets);
          this._set({ status: 'loading', busyUntil: null });
          this._mark();
          await breathe();
          break;
        case 'summary':
          end = { status: 'complete', capped: news.capped, withoutRegion: news.without_region };
          break;
        case 'busy':
          this._set({ status: 'loading', busyUntil: Date.now() + news.retry_in * 1000 });
      }
    }
  }

  private _begin(dimensions: readonly string[]): void {
    this._footprints = new FootprintSet(dimensions);
    this._generation++;
    this._chosen = new Set();
    this._here = [];
  }

  /**
   * Choose in the list what is wanted once the list has it, or has ended; unless a person chose there since.
   */
  private _pick(): void {
    const wanted = this._wanted;
    if (!wanted) {
      return;
    }
    const { datasets } = this._butler;
    if (datasets.picking.chosen !== this._before) {
      this._wanted = null;
      return;
    }
    const rows = datasets.rows.filter(({ id }) => wanted.has(id));
    if (rows.length < wanted.size && datasets.state.status !== 'complete') {
      if (datasets.state.status === 'partial') {
        datasets.look(datasets.length - 1);
      }
      return;
    }
    this._wanted = null;
    this._picked = new Set(rows.map(({ id }) => id));
    datasets.pick(picking => {
      picking.clear();
      picking.all(rows.map(({ id }) => id));
    });
  }

  /** Mark the footprints of what is chosen in the list, or shall be. */
  private _mark(): void {
    const chosen = this._wanted ?? this._butler.datasets.picking.chosen;
    const found = [...chosen].flatMap(id => this._footprints.of(id) ?? []);
    const before = this._chosen;
    this._chosen = new Set(found.map(({ index }) => index));
    if (this._chosen.size !== before.size || [...this._chosen].some(index => !before.has(index))) {
      const isOurs = this._picked !== null && [...chosen].every(id => this._picked?.has(id));
      if (!isOurs) {
        this._here = [];
        this._revealed.emit(found);
      }
      this._touch();
    }
  }

  private _set(state: SkyState): void {
    this._state = state;
    this._touch();
  }

  private _touch(): void {
    if (!this._isDisposed) {
      this._stateChanged.emit();
    }
  }

  private _abort(): void {
    this._running?.abort();
    this._running = null;
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _revealed = new Signal<this, readonly IFootprint[]>(this);
  private _state: SkyState = { status: 'closed' };
  private _target: IDatasetTarget | null = null;
  private _footprints = new FootprintSet([]);
  private _generation = 0;
  private _chosen: ReadonlySet<number> = new Set();
  private _here: readonly IFootprint[] = [];
  /** Datasets to be chosen as soon as the list has them. */
  private _wanted: ReadonlySet<string> | null = null;
  /** What was chosen in the list when these were. */
  private _before: ReadonlySet<string> | null = null;
  /** What was chosen from the map last: it need not be brought into view. */
  private _picked: ReadonlySet<string> | null = null;
  private _visible = false;
  private _running: AbortController | null = null;
  private _isDisposed = false;
}

function beginning({ element, dimensions }: FootprintsBegin): SkyState | null {
  return element === null ? { status: 'nowhere', dimensions } : null;
}

function queryOf({ repository, collection, datasetType, filter }: IDatasetTarget): IFootprintQuery {
  return { repository, collection: collection.name, datasetType: datasetType.name, filter };
}
