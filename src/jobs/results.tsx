import { Clipboard, MainAreaWidget } from '@jupyterlab/apputils';
import { copyIcon, type LabIcon, VDomRenderer } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import type { ReactElement } from 'react';

import {
  AbortedError,
  type IJobsClient,
  type Job,
  type JobResult,
  type JobResultStatus,
  reportOf
} from '../api';
import { errorNotice, exactNumber, exactSize, type INotice, shortSize } from '../model';
import { Notice } from '../parts';
import { trans } from '../trans';
import { countsLine, jobName, resultWord, STATUSES } from './words';

/** Results that are shown at a time. */
const PAGE = 200;

/** Results that are fetched at a time to be copied. */
const COPIED = 5_000;

/**
 * What became of each dataset of one job: a page at a time, so that many cost no more than few.
 */
export class ResultsModel {
  constructor(
    private readonly _client: IJobsClient,
    readonly job: Job
  ) {
    void this._load();
  }

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._abort.signal.aborted;
  }

  get results(): readonly JobResult[] {
    return this._results;
  }

  get status(): JobResultStatus | null {
    return this._status;
  }

  /** Number of the first result that is shown, from 1 on. */
  get first(): number {
    return (this._before.length - 1) * PAGE + 1;
  }

  get hasMore(): boolean {
    return this._next !== null;
  }

  get notice(): INotice | null {
    return this._notice;
  }

  /** Show only results of one kind, or all. */
  filter(status: JobResultStatus | null): void {
    this._status = status;
    this._before = [null];
    void this._load();
  }

  forward(): void {
    if (this._next !== null) {
      this._before.push(this._next);
      void this._load();
    }
  }

  back(): void {
    if (this._before.length > 1) {
      this._before.pop();
      void this._load();
    }
  }

  retry(): void {
    void this._load();
  }

  /** All results of the kind that is shown, as a table that spreadsheets and programs read. */
  async text(): Promise<string> {
    const lines = [['status', 'dataset_type', 'data_id', 'run', 'id', 'bytes', 'reason'].join('\t')];
    let cursor: string | null = null;
    do {
      const wanted = { cursor, status: this._status, limit: COPIED };
      const page: Awaited<ReturnType<IJobsClient['results']>> = await this._client.results(
        this.job.id,
        wanted,
        this._abort.signal
      );
      for (const each of page.results) {
        const cells = [resultWord(this.job.action, each.status), each.dataset_type, dataIdOf(each), each.run];
        lines.push([...cells, each.id ?? '', String(each.bytes ?? ''), each.reason].join('\t'));
      }
      cursor = page.next_cursor;
    } while (cursor !== null);
    return lines.join('\n');
  }

  dispose(): void {
    this._abort.abort();
    Signal.clearData(this);
  }

  private async _load(): Promise<void> {
    const asked = ++this._asked;
    const wanted = { cursor: this._before.at(-1) ?? null, status: this._status, limit: PAGE };
    try {
      const page = await this._client.results(this.job.id, wanted, this._abort.signal);
      if (asked === this._asked) {
        this._results = page.results;
        this._next = page.next_cursor;
        this._notice = null;
      }
    } catch (reason) {
      if (reason instanceof AbortedError || asked !== this._asked) {
        return;
      }
      this._notice = errorNotice(reportOf(reason));
    }
    this._stateChanged.emit();
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _abort = new AbortController();
  private _results: readonly JobResult[] = [];
  private _status: JobResultStatus | null = null;
  /** Where the pages so far begin. */
  private _before: (string | null)[] = [null];
  private _next: string | null = null;
  private _notice: INotice | null = null;
  private _asked = 0;
}

/** The results of a job as a document in the main area. */
export function resultsWidget(client: IJobsClient, job: Job, icon: LabIcon): MainAreaWidget<ResultsView> {
  const content = new ResultsView(new ResultsModel(client, job));
  const widget = new MainAreaWidget({ content });
  widget.id = `python-butler-results-${job.id}`;
  widget.title.label = jobName(job);
  widget.title.caption = trans.__('Results of a job: %1', countsLine(job));
  widget.title.icon = icon;
  widget.title.closable = true;
  return widget;
}

