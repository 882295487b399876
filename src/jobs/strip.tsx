import { Clipboard } from '@jupyterlab/apputils';
import { caretDownIcon, caretRightIcon, closeIcon, stopIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { Job } from '../api';
import { errorNotice } from '../model';
import { Notice, Strip } from '../parts';
import { trans } from '../trans';
import type { JobsModel } from './jobs';
import { hasEnded, jobLine, jobName } from './words';

/** What can be done from the list of jobs. */
export interface IJobActions {
  showResults(job: Job): void;
}

/**
 * The jobs, at the bottom of the panel: nothing at all while there are none.
 */
export class JobsStrip extends Strip {
  constructor(
    private readonly _jobs: JobsModel,
    private readonly _actions: IJobActions,
    /** Told when it can be seen, and when not. */
    seen: (isSeen: boolean) => void
  ) {
    super(seen);
    _jobs.stateChanged.connect(this.update, this);
  }

  protected override open(): void {
    this._isOpen = true;
  }

  protected override render(): ReactElement {
    const { jobs, failure } = this._jobs;
    return (
      <JobList
        jobs={jobs}
        isOpen={this._isOpen}
        onToggle={() => {
          this._isOpen = !this._isOpen;
          this.update();
        }}
        onStop={({ id }) => void this._jobs.cancel(id)}
        onResume={({ id }) => void this._jobs.resume(id)}
        onRemove={({ id }) => void this._jobs.remove(id)}
        onClear={() => void this._jobs.clear()}
        onResults={job => this._actions.showResults(job)}
        failure={
          failure && <Notice notice={errorNotice(failure)} onCopy={text => Clipboard.copyToSystem(text)} />
        }
      />
    );
  }

  private _isOpen = true;
}

export interface IJobListProps {
  readonly jobs: readonly Job[];
  readonly isOpen: boolean;
  readonly failure?: ReactElement | null;
  readonly onToggle: () => void;
  readonly onStop: (job: Job) => void;
  readonly onResume: (job: Job) => void;
  readonly onRemove: (job: Job) => void;
  readonly onClear: () => void;
  readonly onResults: (job: Job) => void;
}

/** All jobs, newest first. */
export function JobList(props: IJobListProps): ReactElement | null {
  const { jobs, isOpen, failure = null, onToggle, onClear } = props;
  if (jobs.length === 0 && failure === null) {
    return null;
  }
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  const ended = jobs.filter(hasEnded);
  return (
    <section aria-label={trans.__('Jobs')}>
      <div className="pb-Jobs-bar">
        <button type="button" className="pb-Jobs-head" aria-expanded={isOpen} onClick={onToggle}>
          <Caret.react tag="span" className="pb-Caret" aria-hidden="true" />
          <span className="pb-mod-strong">{trans.__('Jobs')}</span>
          <span className="pb-mod-faint">{summary(jobs)}</span>
        </button>
        {isOpen && ended.length > 1 && (
          <button type="button" className="pb-Link" onClick={onClear}>
            {trans.__('Clear ended')}
          </button>
        )}
      </div>
      <p className="pb-mod-spoken" role="status">
        {spoken(jobs)}
      </p>
      {isOpen && (
        <ul className="pb-Jobs-list">
          {jobs.map(job => (
            <JobRow key={job.id} job={job} {...props} />
          ))}
        </ul>
      )}
      {failure}
    </section>
  );
}

function summary(jobs: readonly Job[]): string {
  const running = jobs.filter(({ state }) => state === 'running' || state === 'stopping').length;
  const waiting = jobs.filter(({ state }) => state === 'waiting').length;
  const parts = [
    ...(running > 0 ? [trans._n('%1 running', '%1 running', running)] : []),
    ...(waiting > 0 ? [trans._n('%1 waiting', '%1 waiting', waiting)] : [])
  ];
  return parts.length > 0 ? parts.join(' · ') : trans._n('%1 ended', '%1 ended', jobs.length);
}

/** What those who listen are told: the newest news, not every step. */
function spoken(jobs: readonly Job[]): string {
  const [newest] = jobs;
  if (!newest) {
    return '';
  }
  return newest.state === 'running' && newest.progress
    ? trans.__('%1 is running', jobName(newest))
    : `${jobName(newest)}: ${jobLine(newest)}`;
}

type IJobRowProps = Omit<IJobListProps, 'jobs' | 'isOpen' | 'onToggle' | 'onClear'> & { readonly job: Job };

function JobRow({ job, onStop, onResume, onRemove, onResults }: IJobRowProps): ReactElement {
  const name = jobName(job);
  const isEnded = hasEnded(job);
  const hasResults = Object.keys(job.counts).length > 0;
  return (
    <li className="pb-Job" data-state={job.state} data-job={job.id}>
      <div className="pb-Job-top">
        <span
          className="pb-Job-name"
          title={[name, job.collection ?? '', job.label].filter(Boolean).join('\n')}
        >
          {name}
        </span>
        <span className="pb-mod-faint">{job.label}</span>
        {isEnded ? (
          <button
            type="button"
            className="pb-IconButton"
            aria-label={trans.__('Remove from the list: %1', name)}
            title={trans.__('Remove from the list')}
            onClick={() => onRemove(job)}
          >
            <closeIcon.react tag="span" />
          </button>
        ) : (
          <button
            type="button"
            className="pb-IconButton"
            aria-label={trans.__('Stop: %1', name)}
            title={trans.__('Stop; what is done stays')}
            disabled={job.state === 'stopping'}
            onClick={() => onStop(job)}
          >
            <stopIcon.react tag="span" />
          </button>
        )}
      </div>
      {!isEnded && job.state !== 'waiting' && <Bar job={job} />}
      <div className="pb-Job-line">
        <span className="pb-Job-state">{jobLine(job)}</span>
        {job.error && (
          <span className="pb-Job-error">
            {job.error.message} {job.error.next_step}
          </span>
        )}
        {job.notes.map(note => (
          <span key={note} className="pb-mod-faint">
            {note}
          </span>
        ))}
        {isEnded && (hasResults || job.resumable) && (
          <span className="pb-Job-actions">
            {job.resumable && (
              <button
                type="button"
                className="pb-Link"
                aria-label={`${resumeWord(job)}: ${name}`}
                onClick={() => onResume(job)}
              >
                {resumeWord(job)}
              </button>
            )}
            {hasResults && (
              <button
                type="button"
                className="pb-Link"
                aria-label={trans.__('Results: %1', name)}
                onClick={() => onResults(job)}
              >
                {trans.__('Results')}
              </button>
            )}
          </span>
        )}
      </div>
    </li>
  );
}

function resumeWord({ state }: Job): string {
  return state === 'failed' ? trans.__('Retry') : trans.__('Resume');
}

/** How far it is; without a number while nobody knows. */
function Bar({ job }: { readonly job: Job }): ReactElement {
  const total = job.progress?.total ?? null;
  const done = job.progress?.done ?? 0;
  const isKnown = total !== null && total > 0;
  const percent = isKnown ? Math.min(100, Math.round((100 * done) / total)) : 0;
  return (
    <div
      className={`pb-Bar${isKnown ? '' : ' pb-mod-unknown'}`}
      role="progressbar"
      aria-label={jobName(job)}
      aria-valuetext={jobLine(job)}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(isKnown ? { 'aria-valuenow': percent } : {})}
    >
      <div style={{ width: isKnown ? `${percent}%` : '30%' }} />
    </div>
  );
}
