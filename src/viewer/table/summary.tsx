import { closeIcon } from '@jupyterlab/ui-components';
import { type FormEvent, Fragment, type ReactElement, useState } from 'react';

import type { ColumnSummary, RowFilter, TableColumn } from '../../api';
import { cancelledNotice, counted, errorNotice, exactNumber, loadingNotice } from '../../model';
import { Notice } from '../../parts';
import { trans } from '../../trans';
import { cellOf } from './cells';
import { edgeText, HistogramPlot } from './histogram';
import type { TableModel } from './model';

export interface ISummaryProps {
  readonly model: TableModel;
  readonly version: number;
  readonly onCopyText: (text: string) => void;
}

/** Everything about one column: what it is, statistics, and its values as bars that filter. */
export function Summary({ model, onCopyText }: ISummaryProps): ReactElement | null {
  const column = model.current === null ? undefined : model.column(model.current);
  if (!column) {
    return null;
  }
  const { summary } = model;
  return (
    <>
      <div className="pb-TableSummary-title">
        <span>
          <span className="pb-mod-strong">{column.name}</span>
          <span className="pb-mod-faint">
            {' '}
            {column.type}
            {column.unit && ` · ${column.unit}`}
          </span>
        </span>
        <button
          type="button"
          className="pb-IconButton"
          title={trans.__('Close the statistics')}
          aria-label={trans.__('Close the statistics')}
          onClick={() => model.inspect(null)}
        >
          <closeIcon.react tag="span" aria-hidden="true" />
        </button>
      </div>
      {column.description && <p className="pb-TableSummary-doc">{column.description}</p>}
      {(summary.status === 'loading' || summary.status === 'unasked') && (
        <Notice notice={loadingNotice(trans.__('the statistics'))} onCancel={() => model.cancel()} />
      )}
      {summary.status === 'cancelled' && (
        <Notice notice={cancelledNotice(trans.__('the statistics'))} onRetry={() => model.retrySummary()} />
      )}
      {summary.status === 'failed' && (
        <Notice
          notice={errorNotice(summary.error, summary.retryAt)}
          onRetry={() => model.retrySummary()}
          onCopy={onCopyText}
        />
      )}
      {summary.status === 'loaded' && <Known model={model} column={column} summary={summary.value} />}
    </>
  );
}

interface IKnownProps {
  readonly model: TableModel;
  readonly column: TableColumn;
  readonly summary: ColumnSummary;
}

function Known({ model, column, summary }: IKnownProps): ReactElement {
  const { considered, total, rows } = summary;
  return (
    <>
      {summary.histogram && <Histogram model={model} column={column} summary={summary} />}
      <Statistics column={column} summary={summary} />
      {summary.common.length > 0 && <Common model={model} column={column} summary={summary} />}
      <p className="pb-mod-faint" role="status">
        {trans.__('Of %1', counted(rows, 'row'))}
        {considered < total &&
          ` ${trans.__('among the first %1 of %2', exactNumber(considered), exactNumber(total))}`}
      </p>
    </>
  );
}

function Histogram({ model, column, summary }: IKnownProps): ReactElement | null {
  const [logCounts, setLogCounts] = useState(false);
  const { histogram } = summary;
  const filter = model.filters.find(one => one.column === column.name);
  const { scale, range } = model.histogram;
  if (!histogram) {
    return null;
  }
  const keep = (low: number | null, high: number | null): void =>
    model.filter({ column: column.name, low, high, values: null });
  const outside = histogram.below + histogram.above;
  return (
    <>
      <HistogramPlot
        histogram={histogram}
        kind={column.kind}
        unit={column.unit}
        logCounts={logCounts}
        range={filter ? [filter.low, filter.high] : null}
        onRange={keep}
      />
      <div className="pb-TableSummary-options" role="group" aria-label={trans.__('Histogram')}>
        <Toggle label={trans.__('log counts')} on={logCounts} onChange={setLogCounts} />
        {column.kind !== 'time' && Number(summary.max) > 0 && (
          <Toggle
            label={trans.__('log values')}
            on={scale === 'log'}
            onChange={on => model.setHistogram({ scale: on ? 'log' : 'linear' })}
          />
        )}
        <Toggle
          label={trans.__('all values')}
          title={trans.__('Also the outermost values, if a few are far from all others')}
          on={range === 'all'}
          onChange={on => model.setHistogram({ range: on ? 'all' : 'most' })}
        />
      </div>
      {outside > 0 && (
        <p className="pb-mod-faint">
          {trans.__(
            'Outside: %1 below, %2 above',
            exactNumber(histogram.below),
            exactNumber(histogram.above)
          )}
        </p>
      )}
      <RangeForm key={column.name} kind={column.kind} filter={filter} onKeep={keep} />
    </>
  );
}

interface IToggleProps {
  readonly label: string;
  readonly title?: string;
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
}

