/**
 * The preview of tables; loaded when a table is to be shown, not before.
 */

import { Clipboard } from '@jupyterlab/apputils';
import { closeIcon } from '@jupyterlab/ui-components';
import {
  type ReactElement,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState
} from 'react';

import { type RowFilter, TableClient } from '../../api';
import {
  cancelledNotice,
  counted,
  errorNotice,
  exactNumber,
  exactSize,
  loadingNotice,
  shortSize
} from '../../model';
import { Notice } from '../../parts';
import { literal } from '../../python/literals';
import { trans } from '../../trans';
import type { IPreviewProps } from '../previews';
import { Columns } from './columns';
import { Grid } from './grid';
import { edgeText } from './histogram';
import { type IWindow, MAX_CELLS, TableModel } from './model';
import { Summary } from './summary';

export interface ITableProps {
  readonly model: TableModel;
  readonly insert: IPreviewProps['insert'];
  readonly copyText: (text: string) => void;
}

/** A table, a part at a time. */
export function TablePreview({ transport, repository, details, insert }: IPreviewProps): ReactElement {
  const { kind, label } = repository;
  const model = useMemo(
    () => new TableModel(new TableClient(transport, { kind, label }, details.id)),
    [transport, kind, label, details.id]
  );
  useEffect(() => {
    model.open();
    return () => model.dispose();
  }, [model]);
  return <Table model={model} insert={insert} copyText={text => Clipboard.copyToSystem(text)} />;
}

export function Table({ model, insert, copyText }: ITableProps): ReactElement {
  const version = useVersion(model);
  const [reveal, setReveal] = useState<{ readonly column: string } | null>(null);
  const [selected, setSelected] = useState<readonly string[]>([]);
  const [said, setSaid] = useState('');
  const { overview } = model;
  const parts = useRef<HTMLDivElement>(null);
  const hasSummary = model.current !== null;
  useFocusBeside(parts, hasSummary);

  if (overview.status !== 'loaded') {
    const what = trans.__('the table');
    return (
      <div className="pb-Table">
        {overview.status === 'failed' ? (
          <Notice
            notice={errorNotice(overview.error, overview.retryAt)}
            onRetry={() => model.retry()}
            onCopy={copyText}
          />
        ) : overview.status === 'cancelled' ? (
          <Notice notice={cancelledNotice(what)} onRetry={() => model.retry()} />
        ) : (
          <Notice notice={loadingNotice(what)} onCancel={() => model.cancel()} />
        )}
      </div>
    );
  }

  const names = model.chosen.size > 0 ? model.chosenNames : selected;
  const rows = model.filters.map(filter => ({
    ...filter,
    kind: model.column(filter.column)?.kind ?? 'float'
  }));
  const show = (column: string): void => {
    if (model.chosenOnly && !model.chosen.has(column)) {
      model.showChosenOnly(false);
    }
    model.inspect(column);
    setReveal({ column });
  };
  const copyCells = (window: IWindow): void => {
    setSaid(trans.__('Copying …'));
    model.text(window).then(
      text => {
        if (text === null) {
          setSaid(trans.__('Nothing was copied: at most %1 cells at once.', exactNumber(MAX_CELLS)));
          return;
        }
        copyText(text);
        setSaid(
          trans.__('Copied %1 of %2.', counted(window.last - window.first + 1, 'row'), columnCount(window))
        );
      },
      () => setSaid(trans.__('Nothing was copied: the values could not be read.'))
    );
  };
  return (
    <div className="pb-Table">
      <div className="pb-TableBar" role="toolbar" aria-label={trans.__('Table')}>
        <button
          type="button"
          className="pb-Button pb-mod-accept"
          disabled={overview.value.selectable && names.length === 0 && rows.length === 0}
          title={
            overview.value.selectable
              ? rows.length > 0
                ? trans.__('Insert code that reads these columns, and keeps the rows that pass the filters')
                : trans.__('Insert code that reads the chosen columns, or else the selected ones')
              : trans.__('Insert code that reads the table: its format cannot be read by columns')
          }
          onClick={() =>
            overview.value.selectable
              ? insert('columns', {
                  ...(names.length > 0 ? { columns: names } : {}),
                  ...(rows.length > 0 ? { rows } : {})
                })
              : insert('whole', {})
          }
        >
          {overview.value.selectable ? insertText(names.length, rows.length > 0) : trans.__('Insert')}
        </button>
        <button
          type="button"
          className="pb-Button"
          disabled={names.length === 0}
          title={trans.__('Copy the names of these columns as a Python list')}
          onClick={() => {
            copyText(literal(names));
            setSaid(trans._n('Copied %1 name.', 'Copied %1 names.', names.length));
          }}
        >
          {trans.__('Copy names')}
        </button>
        <label className="pb-Check">
          <input
            type="checkbox"
            checked={model.chosenOnly}
            disabled={model.chosen.size === 0}
            onChange={event => model.showChosenOnly(event.currentTarget.checked)}
          />
          {trans.__('Only chosen (%1)', exactNumber(model.chosen.size))}
        </label>
        <Filters model={model} version={version} />
      </div>
      <div ref={parts} className="pb-Table-parts" data-summary={hasSummary}>
        <section className="pb-TableColumns" aria-label={trans.__('Columns of the table')}>
          <Columns model={model} version={version} onShow={show} />
        </section>
        <div className="pb-Table-middle">
          <Grid
            model={model}
            version={version}
            reveal={reveal}
            onShow={show}
            onCopy={copyCells}
            onSelect={setSelected}
          />
          <State model={model} version={version} copyText={copyText} />
        </div>
        {hasSummary && (
          <section
            className="pb-TableSummary"
            aria-label={trans.__('Statistics of a column')}
            tabIndex={-1}
            onKeyDown={event => {
              if (event.key === 'Escape') {
                event.stopPropagation();
                model.inspect(null);
              }
            }}
          >
            <Summary model={model} version={version} onCopyText={copyText} />
          </section>
        )}
      </div>
      <div className="pb-TableFoot">
        <Foot model={model} version={version} />
        <span role="status" className="pb-TableFoot-said">
          {said}
        </span>
      </div>
    </div>
  );
}

