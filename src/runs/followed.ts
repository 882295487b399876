import { type ISignal, Signal } from '@lumino/signaling';

import { AbortedError, type ErrorReport, reportOf } from '../api';

/** Milliseconds between an answer and the next question, however often something changes. */
const PAUSE = 1_000;

/**
 * Something that the backend is asked for again whenever it may have changed, while somebody sees it: one
 * question at a time. What was there stays while it is asked for, and when it cannot be had.
 */
export class Followed<T> {
  constructor(private readonly _ask: (signal: AbortSignal) => Promise<T>) {}

  /** Emitted when the value or the failure is another one. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._abort.signal.aborted;
  }

  /** What there is; null before the first answer. */
  get value(): T | null {
    return this._value;
  }

  /** Why it could not be had when it was asked for last. */
  get failure(): ErrorReport | null {
    return this._failure;
  }

  /** Whether somebody sees it. */
  get seen(): boolean {
    return this._seen;
  }

  set seen(seen: boolean) {
    this._seen = seen;
    this._askSoon();
  }

  /** It may have changed. */
  doubt(): void {
    this._isStale = true;
    this._askSoon();
  }

  /** Ask now: a person wants to. */
  retry(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
    this._isStale = true;
    this._askSoon();
  }

  dispose(): void {
    clearTimeout(this._timer);
    this._abort.abort();
    Signal.clearData(this);
  }

  private _askSoon(): void {
    if (this._seen && this._isStale && !this._isAsking && this._timer === undefined && !this.isDisposed) {
      void this._load();
    }
  }

  private async _load(): Promise<void> {
    this._isAsking = true;
    this._isStale = false;
    try {
      this._value = await this._ask(this._abort.signal);
      this._failure = null;
    } catch (reason) {
      if (reason instanceof AbortedError) {
        return;
      }
      this._failure = reportOf(reason);
    }
    this._isAsking = false;
    this._timer = setTimeout(() => {
      this._timer = undefined;
      this._askSoon();
    }, PAUSE);
    this._stateChanged.emit();
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _abort = new AbortController();
  private _timer: ReturnType<typeof setTimeout> | undefined = undefined;
  private _value: T | null = null;
  private _failure: ErrorReport | null = null;
  private _seen = false;
  private _isStale = true;
  private _isAsking = false;
}
