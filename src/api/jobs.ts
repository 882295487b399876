import { type IRepositoryKey, type Transport, within } from './transport';
import type {
  ChangeEvent,
  EndEvent,
  HeldTypes,
  Job,
  JobRequest,
  JobResultPage,
  JobResultStatus,
  PlanEvent,
  Presence
} from './types';

/** What the stream of a plan tells before it ends. */
export type PlanStep = Exclude<PlanEvent, { event: 'end' | 'error' }>;

/** What is told of jobs and of personal repositories as it changes. */
export type Change = Exclude<ChangeEvent, { event: 'end' | 'error' }>;

/** Which results of a job are wanted. */
export interface IResultsWanted {
  readonly cursor: string | null;
  readonly status: JobResultStatus | null;
  readonly limit: number;
}

/**
 * The jobs of the backend. Every method fails with an `ApiError`, or with an `AbortedError` when its signal
 * was raised.
 */
export interface IJobsClient {
  /** What a job would do, and how much; nothing is written. */
  plan(request: JobRequest, signal: AbortSignal): AsyncGenerator<PlanStep, EndEvent, undefined>;
  start(request: JobRequest, signal: AbortSignal): Promise<Job>;
  cancel(id: string, signal: AbortSignal): Promise<Job>;
  resume(id: string, signal: AbortSignal): Promise<Job>;
  remove(id: string, signal: AbortSignal): Promise<Job>;
  results(id: string, wanted: IResultsWanted, signal: AbortSignal): Promise<JobResultPage>;
  /** How everything stands, then every change, without end. */
  changes(signal: AbortSignal): AsyncGenerator<Change, EndEvent, undefined>;
  /** Which of some datasets a satellite has. */
  presence(label: string, ids: readonly string[], signal: AbortSignal): Promise<Presence>;
  /** How many official datasets of each type in a collection the satellite of this label has. */
  held(key: IRepositoryKey, collection: string, signal: AbortSignal): Promise<HeldTypes>;
}

/** Asks the backend. */
export class JobsClient implements IJobsClient {
  constructor(private readonly _transport: Transport) {}

  plan(request: JobRequest, signal: AbortSignal): AsyncGenerator<PlanStep, EndEvent, undefined> {
    return this._transport.events<PlanEvent>(['jobs', 'plan'], {}, signal, request);
  }

  start(request: JobRequest, signal: AbortSignal): Promise<Job> {
    return this._transport.send('POST', ['jobs'], request, signal);
  }

  cancel(id: string, signal: AbortSignal): Promise<Job> {
    return this._transport.send('POST', ['jobs', id, 'cancel'], {}, signal);
  }

  resume(id: string, signal: AbortSignal): Promise<Job> {
    return this._transport.send('POST', ['jobs', id, 'resume'], {}, signal);
  }

  remove(id: string, signal: AbortSignal): Promise<Job> {
    return this._transport.send('DELETE', ['jobs', id], {}, signal);
  }

  results(id: string, wanted: IResultsWanted, signal: AbortSignal): Promise<JobResultPage> {
    const { cursor, status, limit } = wanted;
    return this._transport.get(['jobs', id, 'results'], { cursor, status, limit }, signal);
  }

  changes(signal: AbortSignal): AsyncGenerator<Change, EndEvent, undefined> {
    return this._transport.events<ChangeEvent>(['changes'], {}, signal);
  }

  presence(label: string, ids: readonly string[], signal: AbortSignal): Promise<Presence> {
    const key: IRepositoryKey = { kind: 'personal', label };
    return this._transport.send('POST', within(key, 'presence'), { ids }, signal);
  }

  held(key: IRepositoryKey, collection: string, signal: AbortSignal): Promise<HeldTypes> {
    return this._transport.get(within(key, 'held'), { collection }, signal);
  }
}