function insertText(columns: number, filtered: boolean): string {
  if (filtered) {
    return columns === 0
      ? trans.__('Insert these rows')
      : trans._n('Insert %1 column of these rows', 'Insert %1 columns of these rows', columns);
  }
  return columns === 0
    ? trans.__('Insert columns')
    : trans._n('Insert %1 column', 'Insert %1 columns', columns);
}

interface IPartProps {
  readonly model: TableModel;
  readonly version: number;
}

/** The rows that are left out, each with a way to have them back. */
function Filters({ model }: IPartProps): ReactElement | null {
  if (model.filters.length === 0) {
    return null;
  }
  return (
    <ul className="pb-TableFilters" aria-label={trans.__('Filters')}>
      {model.filters.map(filter => (
        <li key={filter.column} className="pb-Chip">
          <span className="pb-Chip-text">{filterText(filter, model)}</span>
          <button
            type="button"
            className="pb-IconButton"
            title={trans.__('Remove this filter')}
            aria-label={trans.__('Remove the filter on %1', filter.column)}
            onClick={() => model.unfilter(filter.column)}
          >
            <closeIcon.react tag="span" aria-hidden="true" />
          </button>
        </li>
      ))}
    </ul>
  );
}

function filterText({ column, low, high, values }: RowFilter, model: TableModel): string {
  if (values !== null) {
    return `${column} = ${values.join(', ')}`;
  }
  const kind = model.column(column)?.kind ?? 'float';
  if (low !== null && high !== null) {
    return `${edgeText(low, kind)} ≤ ${column} ≤ ${edgeText(high, kind)}`;
  }
  return low !== null ? `${column} ≥ ${edgeText(low, kind)}` : `${column} ≤ ${edgeText(high ?? NaN, kind)}`;
}