/** Shows what became of each dataset. */
export class ResultsView extends VDomRenderer<ResultsModel> {
  constructor(model: ResultsModel) {
    super(model);
    this.addClass('pb-Results');
    this.node.tabIndex = -1;
  }

  override dispose(): void {
    this.model.dispose();
    super.dispose();
  }

  protected override render(): ReactElement {
    return <Results model={this.model} results={this.model.results} notice={this.model.notice} />;
  }
}

interface IResultsProps {
  readonly model: ResultsModel;
  readonly results: readonly JobResult[];
  readonly notice: INotice | null;
}

/** A choice of kinds, the results, and the way to further ones. */
export function Results({ model, results, notice }: IResultsProps): ReactElement {
  const { job } = model;
  const hasReasons = results.some(({ reason }) => reason !== '');
  const kinds = STATUSES.filter(status => (job.counts[status] ?? 0) > 0);
  const copy = async (): Promise<void> => Clipboard.copyToSystem(await model.text());
  return (
    <>
      <div className="pb-Results-head">
        <h2>{jobName(job)}</h2>
        <span className="pb-mod-faint">{countsLine(job)}</span>
      </div>
      <div className="pb-Results-bar">
        <div role="group" aria-label={trans.__('Which results are shown')} className="pb-Results-kinds">
          <Kind model={model} status={null} />
          {kinds.map(status => (
            <Kind key={status} model={model} status={status} />
          ))}
        </div>
        <button type="button" className="pb-Button" onClick={() => void copy()}>
          <copyIcon.react tag="span" className="pb-Icon" aria-hidden="true" />
          {trans.__('Copy as table')}
        </button>
      </div>
      {notice && (
        <Notice notice={notice} onRetry={() => model.retry()} onCopy={text => Clipboard.copyToSystem(text)} />
      )}
      <div className="pb-Results-rows" tabIndex={0} role="region" aria-label={trans.__('Results')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{trans.__('Result')}</th>
              <th scope="col">{trans.__('Data ID')}</th>
              <th scope="col" className="pb-mod-number">
                {trans.__('Size')}
              </th>
              <th scope="col">{trans.__('Run')}</th>
              {hasReasons && <th scope="col">{trans.__('Reason')}</th>}
            </tr>
          </thead>
          <tbody>
            {results.map((result, index) => (
              <tr key={result.id ?? index} data-status={result.status}>
                <td className="pb-Results-status">{resultWord(job.action, result.status)}</td>
                <td title={result.id ?? ''}>{dataIdOf(result) || result.dataset_type}</td>
                <td className="pb-mod-number" title={result.bytes === null ? '' : exactSize(result.bytes)}>
                  {result.bytes === null ? '' : shortSize(result.bytes)}
                </td>
                <td>{result.run}</td>
                {hasReasons && <td>{result.reason}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(model.first > 1 || model.hasMore) && (
        <div className="pb-Results-foot">
          <button
            type="button"
            className="pb-Button"
            disabled={model.first <= 1}
            onClick={() => model.back()}
          >
            {trans.__('Previous')}
          </button>
          <span role="status">
            {trans.__('%1 to %2', exactNumber(model.first), exactNumber(model.first + results.length - 1))}
          </span>
          <button
            type="button"
            className="pb-Button"
            disabled={!model.hasMore}
            onClick={() => model.forward()}
          >
            {trans.__('Next')}
          </button>
        </div>
      )}
    </>
  );
}

function Kind({
  model,
  status
}: {
  readonly model: ResultsModel;
  readonly status: JobResultStatus | null;
}): ReactElement {
  const { job } = model;
  const count =
    status === null
      ? Object.values(job.counts).reduce((sum, each) => sum + each, 0)
      : (job.counts[status] ?? 0);
  return (
    <button
      type="button"
      className="pb-Button"
      aria-pressed={model.status === status}
      onClick={() => model.filter(status)}
    >
      {status === null ? trans.__('all') : resultWord(job.action, status)} {exactNumber(count)}
    </button>
  );
}

function dataIdOf({ data_id: dataId }: JobResult): string {
  return Object.entries(dataId)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