function Toggle({ label, title, on, onChange }: IToggleProps): ReactElement {
  return (
    <label className="pb-Check" title={title}>
      <input type="checkbox" checked={on} onChange={event => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

interface IRangeFormProps {
  readonly kind: TableColumn['kind'];
  readonly filter: RowFilter | undefined;
  readonly onKeep: (low: number | null, high: number | null) => void;
}

/** The same as dragging over the bars, for the keyboard and for round numbers. */
function RangeForm({ kind, filter, onKeep }: IRangeFormProps): ReactElement {
  const shown = (value: number | null | undefined): string =>
    value === null || value === undefined ? '' : edgeText(value, kind);
  const [low, setLow] = useState(shown(filter?.low));
  const [high, setHigh] = useState(shown(filter?.high));
  // A range that was dragged over the bars is in the fields, too.
  const [known, setKnown] = useState(filter);
  if (filter !== known) {
    setKnown(filter);
    setLow(shown(filter?.low));
    setHigh(shown(filter?.high));
  }
  const bounds = [low, high].map(text => parsed(text, kind));
  const isGood = bounds.every(bound => bound === null || !Number.isNaN(bound)) && (low || high) !== '';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isGood) {
      onKeep(bounds[0] ?? null, bounds[1] ?? null);
    }
  };
  return (
    <form className="pb-TableSummary-range" onSubmit={submit}>
      <input
        className="pb-Input"
        aria-label={trans.__('Smallest value to keep')}
        placeholder={trans.__('from')}
        value={low}
        onChange={event => setLow(event.currentTarget.value)}
      />
      <input
        className="pb-Input"
        aria-label={trans.__('Largest value to keep')}
        placeholder={trans.__('to')}
        value={high}
        onChange={event => setHigh(event.currentTarget.value)}
      />
      <button
        type="submit"
        className="pb-Button"
        disabled={!isGood}
        title={trans.__('Keep the rows with values in this range; or drag over the histogram')}
      >
        {trans.__('Keep')}
      </button>
    </form>
  );
}

/** A number that was typed; null for nothing, NaN for what is none. */
function parsed(text: string, kind: TableColumn['kind']): number | null {
  const trimmed = text.trim();
  if (trimmed === '') {
    return null;
  }
  return kind === 'time' ? Date.parse(/[Z+]/.test(trimmed) ? trimmed : `${trimmed}Z`) : Number(trimmed);
}

function Statistics({ column, summary }: Omit<IKnownProps, 'model'>): ReactElement {
  const { count, nulls, nans, infinities, distinct } = summary;
  const number = (value: number | null): string | null => (value === null ? null : exactNumber(value));
  const fields: [name: string, value: string | null, isValue: boolean][] = [
    [trans.__('values'), number(count), false],
    [trans.__('null'), number(nulls), false],
    ...(column.kind === 'float' ? [[trans.__('NaN'), number(nans), false] as [string, string, boolean]] : []),
    [trans.__('infinite'), infinities > 0 ? number(infinities) : null, false],
    [trans.__('distinct'), number(distinct), false],
    [trans.__('min'), summary.min, true],
    [trans.__('25 %'), summary.lower_quartile, true],
    [trans.__('median'), summary.median, true],
    [trans.__('75 %'), summary.upper_quartile, true],
    [trans.__('max'), summary.max, true],
    [trans.__('mean'), summary.mean, true],
    [trans.__('std'), summary.std, true]
  ];
  return (
    <dl className="pb-TableSummary-statistics">
      {fields.map(
        ([name, value, isValue]) =>
          value !== null && (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd title={value}>{isValue ? shortValue(value, column) : value}</dd>
            </Fragment>
          )
      )}
    </dl>
  );
}

function shortValue(value: string, { kind }: TableColumn): string {
  // Means of integers are no integers.
  return cellOf(value, kind === 'integer' && /[.e]/.test(value) ? 'float' : kind).text;
}

function Common({ model, column, summary }: IKnownProps): ReactElement {
  const { common, rows, distinct } = summary;
  const kept = model.filters.find(filter => filter.column === column.name)?.values ?? [];
  return (
    <ul className="pb-TableSummary-common" aria-label={trans.__('Most frequent values')}>
      {common.map(({ value, count }) => (
        <li key={value}>
          <button
            type="button"
            className="pb-TableSummary-value"
            aria-pressed={kept.includes(value)}
            title={trans.__('Keep the rows with this value')}
            onClick={() =>
              kept.includes(value)
                ? model.unfilter(column.name)
                : model.filter({ column: column.name, low: null, high: null, values: [value] })
            }
          >
            <span
              className="pb-TableSummary-share"
              style={{ width: `${(100 * count) / Math.max(1, rows)}%` }}
            />
            <span className="pb-TableSummary-text">{value === '' ? trans.__('(empty)') : value}</span>
            <span className="pb-TableSummary-count">{exactNumber(count)}</span>
          </button>
        </li>
      ))}
      {(distinct ?? 0) > common.length && (
        <li className="pb-mod-faint">
          {trans.__('and %1 others', exactNumber((distinct ?? 0) - common.length))}
        </li>
      )}
    </ul>
  );
}
