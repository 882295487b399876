import { AbortedError, type ErrorReport, reportOf } from '../api';

/** Something that comes from the server, in one of the states it can be in. */
export type Loadable<T> =
  | { readonly status: 'unasked' }
  | { readonly status: 'loading' }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly error: ErrorReport; readonly retryAt: number | null }
  | { readonly status: 'loaded'; readonly value: T };

/**
 * One thing to be asked of the server, asked when it is wanted and not before.
 *
 * A value stays in place while a newer one is being fetched; a failure is shown but never kept:
 * whoever asks again, asks the server.
 */
export class Resource<T> {
  /**
   * @param _isSeen - Whether somebody waits for it now, so that it is asked for again by itself once the
   *   server said so; if not given, whoever looks at it then has to ask.
   */
  constructor(
    private readonly _fetch: (signal: AbortSignal) => Promise<T>,
    private readonly _changed: (state: Loadable<T>) => void,
    private readonly _isSeen: () => boolean = () => false
  ) {}

  get state(): Loadable<T> {
    return this._state;
  }

  /** The value, even if there is a newer one on the server. */
  get value(): T | null {
    return this._state.status === 'loaded' ? this._state.value : null;
  }

  get loading(): boolean {
    return this._running !== null;
  }

  /** Put in what is remembered or known from elsewhere, to be replaced at the first chance if stale. */
  seed(value: T, stale: boolean): void {
    this._abort();
    this._stale = stale;
    this._set({ status: 'loaded', value });
  }

  /** Ask unless the answer is known, under way, or a person must decide first. */
  ask(): void {
    const { status } = this._state;
    if (this._running === null && (status === 'unasked' || (status === 'loaded' && this._stale))) {
      void this._load();
    }
  }

  /** Ask again whatever happened before. */
  retry(): void {
    void this._load();
  }

  /** There is, or may be, something newer: the next who wants it makes it be asked for. */
  invalidate(): void {
    if (this._running !== null) {
      this._abort();
    }
    if (this._state.status === 'loaded') {
      this._stale = true;
      this._changed(this._state);
    } else if (this._state.status !== 'unasked') {
      this._set({ status: 'unasked' });
    }
  }

  /** Forget a failure, so that whoever comes next asks anew; what is known stays. */
  forgetFailure(): void {
    if (this._state.status === 'failed' || this._state.status === 'cancelled') {
      this._set({ status: 'unasked' });
    }
  }

  /** Stop what is under way, at a person's wish. */
  cancel(): void {
    const waiting = this._state.status === 'failed' && this._state.retryAt !== null;
    if (this._running === null && !waiting) {
      return;
    }
    this._abort();
    if (this._state.status !== 'loaded') {
      this._set({ status: 'cancelled' });
    }
  }

  dispose(): void {
    this._abort();
  }

  private async _load(): Promise<void> {
    this._abort();
    const running = new AbortController();
    this._running = running;
    this._stale = false;
    if (this._state.status !== 'loaded') {
      this._set({ status: 'loading' });
    }
    let next: Loadable<T>;
    try {
      next = { status: 'loaded', value: await this._fetch(running.signal) };
    } catch (reason) {
      if (reason instanceof AbortedError) {
        return;
      }
      next = this._failed(reportOf(reason));
    }
    // An answer that comes too late must not overwrite a newer one.
    if (this._running === running) {
      this._running = null;
      this._set(next);
      this._schedule(next);
    }
  }

  private _failed(error: ErrorReport): Loadable<T> {
    const wait = error.retry_in ?? null;
    return { status: 'failed', error, retryAt: wait === null ? null : Date.now() + wait * 1000 };
  }

  /** When the server said when to come back, the thing becomes wanted again at that time. */
  private _schedule(state: Loadable<T>): void {
    if (state.status === 'failed' && state.retryAt !== null) {
      const again = (): void => {
        this.forgetFailure();
        if (this._isSeen()) {
          this.ask();
        }
      };
      this._timer = setTimeout(again, Math.max(0, state.retryAt - Date.now()));
    }
  }

  private _set(state: Loadable<T>): void {
    this._state = state;
    this._changed(state);
  }

  private _abort(): void {
    clearTimeout(this._timer);
    this._running?.abort();
    this._running = null;
  }

  private _state: Loadable<T> = { status: 'unasked' };
  private _stale = false;
  private _running: AbortController | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined = undefined;
}

/** How far a thing is, of which nobody may have asked yet. */
export function stateOf<T>(resource: Resource<T> | undefined): Loadable<T> {
  return resource?.state ?? { status: 'unasked' };
}

/** The one of that name, made when it is wanted for the first time. */
export function made<T>(all: Map<string, T>, id: string, make: () => T): T {
  let one = all.get(id);
  if (one === undefined) {
    all.set(id, (one = make()));
  }
  return one;
}
