import { type ISignal, Signal } from '@lumino/signaling';

import {
  AbortedError,
  type ErrorReport,
  type IJobsClient,
  type JobPlan,
  type JobProgress,
  type JobRequest,
  reportOf
} from '../api';

/** How far it is known what a job would do. */
export type PlanState =
  /** Something is still to be said. */
  | { readonly status: 'unasked' }
  | {
      readonly status: 'asking';
      readonly progress: JobProgress | null;
      /** When a busy server is asked again, in milliseconds since the epoch. */
      readonly busyUntil: number | null;
    }
  | { readonly status: 'planned'; readonly plan: JobPlan; readonly request: JobRequest }
  | { readonly status: 'superseded' }
  | { readonly status: 'failed'; readonly error: ErrorReport };

/**
 * What one job would do: asked for anew whenever something else is asked for.
 */
export class PlanModel {
  constructor(private readonly _client: IJobsClient) {}

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get state(): PlanState {
    return this._state;
  }

  /** Find out what this would do, or nothing if there is nothing to ask. */
  ask(request: JobRequest | null): void {
    this._running?.abort();
    this._request = request;
    if (request === null) {
      this._running = null;
      this._set({ status: 'unasked' });
      return;
    }
    this._running = new AbortController();
    void this._ask(request, this._running);
  }

  /** Ask the same again. */
  retry(): void {
    this.ask(this._request);
  }

  dispose(): void {
    this._running?.abort();
    Signal.clearData(this);
  }

  private async _ask(request: JobRequest, running: AbortController): Promise<void> {
    this._set({ status: 'asking', progress: null, busyUntil: null });
    let plan: JobPlan | null = null;
    let next: PlanState;
    try {
      const steps = this._client.plan(request, running.signal);
      let step = await steps.next();
      while (!step.done && !running.signal.aborted) {
        if (step.value.event === 'plan') {
          plan = step.value.plan;
        } else if (step.value.event === 'busy') {
          const busyUntil = Date.now() + step.value.retry_in * 1000;
          this._set({ status: 'asking', progress: null, busyUntil });
        } else {
          this._set({ status: 'asking', progress: step.value.progress, busyUntil: null });
        }
        step = await steps.next();
      }
      next = plan === null ? { status: 'superseded' } : { status: 'planned', plan, request };
    } catch (reason) {
      if (reason instanceof AbortedError) {
        return;
      }
      next = { status: 'failed', error: reportOf(reason) };
    }
    // What was asked for before must not stand where something else is meant now.
    if (this._running === running) {
      this._running = null;
      this._set(next);
    }
  }

  private _set(state: PlanState): void {
    this._state = state;
    this._stateChanged.emit();
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private _state: PlanState = { status: 'unasked' };
  private _request: JobRequest | null = null;
  private _running: AbortController | null = null;
}
