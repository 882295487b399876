import { type KeyboardEvent, type ReactElement, useEffect, useId, useMemo, useRef, useState } from 'react';

import type { TableColumn } from '../../api';
import { counted, exactNumber } from '../../model';
import { trans } from '../../trans';
import { kindGlyph } from './cells';
import type { TableModel } from './model';
import { searchColumns } from './search';

export interface IColumnsProps {
  readonly model: TableModel;
  readonly version: number;
  /** A person wants to see this column. */
  readonly onShow: (column: string) => void;
}

const LINE = 24;
const OVERSCAN = 6;
/** Pixels that are filled with lines at most. */
const HIGHEST = 4_000;

/** All columns of the table, to be searched, shown and marked; only those in view are in the page. */
export function Columns({ model, onShow }: IColumnsProps): ReactElement {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const [view, setView] = useState({ top: 0, height: 300 });
  const all = model.overview.status === 'loaded' ? model.overview.value.columns : NONE;
  const found = useMemo(() => searchColumns(all, text), [all, text]);
  const first = Math.max(0, Math.floor(view.top / LINE) - OVERSCAN);
  const last = Math.min(found.length - 1, Math.ceil((view.top + view.height) / LINE) + OVERSCAN);

  useEffect(() => {
    const element = list.current;
    if (!element) {
      return;
    }
    const measure = (): void =>
      setView({ top: element.scrollTop, height: Math.min(HIGHEST, element.clientHeight || 300) });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const moveTo = (index: number): void => {
    const next = Math.max(0, Math.min(found.length - 1, index));
    setActive(next);
    const element = list.current;
    if (element) {
      element.scrollTop = Math.min(next * LINE, Math.max(element.scrollTop, (next + 1) * LINE - view.height));
    }
  };
  const toggle = ({ name }: TableColumn): void => model.choose([name], !model.chosen.has(name));
  const onKeyDown = (event: KeyboardEvent): void => {
    const column = found[active];
    const to = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + Math.floor(view.height / LINE),
      PageUp: active - Math.floor(view.height / LINE),
      Home: 0,
      End: found.length - 1
    }[event.key];
    if (to !== undefined) {
      moveTo(to);
    } else if (event.key === ' ' && column) {
      toggle(column);
    } else if (event.key === 'Enter' && column) {
      onShow(column.name);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const isNarrowed = text.trim() !== '';
  const areAllChosen = found.length > 0 && found.every(({ name }) => model.chosen.has(name));
  return (
    <>
      <input
        type="search"
        className="pb-Input pb-TableColumns-search"
        aria-label={trans.__('Search columns by name, unit or description')}
        aria-controls={`${id}-list`}
        placeholder={trans.__('Search columns')}
        value={text}
        onChange={event => {
          setText(event.currentTarget.value);
          setActive(0);
          if (list.current) {
            list.current.scrollTop = 0;
          }
        }}
        onKeyDown={event => {
          if (event.key === 'ArrowDown') {
            event.preventDefault();
            list.current?.focus();
          } else if (event.key === 'Enter' && found[0]) {
            event.preventDefault();
            onShow(found[0].name);
          } else if (event.key === 'Escape' && text !== '') {
            event.stopPropagation();
            setText('');
          }
        }}
      />
      <div className="pb-TableColumns-count">
        <span role="status">
          {isNarrowed
            ? trans.__('%1 of %2 columns', exactNumber(found.length), exactNumber(all.length))
            : counted(all.length, 'column')}
        </span>
        {isNarrowed && found.length > 0 && (
          <button
            type="button"
            className="pb-Link"
            onClick={() =>
              model.choose(
                found.map(({ name }) => name),
                !areAllChosen
              )
            }
          >
            {areAllChosen ? trans.__('Clear these') : trans.__('Choose these')}
          </button>
        )}
        {!isNarrowed && model.chosen.size > 0 && (
          <button type="button" className="pb-Link" onClick={() => model.choose([...model.chosen], false)}>
            {trans.__('Clear')}
          </button>
        )}
      </div>
      {found.length === 0 && isNarrowed && (
        <p className="pb-TableSummary-none">
          {trans.__('No column has this in its name, unit or description.')}
        </p>
      )}
      <div
        ref={list}
        id={`${id}-list`}
        className="pb-TableColumns-list"
        role="listbox"
        tabIndex={0}
        aria-label={trans.__('Columns')}
        aria-multiselectable="true"
        {...(active >= first && active <= last ? { 'aria-activedescendant': `${id}-${active}` } : {})}
        onScroll={event => setView({ ...view, top: event.currentTarget.scrollTop })}
        onKeyDown={onKeyDown}
      >
        <div role="presentation" style={{ height: found.length * LINE, position: 'relative' }}>
          {found.slice(first, last + 1).map((column, offset) => {
            const index = first + offset;
            const isChosen = model.chosen.has(column.name);
            return (
              <div
                key={column.name}
                id={`${id}-${index}`}
                className={[
                  'pb-TableColumns-item',
                  index === active ? 'pb-mod-active' : '',
                  column.name === model.current ? 'pb-mod-current' : ''
                ].join(' ')}
                role="option"
                aria-selected={isChosen}
                aria-posinset={index + 1}
                aria-setsize={found.length}
                aria-label={[column.name, column.unit, column.description].filter(Boolean).join(', ')}
                title={[
                  `${column.name}  ${column.type}${column.unit && ` [${column.unit}]`}`,
                  column.description
                ]
                  .filter(Boolean)
                  .join('\n')}
                style={{ transform: `translateY(${index * LINE}px)`, height: LINE }}
                onClick={() => {
                  setActive(index);
                  onShow(column.name);
                }}
              >
                <span
                  className="pb-TableColumns-check"
                  data-checked={isChosen}
                  aria-hidden="true"
                  onClick={event => {
                    event.stopPropagation();
                    setActive(index);
                    toggle(column);
                  }}
                />
                <span className="pb-TableColumns-kind" aria-hidden="true">
                  {kindGlyph(column.kind)}
                </span>
                <span className="pb-TableColumns-name">{column.name}</span>
                <span className="pb-TableColumns-unit">{column.unit}</span>
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}

const NONE: readonly TableColumn[] = [];
