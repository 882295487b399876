import { type Transport, within } from './transport';
import type { RunList, RunLog, RunReport } from './types';

/** Names one run of a pipeline. */
export interface IRunKey {
  /** Label of its satellite. */
  readonly label: string;
  readonly id: string;
}

/**
 * Runs of pipelines. Every method fails with an `ApiError`, or with an `AbortedError` when its signal was
 * raised.
 */
export interface IRunsClient {
  list(signal: AbortSignal): Promise<RunList>;
  report(key: IRunKey, signal: AbortSignal): Promise<RunReport>;
  /** The log of a quantum, or the end of it. */
  log(key: IRunKey, quantum: string, signal: AbortSignal): Promise<RunLog>;
}

/** Asks the backend. */
export class RunsClient implements IRunsClient {
  constructor(private readonly _transport: Transport) {}

  list(signal: AbortSignal): Promise<RunList> {
    return this._transport.get(['runs'], {}, signal);
  }

  report({ label, id }: IRunKey, signal: AbortSignal): Promise<RunReport> {
    return this._transport.get(within({ kind: 'personal', label }, 'runs', id), {}, signal);
  }

  log({ label, id }: IRunKey, quantum: string, signal: AbortSignal): Promise<RunLog> {
    return this._transport.get(within({ kind: 'personal', label }, 'runs', id, 'logs', quantum), {}, signal);
  }
}
