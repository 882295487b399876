import { caretDownIcon, caretUpIcon } from '@jupyterlab/ui-components';
import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactElement,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState
} from 'react';

import type { TableColumn } from '../../api';
import { exactNumber } from '../../model';
import { trans } from '../../trans';
import { cellOf, exactCell, isNumeric, widthOf } from './cells';
import type { IWindow, TableModel } from './model';
import { type ISelection, isSelected, moved, rectangle } from './position';
import { columnsBetween, HEADER_HEIGHT, offsetsOf, ROW_HEIGHT, rowsIn, useScrolling } from './scrolling';

export interface IGridProps {
  readonly model: TableModel;
  /** Changes whenever the model does. */
  readonly version: number;
  /** A column to bring into view; a new object each time. */
  readonly reveal: { readonly column: string } | null;
  /** A person wants to know more of this column. */
  readonly onShow: (column: string) => void;
  readonly onCopy: (window: IWindow) => void;
  /** The columns that are selected with the pointer or the keyboard. */
  readonly onSelect: (columns: readonly string[]) => void;
}

/** Pixels for the numbers of rows. */
const NUMBERS = 74;
const NARROWEST = 40;

/**
 * The table itself: only the cells in view are in the page, and only they are fetched.
 *
 * It is one tab stop: the focus is on the grid, which says which of its cells is active.
 */