/** Why the cells are not there, if they are not. */
function State({ model, copyText }: IPartProps & { copyText: (text: string) => void }): ReactElement | null {
  if (model.error !== null) {
    return <Notice notice={errorNotice(model.error)} onRetry={() => model.retry()} onCopy={copyText} />;
  }
  if (model.stopped) {
    return <Notice notice={cancelledNotice(trans.__('cells'))} onRetry={() => model.retry()} />;
  }
  if (model.rows === null) {
    return <Notice notice={loadingNotice(trans.__('rows'))} onCancel={() => model.cancel()} />;
  }
  if (model.rows === 0) {
    return (
      <p className="pb-TableSummary-none" role="status">
        {model.filters.length > 0
          ? trans.__('No row passes the filters.')
          : trans.__('The table has no rows.')}{' '}
        {model.filters.length > 0 && (
          <button type="button" className="pb-Link" onClick={() => model.unfilter(null)}>
            {trans.__('Clear the filters')}
          </button>
        )}
      </p>
    );
  }
  return null;
}

/** How much there is, how much of it is shown, and what that took. */
function Foot({ model }: IPartProps): ReactElement | null {
  if (model.overview.status !== 'loaded') {
    return null;
  }
  const { rows, columns, format, size, documented_by: source } = model.overview.value;
  const { page, sort, filters } = model;
  const isPart = page !== null && page.considered < page.total;
  return (
    <>
      <span role="status">
        {filters.length > 0 && model.rows !== null && `${trans.__('%1 of', exactNumber(model.rows))} `}
        {`${counted(rows, 'row')} × ${counted(columns.length, 'column')}`}
      </span>
      {isPart && (
        <span className="pb-mod-warn">
          {sort
            ? trans.__('sorted: the first %1 rows only', exactNumber(page.considered))
            : trans.__('filtered: the first %1 rows only', exactNumber(page.considered))}
        </span>
      )}
      <span className="pb-mod-faint" title={exactSize(size)}>
        {format && `${format}, `}
        {shortSize(size)}
        {model.bytesRead > 0 && ` · ${trans.__('%1 read for this view', shortSize(model.bytesRead))}`}
      </span>
      {source && <span className="pb-mod-faint">{trans.__('Units and descriptions: %1', source)}</span>}
      {model.current === null && (
        <span className="pb-mod-faint">
          {trans.__('Click a column, or press Enter on one of its cells, for statistics and a histogram')}
        </span>
      )}
    </>
  );
}

function columnCount({ columns }: IWindow): string {
  return counted(columns.length, 'column');
}

/**
 * Keep the focus when statistics come or go: in a narrow table they take the place of the list of columns, and
 * their own button goes with them.
 */
function useFocusBeside(parts: RefObject<HTMLElement | null>, hasSummary: boolean): void {
  const origin = useRef<Element | null>(null);
  useLayoutEffect(() => {
    const list = parts.current?.querySelector<HTMLElement>('.pb-TableColumns');
    if (!list) {
      return;
    }
    const { activeElement } = document;
    if (!hasSummary) {
      const back = origin.current;
      origin.current = null;
      if (back instanceof HTMLElement && (activeElement === null || activeElement === document.body)) {
        back.focus();
      }
      return;
    }
    origin.current = activeElement;
    if (list.contains(activeElement) && getComputedStyle(list).display === 'none') {
      parts.current?.querySelector<HTMLElement>('.pb-TableSummary')?.focus();
    }
  }, [parts, hasSummary]);
}

/** A number that changes with the model. */
function useVersion(model: TableModel): number {
  const [version, touch] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    model.stateChanged.connect(touch);
    return () => {
      model.stateChanged.disconnect(touch);
    };
  }, [model]);
  return version;
}
