import { MainAreaWidget } from '@jupyterlab/apputils';
import { copyIcon, type LabIcon, VDomRenderer } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { type ReactElement, useId } from 'react';

import type { IRunKey, IRunsClient, PipelineRun, RunFailure, RunReport, TaskProgress } from '../api';
import { errorNotice, exactNumber, loadingNotice } from '../model';
import { Notice } from '../parts';
import { trans } from '../trans';
import { TaskBar } from './bars';
import { Followed } from './followed';
import { LogText } from './logtext';
import { dateOf } from './strip';
import { countsOf, QUANTUM_STATES, runLine, stateMeaning, stateOf, stateWord } from './words';

/** What can be done from a report. */
export interface IReportActions {
  showOutputs(run: PipelineRun): void;
  showLog(run: PipelineRun, failure: RunFailure): void;
  copyText(text: string): void;
}

/** Identifier of the document with the report of a run. */
export function reportId({ label, id }: IRunKey): string {
  return `python-butler-run-${label}-${id}`;
}

/** The report of a run as a document in the main area. */
export function reportWidget(
  client: IRunsClient,
  key: IRunKey,
  actions: IReportActions,
  icon: LabIcon
): MainAreaWidget<ReportView> {
  const content = new ReportView(new Followed(signal => client.report(key, signal)), key, actions);
  const widget = new MainAreaWidget({ content });
  widget.id = reportId(key);
  widget.title.label = trans.__('Pipeline run');
  widget.title.icon = icon;
  widget.title.closable = true;
  content.model.stateChanged.connect(({ value }) => {
    if (value) {
      widget.title.label = value.run.name;
      widget.title.caption = trans.__('Report of the pipeline run %1', value.run.output_run);
    }
  });
  return widget;
}

/** Shows what became of a run; follows it while it can be seen. */
export class ReportView extends VDomRenderer<Followed<RunReport>> {
  constructor(
    model: Followed<RunReport>,
    readonly key: IRunKey,
    private readonly _actions: IReportActions
  ) {
    super(model);
    this.addClass('pb-RunReport');
    this.node.tabIndex = -1;
  }

  override dispose(): void {
    this.model.dispose();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.model.seen = this.isVisible;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.seen = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.model.seen = false;
  }

  protected override render(): ReactElement {
    const { value, failure } = this.model;
    return (
      <>
        {failure ? (
          <Notice
            notice={errorNotice(failure)}
            onRetry={() => this.model.retry()}
            onCopy={text => this._actions.copyText(text)}
          />
        ) : (
          value === null && <Notice notice={loadingNotice(trans.__('the report'))} />
        )}
        {value && <Report report={value} actions={this._actions} />}
      </>
    );
  }
}

/** How a run stands, its tasks, and what failed. */
export function Report({
  report,
  actions
}: {
  readonly report: RunReport;
  readonly actions: IReportActions;
}): ReactElement {
  const { run, failures, more_failures: more } = report;
  return (
    <>
      <div className="pb-Results-head">
        <h2>{run.name}</h2>
        <span className="pb-RunReport-state" data-state={stateOf(run)} role="status">
          {runLine(run)}
        </span>
      </div>
      <Facts run={run} />
      <NextSteps report={report} actions={actions} />
      <TaskTable tasks={run.tasks} />
      {failures.length > 0 && (
        <section aria-label={trans.__('Failures')}>
          <h3>{trans._n('%1 failure', '%1 failures', failures.length + more)}</h3>
          <ul className="pb-Failures">
            {failures.map(failure => (
              <Failure
                key={failure.quantum}
                failure={failure}
                onLog={() => actions.showLog(run, failure)}
                onCopy={() => actions.copyText(failure.command)}
              />
            ))}
          </ul>
        </section>
      )}
      {more > 0 && (
        <Notice
          notice={{
            state: 'capped',
            message: trans.__('%1 more failures are not shown.', exactNumber(more)),
            nextStep: trans.__('In a terminal: %1', report.commands.report),
            retry: null,
            retryAt: null,
            error: null
          }}
        />
      )}
    </>
  );
}