export function Grid({ model, reveal, onShow, onCopy, onSelect }: IGridProps): ReactElement {
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const { columns } = model;
  const rows = model.rows ?? 0;
  const [pulled, setPulled] = useState<Readonly<Record<string, number>>>({});
  const [selection, setSelection] = useState<ISelection>(START);
  const [revealed, setRevealed] = useState<IGridProps['reveal']>(null);
  const offsets = useMemo(
    () => offsetsOf(columns.map(column => pulled[column.name] ?? widthOf(column))),
    [columns, pulled]
  );
  const scrolling = useScrolling(scroller, rows);
  const { top, left, width, height } = scrolling;
  const first = Math.floor(top);
  const last = Math.min(rows - 1, first + rowsIn(height));
  const [from, to] = columnsBetween(offsets, left, left + Math.max(0, width - NUMBERS));
  const shown = columns.slice(from, to + 1);
  const { active } = selection;

  // After every rendering: what is in view changes for many reasons.
  useEffect(() => {
    if (height > 0 && columns.length > 0) {
      const names = columns.slice(Math.max(0, from - 1), to + 2).map(({ name }) => name);
      model.look({ first, last: Math.max(first, first + rowsIn(height)), columns: names });
    }
  });

  if (reveal !== revealed) {
    setRevealed(reveal);
    const column = columns.findIndex(({ name }) => name === reveal?.column);
    if (column >= 0 && column !== active.column) {
      setSelection(only({ row: active.row, column }));
    }
  }

  const showColumn = (column: number): void => {
    const element = scroller.current;
    const [begin = 0, end = 0] = [offsets[column], offsets[column + 1]];
    if (element) {
      const room = element.clientWidth - NUMBERS;
      if (begin < element.scrollLeft || end - begin > room) {
        element.scrollLeft = begin;
      } else if (end > element.scrollLeft + room) {
        element.scrollLeft = end - room;
      }
    }
  };
  const showRow = (row: number): void => {
    const room = (height - HEADER_HEIGHT) / ROW_HEIGHT;
    if (row >= 0 && row < top) {
      scrolling.scrollTo(row);
    } else if (row + 1 > top + room) {
      scrolling.scrollTo(row + 1 - room);
    }
  };

  useEffect(() => {
    const index = reveal === null ? -1 : columns.findIndex(({ name }) => name === reveal.column);
    if (index >= 0) {
      showColumn(index);
    }
    // Only when somebody asks for it, not whenever the columns change.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [reveal]);

  const select = (next: ISelection): void => {
    setSelection(next);
    const [begin, end] = rectangle(next).columns;
    onSelect(columns.slice(begin, end + 1).map(({ name }) => name));
  };
  const go = (row: number, column: number, extend: boolean): void => {
    select({ anchor: extend ? selection.anchor : { row, column }, active: { row, column } });
    showRow(row);
    showColumn(column);
  };
  const inspect = (index: number): void => {
    const column = columns[index];
    if (column) {
      onShow(column.name);
    }
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const isControl = event.ctrlKey || event.metaKey;
    const column = columns[active.column];
    const page = Math.max(1, rowsIn(height) - 2);
    // While rows are counted anew there is at least a place for the first, to which one can go.
    const extent = { rows: model.rows ?? 1, columns: columns.length, page };
    const next = event.altKey ? null : moved(active, event.key, isControl, extent);
    if (next) {
      go(next.row, next.column, event.shiftKey);
    } else if (isControl && event.key.toLowerCase() === 'c') {
      copy();
    } else if (isControl && event.key.toLowerCase() === 'a') {
      select({ anchor: { row: 0, column: 0 }, active: { row: rows - 1, column: columns.length - 1 } });
    } else if (event.key === 'Enter' && column && active.row < 0) {
      if (column.kind !== 'other') {
        model.toggleSort(column.name);
      }
    } else if (event.key === 'Enter') {
      inspect(active.column);
    } else if (event.key === ' ' && column) {
      model.choose([column.name], !model.chosen.has(column.name));
    } else if (event.key === 'Escape') {
      model.cancel();
      select({ anchor: active, active });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const copy = (): void => {
    const {
      rows: [begin, end],
      columns: [one, other]
    } = rectangle(selection);
    onCopy({ first: begin, last: end, columns: columns.slice(one, other + 1).map(({ name }) => name) });
  };

  /** The cell under the pointer, by what the cells say of themselves. */
  const at = (target: EventTarget): { row: number; column: number } | null => {
    const cell = target instanceof Element ? target.closest<HTMLElement>('[data-column]') : null;
    return cell ? { row: Number(cell.dataset.row), column: Number(cell.dataset.column) } : null;
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    const cell = event.button === 0 ? at(event.target) : null;
    if (cell && cell.row >= 0) {
      go(cell.row, cell.column, event.shiftKey);
    }
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    const cell = event.buttons === 1 ? at(event.target) : null;
    if (cell && cell.row >= 0 && (cell.row !== active.row || cell.column !== active.column)) {
      select({ ...selection, active: cell });
    }
  };

  const place = (index: number): { left: number; width: number } => ({
    left: NUMBERS + (offsets[index] ?? 0) - left,
    width: (offsets[index + 1] ?? 0) - (offsets[index] ?? 0)
  });
  const cellId = (row: number, column: number): string => `${id}-${row}-${column}`;
  const isActiveShown =
    (active.row < 0 || (active.row >= first && active.row <= last)) &&
    active.column >= from &&
    active.column <= to;

  return (
    <div
      ref={scroller}
      className="pb-TableGrid"
      role="grid"
      tabIndex={0}
      aria-label={trans.__('Table')}
      aria-rowcount={model.rows === null ? -1 : rows + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable="true"
      aria-busy={model.loading}
      {...(isActiveShown && columns.length > 0
        ? { 'aria-activedescendant': cellId(active.row, active.column) }
        : {})}
      onScroll={scrolling.onScroll}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      // What is selected is copied as the table has it, not as the page shows it.
      onCopy={event => {
        event.preventDefault();
        copy();
      }}
    >
      <div
        className="pb-TableGrid-all"
        role="presentation"
        style={{ width: NUMBERS + (offsets.at(-1) ?? 0), height: scrolling.total }}
      >
        <div className="pb-TableGrid-view" role="presentation" style={{ width, height }}>
          <div className="pb-TableHead" role="row" aria-rowindex={1} style={{ height: HEADER_HEIGHT }}>
            {shown.map((column, index) => (
              <HeaderCell
                key={column.name}
                id={cellId(-1, from + index)}
                model={model}
                column={column}
                index={from + index}
                isActive={active.row < 0 && active.column === from + index}
                style={place(from + index)}
                onPick={() => {
                  go(-1, from + index, false);
                  inspect(from + index);
                }}
                onPull={width => setPulled(known => ({ ...known, [column.name]: width }))}
              />
            ))}
            <div className="pb-TableNumber" role="columnheader" aria-colindex={1} style={{ width: NUMBERS }}>
              {trans.__('row')}
            </div>
          </div>
          <div className="pb-TableBody" role="rowgroup">
            {Array.from({ length: Math.max(0, last - first + 1) }, (_, offset) => {
              const row = first + offset;
              const number = model.rowNumber(row);
              return (
                <div
                  key={row}
                  className="pb-TableRow"
                  role="row"
                  aria-rowindex={row + 2}
                  data-odd={row % 2 === 1}
                  style={{ height: ROW_HEIGHT, transform: `translateY(${(row - top) * ROW_HEIGHT}px)` }}
                >
                  {shown.map((column, index) => {
                    const value = model.cell(column.name, row);
                    const { text, absent } = cellOf(value, column.kind);
                    const isActive = active.row === row && active.column === from + index;
                    return (
                      <div
                        key={column.name}
                        id={cellId(row, from + index)}
                        className={classes(
                          'pb-TableCell',
                          isNumeric(column.kind) && 'pb-mod-number',
                          absent && 'pb-mod-absent',
                          isActive && 'pb-mod-active',
                          column.name === model.current && 'pb-mod-current'
                        )}
                        role="gridcell"
                        aria-colindex={from + index + 2}
                        aria-selected={isSelected(selection, row, from + index)}
                        data-row={row}
                        data-column={from + index}
                        title={exactCell(value, column.kind, column.unit)}
                        style={place(from + index)}
                      >
                        {text}
                      </div>
                    );
                  })}
                  <div
                    className="pb-TableNumber"
                    role="rowheader"
                    aria-colindex={1}
                    style={{ width: NUMBERS }}
                  >
                    {number === undefined ? '' : exactNumber(number)}
                  </div>
                </div>
              );
            })}
          </div>
        </div>
      </div>
    </div>
  );
}

interface IHeaderCellProps {
  readonly id: string;
  readonly model: TableModel;
  readonly column: TableColumn;
  readonly index: number;
  readonly isActive: boolean;
  readonly style: { readonly left: number; readonly width: number };
  readonly onPick: () => void;
  /** The column was made so many pixels wide. */
  readonly onPull: (width: number) => void;
}

function HeaderCell(props: IHeaderCellProps): ReactElement {
  const { model, column, index, isActive, style, onPick, onPull } = props;
  const { name, unit, description, kind, type } = column;
  const sort = model.sort?.column === name ? model.sort : null;
  const Icon = sort?.descending === true ? caretDownIcon : caretUpIcon;
  const start = useRef<{ readonly x: number; readonly width: number } | null>(null);
  return (
    <div
      id={props.id}
      className={classes(
        'pb-TableHead-cell',
        isNumeric(kind) && 'pb-mod-number',
        isActive && 'pb-mod-active',
        name === model.current && 'pb-mod-current',
        model.chosen.has(name) && 'pb-mod-chosen'
      )}
      role="columnheader"
      aria-colindex={index + 2}
      aria-sort={sort === null ? 'none' : sort.descending ? 'descending' : 'ascending'}
      title={[`${name}  ${type}${unit && ` [${unit}]`}`, description].filter(Boolean).join('\n')}
      data-row={-1}
      data-column={index}
      style={style}
      onClick={onPick}
    >
      <span className="pb-TableHead-name">{name}</span>
      <span className="pb-TableHead-unit">{unit || type}</span>
      {kind !== 'other' && (
        <button
          type="button"
          className={classes('pb-TableHead-sort', sort !== null && 'pb-mod-on')}
          // The grid is one tab stop; with the keyboard, Enter on the header does the same.
          tabIndex={-1}
          title={sortTitle(sort)}
          aria-label={`${sortTitle(sort)}: ${name}`}
          onClick={event => {
            event.stopPropagation();
            model.toggleSort(name);
          }}
        >
          <Icon.react tag="span" aria-hidden="true" />
        </button>
      )}
      <span
        className="pb-TableHead-edge"
        aria-hidden="true"
        onClick={event => event.stopPropagation()}
        onPointerDown={event => {
          event.stopPropagation();
          event.currentTarget.setPointerCapture(event.pointerId);
          start.current = { x: event.clientX, width: style.width };
        }}
        onPointerMove={event => {
          if (start.current && event.buttons === 1) {
            onPull(Math.max(NARROWEST, start.current.width + event.clientX - start.current.x));
          }
        }}
        onPointerUp={() => (start.current = null)}
      />
    </div>
  );
}

function sortTitle(sort: { readonly descending: boolean } | null): string {
  if (sort === null) {
    return trans.__('Sort, smallest first');
  }
  return sort.descending ? trans.__('Back to the order of the file') : trans.__('Sort, largest first');
}

function classes(...names: (string | false)[]): string {
  return names.filter(Boolean).join(' ');
}

const only = (position: ISelection['active']): ISelection => ({ anchor: position, active: position });
const START = only({ row: 0, column: 0 });
