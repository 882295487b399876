import { type ISignal, Signal } from '@lumino/signaling';

import {
  AbortedError,
  type ErrorReport,
  type IJobsClient,
  type Job,
  type JobRequest,
  reportOf
} from '../api';
import { hasEnded } from './words';

/**
 * All jobs that are known, newest first, and what can be done with them. Told by a feed how they stand.
 */
export class JobsModel {
  constructor(readonly client: IJobsClient) {}

  /** Emitted when any job, or the failure, changes. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  /** Emitted when a job has ended that was seen to run. */
  get ended(): ISignal<this, Job> {
    return this._ended;
  }

  get jobs(): readonly Job[] {
    return this._sorted;
  }

  /** Whether something waits or runs. */
  get active(): boolean {
    return this._sorted.some(job => !hasEnded(job));
  }

  /** What a person wanted done with a job and could not have, or null. */
  get failure(): ErrorReport | null {
    return this._failure;
  }

  job(id: string): Job | null {
    return this._jobs.get(id) ?? null;
  }

  /** Learn how a job stands. */
  take(job: Job): void {
    const before = this._jobs.get(job.id);
    this._jobs.set(job.id, job);
    this._changed();
    if (before && !hasEnded(before) && hasEnded(job)) {
      this._ended.emit(job);
    }
  }

  /** Learn that a job was removed. */
  drop(id: string): void {
    if (this._jobs.delete(id)) {
      this._changed();
    }
  }

  /** Begin a job; fails with words for a person. */
  async start(request: JobRequest): Promise<Job> {
    const job = await this.client.start(request, this._abort.signal);
    if (!this._jobs.has(job.id)) {
      this.take(job);
    }
    return job;
  }

  cancel(id: string): Promise<void> {
    return this._do(() => this.client.cancel(id, this._abort.signal));
  }

  resume(id: string): Promise<void> {
    return this._do(() => this.client.resume(id, this._abort.signal));
  }

  async remove(id: string): Promise<void> {
    await this._do(() => this.client.remove(id, this._abort.signal), false);
    if (this._failure === null) {
      this.drop(id);
    }
  }

  /** Take all that have ended off the list. */
  async clear(): Promise<void> {
    for (const job of this._sorted.filter(hasEnded)) {
      await this.remove(job.id);
    }
  }

  dispose(): void {
    this._abort.abort();
    Signal.clearData(this);
  }

  private async _do(action: () => Promise<Job>, keep = true): Promise<void> {
    this._failure = null;
    try {
      const job = await action();
      if (keep) {
        this.take(job);
      }
    } catch (reason) {
      if (!(reason instanceof AbortedError)) {
        this._failure = reportOf(reason);
        this._changed();
      }
    }
  }

  private _changed(): void {
    this._sorted = [...this._jobs.values()].sort((one, other) => (one.created < other.created ? 1 : -1));
    this._stateChanged.emit();
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _ended = new Signal<this, Job>(this);
  private readonly _abort = new AbortController();
  private readonly _jobs = new Map<string, Job>();
  private _sorted: readonly Job[] = [];
  private _failure: ErrorReport | null = null;
}
