import { type ISignal, Signal } from '@lumino/signaling';

import { AbortedError, type IJobsClient } from '../api';
import type { JobsModel } from './jobs';

/** Milliseconds before a feed that broke off is taken up again: twice as many each time. */
const SHORTEST = 2_000;
const LONGEST = 60_000;

/** Who wants to know when personal repositories change. */
export interface IVersionListener {
  live: boolean;
  tell(versions: Readonly<Record<string, string>>): void;
}

/** Tells other rooms what changes. */
export interface IChanges {
  /** Emitted when some run of a pipeline may stand otherwise than before. */
  readonly runsChanged: ISignal<unknown, void>;
  /** Say whether somebody wants to know: nobody is told of anything while nobody does. */
  follow(who: object, isFollowing: boolean): void;
}

/**
 * One connection by which the backend tells what changes, open only while somebody wants to know:
 * browsers have few of them.
 */
export class ChangeFeed {
  constructor(
    private readonly _client: IJobsClient,
    private readonly _jobs: JobsModel,
    private readonly _versions: IVersionListener
  ) {}

  /** Emitted when some run of a pipeline may stand otherwise than before. */
  get runsChanged(): ISignal<this, void> {
    return this._runsChanged;
  }

  /** Whether somebody wants to know. */
  get wanted(): boolean {
    return this._running !== null;
  }

  set wanted(wanted: boolean) {
    if (wanted === this.wanted) {
      return;
    }
    if (wanted) {
      this._running = new AbortController();
      void this._follow(this._running.signal);
    } else {
      this._running?.abort();
      this._running = null;
      this._versions.live = false;
    }
  }

  dispose(): void {
    this._running?.abort();
    this._running = null;
    Signal.clearData(this);
  }

  private async _follow(signal: AbortSignal): Promise<void> {
    let wait = SHORTEST;
    while (!isOver(signal)) {
      try {
        const known = new Set(this._jobs.jobs.map(({ id }) => id));
        let isComplete = false;
        for await (const change of this._client.changes(signal)) {
          if (isOver(signal)) {
            return;
          }
          wait = SHORTEST;
          if (change.event === 'job') {
            known.delete(change.job.id);
            this._jobs.take(change.job);
          } else if (change.event === 'removed') {
            this._jobs.drop(change.id);
          } else if (change.event === 'versions') {
            this._versions.tell(change.versions);
            this._versions.live = true;
          } else if (change.event === 'runs' && change.word !== this._runs) {
            this._runs = change.word;
            this._runsChanged.emit();
          }
          if (!isComplete && change.event !== 'job') {
            // It begins with all jobs there are: others were removed meanwhile.
            isComplete = true;
            known.forEach(id => this._jobs.drop(id));
          }
        }
      } catch (reason) {
        if (reason instanceof AbortedError || isOver(signal)) {
          return;
        }
      }
      // Until it is back, versions are asked for now and then.
      this._versions.live = false;
      await pause(wait, signal);
      wait = Math.min(2 * wait, LONGEST);
    }
  }

  private readonly _runsChanged = new Signal<this, void>(this);
  private _running: AbortController | null = null;
  /** What was last told of runs. */
  private _runs: string | null = null;
}

/** Whether nobody wants to know any more; asked anew each time, since it changes while one waits. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
