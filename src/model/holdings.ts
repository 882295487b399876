import {
  AbortedError,
  type ErrorReport,
  type HoldingCollection,
  type HoldingProgress,
  reportOf
} from '../api';

/** Which collections hold a dataset, as far as that is known. */
export interface IHoldings {
  readonly collections: readonly HoldingCollection[];
  readonly status: 'unasked' | 'loading' | 'complete' | 'cancelled' | 'superseded' | 'failed';
  /** When a busy server is asked again, in ms since the epoch. */
  readonly busyUntil: number | null;
  readonly error: ErrorReport | null;
}

export const NO_HOLDINGS: IHoldings = { collections: [], status: 'unasked', busyUntil: null, error: null };

/** Streams collections; returns whether those were all. */
type FetchHoldings = (signal: AbortSignal) => AsyncGenerator<HoldingProgress, boolean, undefined>;

/**
 * The search for the collections that hold one dataset, begun when it is wanted; what it finds is there at
 * once.
 */
export class HoldingsSearch {
  constructor(
    private readonly _fetch: FetchHoldings,
    private readonly _changed: () => void
  ) {}

  get state(): IHoldings {
    return this._state;
  }

  get loading(): boolean {
    return this._running !== null;
  }

  /** Begin unless it was begun before. */
  ask(): void {
    if (this._state.status === 'unasked') {
      void this._search();
    }
  }

  /** Begin anew whatever happened before. */
  retry(): void {
    void this._search();
  }

  /** Stop it, or do not even begin, at a person's wish. */
  cancel(): void {
    if (this._running || this._state.status === 'unasked') {
      this._end();
      this._set({ status: 'cancelled', busyUntil: null });
    }
  }

  /** End it in favour of something else; whoever asks next begins it anew. */
  giveWay(): void {
    if (this._running) {
      this._end();
      this._set({ status: 'unasked', busyUntil: null });
    }
  }

  /** There may be others now; what was found stays until then. */
  invalidate(): void {
    this._end();
    this._set({ status: 'unasked', busyUntil: null, error: null });
  }

  dispose(): void {
    this._end();
  }

  private async _search(): Promise<void> {
    this._end();
    const running = new AbortController();
    this._running = running;
    this._set({ status: 'loading', busyUntil: null, error: null });
    const found: HoldingCollection[] = [];
    try {
      const progress = this._fetch(running.signal);
      for (;;) {
        const next = await progress.next();
        if (this._running !== running) {
          return;
        }
        if (next.done) {
          this._running = null;
          const status = next.value ? 'complete' : 'superseded';
          this._set({ collections: found, status, busyUntil: null });
          return;
        }
        if ('busy' in next.value) {
          this._set({ busyUntil: Date.now() + next.value.busy * 1000 });
        } else {
          found.push(...next.value.collections);
          this._set({ collections: [...found], busyUntil: null });
        }
      }
    } catch (reason) {
      if (!(reason instanceof AbortedError) && this._running === running) {
        this._running = null;
        this._set({ status: 'failed', busyUntil: null, error: reportOf(reason) });
      }
    }
  }

  private _end(): void {
    this._running?.abort();
    this._running = null;
  }

  private _set(change: Partial<IHoldings>): void {
    this._state = { ...this._state, ...change };
    this._changed();
  }

  private _state = NO_HOLDINGS;
  private _running: AbortController | null = null;
}
