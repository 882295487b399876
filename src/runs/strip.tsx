import { Clipboard } from '@jupyterlab/apputils';
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { PipelineRun, RunList } from '../api';
import { errorNotice, exactNumber, loadingNotice } from '../model';
import { Notice, Strip } from '../parts';
import { trans } from '../trans';
import { TaskBars } from './bars';
import type { Followed } from './followed';
import { runLine, stateOf, summaryLine } from './words';

/** What can be done from the list of runs. */
export interface IRunActions {
  showReport(run: PipelineRun): void;
  showOutputs(run: PipelineRun): void;
}

/**
 * The runs of pipelines, below the jobs: nothing at all while there are none, one line while none works.
 */
export class RunsStrip extends Strip {
  constructor(
    private readonly _runs: Followed<RunList>,
    private readonly _actions: IRunActions,
    /** Told when it can be seen, and when not. */
    seen: (isSeen: boolean) => void
  ) {
    super(seen);
    this.addClass('pb-Runs');
    _runs.stateChanged.connect(this.update, this);
  }

  protected override open(): void {
    this._isOpen = true;
    this._isAskedFor = true;
  }

  protected override render(): ReactElement {
    const { value, failure } = this._runs;
    const isOpen = this._isOpen ?? value?.runs.some(run => run.working) ?? false;
    return (
      <RunsList
        list={value}
        isOpen={isOpen}
        isAskedFor={this._isAskedFor}
        onToggle={() => {
          this._isOpen = !isOpen;
          this.update();
        }}
        onReport={run => this._actions.showReport(run)}
        onOutputs={run => this._actions.showOutputs(run)}
        failure={
          failure && (
            <Notice
              notice={errorNotice(failure)}
              onRetry={() => this._runs.retry()}
              onCopy={text => Clipboard.copyToSystem(text)}
            />
          )
        }
      />
    );
  }

  /** What the person chose; before that it is open while a run works. */
  private _isOpen: boolean | null = null;
  /** Whether the person wanted to see it, so that it says so if there is nothing. */
  private _isAskedFor = false;
}

export interface IRunsListProps {
  /** Null before it is known. */
  readonly list: RunList | null;
  readonly isOpen: boolean;
  readonly isAskedFor: boolean;
  readonly failure?: ReactElement | null;
  readonly onToggle: () => void;
  readonly onReport: (run: PipelineRun) => void;
  readonly onOutputs: (run: PipelineRun) => void;
}

/** All runs, newest first. */
export function RunsList(props: IRunsListProps): ReactElement | null {
  const { list, isOpen, isAskedFor, failure = null, onToggle } = props;
  const runs = list?.runs ?? [];
  // Who never prepared a run need not learn why none can be listed.
  if (runs.length === 0 && !isAskedFor) {
    return null;
  }
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  const more = (list?.total ?? 0) - runs.length;
  return (
    <section aria-label={trans.__('Pipeline runs')}>
      <div className="pb-Jobs-bar">
        <button type="button" className="pb-Jobs-head" aria-expanded={isOpen} onClick={onToggle}>
          <Caret.react tag="span" className="pb-Caret" aria-hidden="true" />
          <span className="pb-mod-strong">{trans.__('Pipeline runs')}</span>
          {list && <span className="pb-mod-faint">{summaryLine(runs)}</span>}
        </button>
      </div>
      <p className="pb-mod-spoken" role="status">
        {spoken(runs)}
      </p>
      {isOpen && (
        <ul className="pb-Jobs-list">
          {runs.map(run => (
            <RunRow key={run.id} run={run} {...props} />
          ))}
        </ul>
      )}
      {isOpen && list === null && failure === null && (
        <Notice notice={loadingNotice(trans.__('pipeline runs'))} />
      )}
      {isOpen && list?.total === 0 && (
        <Notice
          notice={{
            ...EMPTY,
            state: 'empty',
            message: trans.__('No run of a pipeline is prepared.'),
            nextStep: trans.__('Prepare one in a notebook, or in a terminal: satellite run prepare')
          }}
        />
      )}
      {isOpen && more > 0 && (
        <Notice
          notice={{
            ...EMPTY,
            state: 'capped',
            message: trans.__('%1 older runs are not shown.', exactNumber(more)),
            nextStep: trans.__('In a terminal: satellite run list')
          }}
        />
      )}
      {failure}
    </section>
  );
}

const EMPTY = { retry: null, retryAt: null, error: null } as const;

/** What those who listen are told: states as they change, not every step. */
function spoken(runs: readonly PipelineRun[]): string {
  const [newest] = runs;
  if (!newest) {
    return '';
  }
  return newest.working
    ? trans.__('%1 is being worked on', newest.name)
    : `${newest.name}: ${runLine(newest)}`;
}

type IRunRowProps = Pick<IRunsListProps, 'onReport' | 'onOutputs'> & { readonly run: PipelineRun };

function RunRow({ run, onReport, onOutputs }: IRunRowProps): ReactElement {
  const state = stateOf(run);
  return (
    <li className="pb-Job pb-Run" data-state={state} data-run={run.id}>
      <div className="pb-Job-top">
        <span className="pb-Job-name" title={[run.output_run, run.directory].join('\n')}>
          {run.name}
        </span>
        <span className="pb-mod-faint">{run.label}</span>
        <span className="pb-mod-faint" title={run.directory}>
          {dateOf(run)}
        </span>
      </div>
      {state !== 'succeeded' && state !== 'prepared' && run.tasks.length > 0 && (
        <TaskBars tasks={run.tasks} />
      )}
      <div className="pb-Job-line">
        <span className="pb-Job-state">{runLine(run)}</span>
        {run.problem && (
          <span className="pb-Job-error">
            {run.problem.message} {run.problem.next_step}
          </span>
        )}
        <span className="pb-Job-actions">
          {run.collected !== 'nothing' && (
            <button
              type="button"
              className="pb-Link"
              aria-label={trans.__('Show outputs: %1', run.name)}
              onClick={() => onOutputs(run)}
            >
              {trans.__('Outputs')}
            </button>
          )}
          <button
            type="button"
            className="pb-Link"
            aria-label={trans.__('Report: %1', run.name)}
            onClick={() => onReport(run)}
          >
            {trans.__('Report')}
          </button>
        </span>
      </div>
    </li>
  );
}

/** When it was prepared, by the person's clock. */
export function dateOf({ created }: PipelineRun): string {
  return new Date(created).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' });
}
