import { Poll, Throttler } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import type { IButlerClient } from '../api';

/** Milliseconds between two looks however many kernels go idle. */
const LEAST = 1000;

/**
 * Notices when personal repositories change: now and then, and whenever it is told to look.
 */
export class VersionWatch {
  constructor(options: {
    readonly client: IButlerClient;
    readonly seconds: number;
    /** Whether nobody is looking, so that nothing need be asked. */
    readonly idle: () => boolean;
  }) {
    const { client, seconds, idle } = options;
    this._poll = new Poll({
      name: 'python-butler:versions',
      factory: async () => {
        const { versions } = await client.versions(this._abort.signal);
        this._compare(versions);
      },
      frequency: { interval: seconds * 1000, backoff: true, max: 60_000 },
      standby: () => (this._live || idle() ? true : 'when-hidden')
    });
    this._throttler = new Throttler(() => this._poll.refresh(), { limit: LEAST, edge: 'trailing' });
  }

  /** Emitted with the labels of repositories whose contents are others than before. */
  get changed(): ISignal<this, readonly string[]> {
    return this._changed;
  }

  /** Emitted after every answer, so that what failed can be tried again. */
  get answered(): ISignal<this, void> {
    return this._answered;
  }

  set seconds(seconds: number) {
    this._poll.frequency = { ...this._poll.frequency, interval: seconds * 1000 };
  }

  /** Whether changes are told as they happen, so that nothing need be asked. */
  set live(live: boolean) {
    this._live = live;
    if (!live) {
      this.look();
    }
  }

  /** Learn the versions without having asked. */
  tell(versions: Readonly<Record<string, string>>): void {
    this._compare(versions);
  }

  /** Look soon: something may have changed. */
  look(): void {
    this._throttler.invoke().catch(() => undefined);
  }

  dispose(): void {
    this._abort.abort();
    this._throttler.dispose();
    this._poll.dispose();
    Signal.clearData(this);
  }

  private _compare(versions: Readonly<Record<string, string>>): void {
    const before = this._versions;
    this._versions = versions;
    const labels = new Set([...Object.keys(before ?? {}), ...Object.keys(versions)]);
    const changed = before ? [...labels].filter(label => before[label] !== versions[label]) : [];
    if (changed.length > 0) {
      this._changed.emit(changed);
    }
    this._answered.emit();
  }

  private readonly _changed = new Signal<this, readonly string[]>(this);
  private readonly _answered = new Signal<this, void>(this);
  private readonly _abort = new AbortController();
  private readonly _poll: Poll;
  private readonly _throttler: Throttler<void>;
  private _live = false;
  private _versions: Readonly<Record<string, string>> | null = null;
}