function Facts({ run }: { readonly run: PipelineRun }): ReactElement {
  const facts: [string, string][] = [
    [trans.__('Outputs'), run.output_run],
    [trans.__('Repository'), trans.__('my %1', run.label)],
    [trans.__('Pipeline'), run.pipeline],
    [trans.__('Prepared'), dateOf(run)],
    [trans.__('Directory'), run.directory]
  ];
  return (
    <dl className="pb-Fields">
      {facts.map(([name, value]) => (
        <div key={name} className="pb-Field">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What can be done with the run now: see its outputs, or what to type in a terminal. */
function NextSteps({
  report: { run, commands },
  actions
}: {
  readonly report: RunReport;
  readonly actions: IReportActions;
}): ReactElement {
  const state = stateOf(run);
  const counts = countsOf(run.tasks);
  const canStart = !run.working && counts.succeeded < counts.total;
  const canCollect = !run.working && counts.succeeded > 0 && run.collected !== 'all';
  return (
    <div className="pb-RunReport-steps">
      {run.collected !== 'nothing' && (
        <button type="button" className="pb-Button pb-mod-accept" onClick={() => actions.showOutputs(run)}>
          {trans.__('Show outputs')}
        </button>
      )}
      {canStart && (
        <Command
          text={
            state === 'prepared' ? trans.__('To start it:') : trans.__('To go on, and try again what failed:')
          }
          command={commands.start}
          copyText={actions.copyText}
        />
      )}
      {canCollect && (
        <Command
          text={
            run.collected === 'nothing'
              ? trans.__('The outputs are not collected yet. To have them in your repository:')
              : trans.__('Not all outputs are collected. To have what was made since:')
          }
          command={commands.collect}
          copyText={actions.copyText}
        />
      )}
    </div>
  );
}

interface ICommandProps {
  readonly text: string;
  readonly command: string;
  readonly copyText: (text: string) => void;
}

/** Something to type in a terminal. */
function Command({ text, command, copyText }: ICommandProps): ReactElement {
  return (
    <p className="pb-Command">
      {text} <code>{command}</code>{' '}
      <button
        type="button"
        className="pb-IconButton"
        aria-label={trans.__('Copy command: %1', command)}
        title={trans.__('Copy command')}
        onClick={() => copyText(command)}
      >
        <copyIcon.react tag="span" />
      </button>
    </p>
  );
}

/** Tasks, and how many of their quanta are in which state; states that none is in have no column. */
function TaskTable({ tasks }: { readonly tasks: readonly TaskProgress[] }): ReactElement {
  const states = QUANTUM_STATES.filter(state => tasks.some(task => task[state] > 0));
  return (
    <div className="pb-RunReport-tasks" tabIndex={0} role="region" aria-label={trans.__('Tasks')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Task')}</th>
            <th scope="col">{trans.__('Progress')}</th>
            <th scope="col" className="pb-mod-number">
              {trans.__('Quanta')}
            </th>
            {states.map(state => (
              <th key={state} scope="col" className="pb-mod-number" title={stateMeaning(state)}>
                {stateWord(state)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {tasks.map(task => (
            <tr key={task.task}>
              <th scope="row">{task.task}</th>
              <td className="pb-RunReport-bar">
                <TaskBar task={task} />
              </td>
              <td className="pb-mod-number">{exactNumber(task.total)}</td>
              {states.map(state => (
                <td key={state} className="pb-mod-number" data-quanta={state}>
                  {task[state] > 0 ? exactNumber(task[state]) : ''}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface IFailureProps {
  readonly failure: RunFailure;
  readonly onLog: () => void;
  readonly onCopy: () => void;
}

/** One quantum that failed, with the end of its log. */
function Failure({ failure, onLog, onCopy }: IFailureProps): ReactElement {
  const id = useId();
  const dataId = Object.entries(failure.data_id)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
  const name = `${failure.task}, ${dataId}`;
  return (
    <li className="pb-Failure" data-quantum={failure.quantum}>
      <div className="pb-Failure-head">
        <h4 id={id}>{failure.task}</h4>
        <span>{dataId}</span>
        <span className="pb-Failure-buttons">
          {failure.lines.length > 0 && (
            <button
              type="button"
              className="pb-Button"
              aria-label={trans.__('Open log: %1', name)}
              onClick={onLog}
            >
              {trans.__('Open log')}
            </button>
          )}
          <button
            type="button"
            className="pb-Button"
            title={failure.command}
            aria-label={trans.__('Copy command to rerun: %1', name)}
            onClick={onCopy}
          >
            {trans.__('Copy command to rerun')}
          </button>
        </span>
      </div>
      <p className="pb-Failure-error">
        {failure.state === 'nothing' && failure.error === ''
          ? trans.__('It ended without an error and without outputs.')
          : failure.error}
      </p>
      {failure.lines.length > 0 && (
        <LogText text={failure.lines.join('\n')} name={trans.__('End of the log of %1', name)} />
      )}
    </li>
  );
}
