import { type ISignal, Signal } from '@lumino/signaling';

import { AbortedError, type IJobsClient, type IRepositoryKey } from '../api';
import type { DatasetMark, IDatasetMarks } from '../model';

/** Most datasets that are looked up at once. */
const MOST = 500;

/** Milliseconds after which rows that came into view are looked up: while one scrolls, none are. */
const PAUSE = 150;

/**
 * Which datasets in view the person's satellite has, by reference or with a copy.
 *
 * Only what is in view is looked up, once for each version of the satellite. Failures are silent: a mark
 * that is missing says nothing wrong.
 */
export class PresenceMarks implements IDatasetMarks {
  constructor(private readonly _client: IJobsClient) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  of(key: IRepositoryKey, id: string): DatasetMark | null {
    return this._marks.get(key.label)?.get(id) ?? null;
  }

  look(key: IRepositoryKey, ids: readonly string[]): void {
    const marks = this._of(key.label);
    const unknown = ids.filter(id => !marks.has(id)).slice(0, MOST);
    clearTimeout(this._timer);
    if (unknown.length > 0) {
      this._timer = setTimeout(() => void this._ask(key.label, unknown), PAUSE);
    }
  }

  /** The contents of satellites changed: what was known of them must be asked again. */
  forget(labels: readonly string[]): void {
    labels.forEach(label => this._marks.delete(label));
    this._changed.emit();
  }

  dispose(): void {
    clearTimeout(this._timer);
    this._running?.abort();
    Signal.clearData(this);
  }

  private async _ask(label: string, ids: readonly string[]): Promise<void> {
    this._running?.abort();
    const running = new AbortController();
    this._running = running;
    const marks = this._of(label);
    try {
      const { referenced, pinned } = await this._client.presence(label, ids, running.signal);
      ids.forEach(id => marks.set(id, null));
      referenced.forEach(id => marks.set(id, 'referenced'));
      pinned.forEach(id => marks.set(id, 'pinned'));
      this._changed.emit();
    } catch (reason) {
      if (!(reason instanceof AbortedError)) {
        // Not to be asked again for each row that is scrolled by.
        ids.forEach(id => marks.set(id, null));
      }
    }
  }

  private _of(label: string): Map<string, DatasetMark | null> {
    let marks = this._marks.get(label);
    if (!marks) {
      marks = new Map();
      this._marks.set(label, marks);
    }
    return marks;
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _marks = new Map<string, Map<string, DatasetMark | null>>();
  private _timer: ReturnType<typeof setTimeout> | undefined = undefined;
  private _running: AbortController | null = null;
}
