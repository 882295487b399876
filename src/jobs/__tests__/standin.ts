/**
 * A backend's jobs that answer as the test says: what comes when, and late, is what these tests are about.
 */

import {
  AbortedError,
  ApiError,
  type Change,
  type EndEvent,
  type ErrorReport,
  type HeldTypes,
  type IJobsClient,
  type IRepositoryKey,
  type Job,
  type JobPlan,
  type JobRequest,
  type JobResultPage,
  type PlanStep,
  type Presence
} from '../../api';

export function job(id: string, change: Partial<Job> = {}): Job {
  return {
    id,
    action: 'reference',
    label: 'dp2',
    kind: 'official',
    dataset_type: 'visit_image',
    collection: 'dp2',
    datasets: 12,
    state: 'running',
    ahead: 0,
    progress: null,
    created: `2026-01-01T00:00:0${id}`,
    began: null,
    ended: null,
    counts: {},
    bytes: 0,
    notes: [],
    error: null,
    resumable: false,
    ...change
  };
}

export function plan(change: Partial<JobPlan> = {}): JobPlan {
  return {
    action: 'reference',
    label: 'dp2',
    datasets: 12,
    new: 12,
    there: 0,
    bytes: 240_000_000,
    unknown: 0,
    reference_first: 0,
    creates_satellite: false,
    location: '/home/me/butler/dp2',
    room: null,
    groups: [],
    more_groups: 0,
    problems: [],
    kept: [],
    irreversible: false,
    ...change
  };
}

export const REPORT: ErrorReport = {
  kind: 'offline',
  message: 'The dp2 server cannot be reached.',
  next_step: 'Retry later.',
  retry_in: null,
  request_id: 'r1'
};

/** A stream whose events come when they are put. */
class Stream<E extends object> {
  constructor(
    readonly request: unknown,
    private readonly _signal: AbortSignal
  ) {
    _signal.addEventListener('abort', () => this.put(new AbortedError()));
  }

  get isAborted(): boolean {
    return this._signal.aborted;
  }

  put(next: E | EndEvent | Error): void {
    this._items.push(next);
    this._wake();
  }

  async *events(): AsyncGenerator<E, EndEvent, undefined> {
    for (;;) {
      const next = this._items.shift();
      if (next === undefined) {
        await new Promise<void>(resolve => (this._wake = resolve));
      } else if (next instanceof Error) {
        throw next;
      } else if (isEnd(next)) {
        return next;
      } else {
        yield next;
      }
    }
  }

  private readonly _items: (E | EndEvent | Error)[] = [];
  private _wake: () => void = () => undefined;
}

export const END: EndEvent = { event: 'end', next_cursor: null, superseded: false };

export class StandIn implements IJobsClient {
  readonly plans: Stream<PlanStep>[] = [];
  readonly feeds: Stream<Change>[] = [];
  readonly calls: string[] = [];
  readonly lookedUp: string[][] = [];
  present: Presence = { referenced: [], pinned: [] };
  listed: JobResultPage['results'] = [];
  types: HeldTypes['types'] = [];
  refusal: ErrorReport | null = null;

  plan(request: JobRequest, signal: AbortSignal): AsyncGenerator<PlanStep, EndEvent, undefined> {
    const stream = new Stream<PlanStep>(request, signal);
    this.plans.push(stream);
    return stream.events();
  }

  start(request: JobRequest): Promise<Job> {
    return this._answer(`start ${request.action}`, job('9', { state: 'waiting' }));
  }

  cancel(id: string): Promise<Job> {
    return this._answer(`cancel ${id}`, job(id, { state: 'stopping' }));
  }

  resume(id: string): Promise<Job> {
    return this._answer(`resume ${id}`, job(id, { state: 'waiting' }));
  }

  remove(id: string): Promise<Job> {
    return this._answer(`remove ${id}`, job(id, { state: 'done' }));
  }

  results(): Promise<JobResultPage> {
    return Promise.resolve({ results: this.listed, next_cursor: null });
  }

  changes(signal: AbortSignal): AsyncGenerator<Change, EndEvent, undefined> {
    const stream = new Stream<Change>(null, signal);
    this.feeds.push(stream);
    return stream.events();
  }

  presence(_label: string, ids: readonly string[]): Promise<Presence> {
    this.lookedUp.push([...ids]);
    return Promise.resolve(this.present);
  }

  held({ kind, label }: IRepositoryKey, collection: string): Promise<HeldTypes> {
    this.calls.push(`held ${kind} ${label} ${collection}`);
    return Promise.resolve({ types: this.types });
  }

  private _answer(call: string, answer: Job): Promise<Job> {
    this.calls.push(call);
    return this.refusal ? Promise.reject(new ApiError(this.refusal)) : Promise.resolve(answer);
  }
}

/** Let everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve));
}

function isEnd(event: object): event is EndEvent {
  return 'event' in event && event.event === 'end';
}
