import { MainAreaWidget } from '@jupyterlab/apputils';
import { copyIcon, type LabIcon, refreshIcon, VDomRenderer } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { IRunKey, IRunsClient, RunFailure, RunLog } from '../api';
import { errorNotice, loadingNotice, shortSize } from '../model';
import { Notice } from '../parts';
import { trans } from '../trans';
import { Followed } from './followed';
import { LogText } from './logtext';

/** Identifier of the document with the log of a quantum. */
export function logId(quantum: string): string {
  return `python-butler-log-${quantum}`;
}

/** The log of a quantum as a document in the main area. */
export function logWidget(
  client: IRunsClient,
  key: IRunKey,
  { quantum, task, log }: RunFailure,
  icon: LabIcon,
  copyText: (text: string) => void
): MainAreaWidget<LogView> {
  const model = new Followed(signal => client.log(key, quantum, signal));
  const widget = new MainAreaWidget({ content: new LogView(model, copyText) });
  widget.id = logId(quantum);
  widget.title.label = trans.__('Log of %1', task);
  widget.title.caption = log;
  widget.title.icon = icon;
  widget.title.closable = true;
  // Asked for once, and again when a person wants to: a text that moves cannot be read.
  model.seen = true;
  return widget;
}

/** Shows a log, as far as it came. */
export class LogView extends VDomRenderer<Followed<RunLog>> {
  constructor(
    model: Followed<RunLog>,
    private readonly _copyText: (text: string) => void
  ) {
    super(model);
    this.addClass('pb-RunLog');
    this.node.tabIndex = -1;
  }

  override dispose(): void {
    this.model.dispose();
    super.dispose();
  }

  protected override render(): ReactElement {
    const { value, failure } = this.model;
    return (
      <>
        {failure ? (
          <Notice notice={errorNotice(failure)} onRetry={() => this.model.retry()} onCopy={this._copyText} />
        ) : (
          value === null && <Notice notice={loadingNotice(trans.__('the log'))} />
        )}
        {value && <Log log={value} onRefresh={() => this.model.retry()} copyText={this._copyText} />}
      </>
    );
  }
}

interface ILogProps {
  readonly log: RunLog;
  readonly onRefresh: () => void;
  readonly copyText: (text: string) => void;
}

/** The text, and what of it is not here. */
export function Log({ log, onRefresh, copyText }: ILogProps): ReactElement {
  return (
    <>
      <div className="pb-RunLog-head">
        <code>{log.path}</code>
        <span className="pb-Failure-buttons">
          <button type="button" className="pb-Button" onClick={() => copyText(log.text)}>
            <copyIcon.react tag="span" className="pb-Icon" aria-hidden="true" />
            {trans.__('Copy text')}
          </button>
          <button type="button" className="pb-Button" onClick={onRefresh}>
            <refreshIcon.react tag="span" className="pb-Icon" aria-hidden="true" />
            {trans.__('Refresh')}
          </button>
        </span>
      </div>
      {log.left_out > 0 && (
        <Notice
          notice={{
            state: 'capped',
            message: trans.__(
              'The end of a log of %1; %2 before it are not shown.',
              shortSize(log.bytes),
              shortSize(log.left_out)
            ),
            nextStep: trans.__('The whole of it is in the file named above.'),
            retry: null,
            retryAt: null,
            error: null
          }}
        />
      )}
      {log.text === '' ? (
        <Notice
          notice={{
            state: 'empty',
            message: trans.__('The log is empty.'),
            nextStep: '',
            retry: null,
            retryAt: null,
            error: null
          }}
        />
      ) : (
        <LogText text={log.text} name={trans.__('Log')} />
      )}
    </>
  );
}
