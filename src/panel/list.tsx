import { type KeyboardEvent, type MouseEvent, type ReactElement, useCallback, useRef, useState } from 'react';

import type { Dataset } from '../api';
import {
  cancelledNotice,
  type DatasetListModel,
  errorNotice,
  exactNumber,
  type IDatasetTarget,
  type INotice,
  isNarrow,
  type ListState,
  loadingNotice,
  noDatasetsNotice,
  noMatchNotice,
  NO_FILTER,
  nothingChosenNotice,
  supersededNotice,
  waitingNotice
} from '../model';
import { trans } from '../trans';
import type { IPanelActions } from './actions';
import { columnsOf, dataIdLine, RUN, valueOf } from './columns';
import { isMenuKey, openContextMenu, verticalMove } from './keys';
import { Mark, Notice } from '../parts';
import { LongRows } from './longrows';
import { watchPull } from '../parts';
import { TypeAhead } from './typeahead';
import { type IRowElement, ROW_HEIGHT } from './virtual';

export interface IDatasetListProps {
  /** What is listed; its rows grow in place, so that it is rendered anew for each of its changes. */
  readonly model: DatasetListModel;
  readonly actions: IPanelActions;
}

/** The datasets of one type in one collection, as far as a query finds them. */
export function DatasetList({ model, actions }: IDatasetListProps): ReactElement {
  const { target, state, length } = model;
  if (!target) {
    return <Notice notice={nothingChosenNotice('type')} />;
  }
  const props = { model, actions, target };
  return (
    <>
      <Heading {...props} />
      {length > 0 && <Grid {...props} />}
      <Foot {...props} notice={noticeOf(state, target, length)} />
    </>
  );
}

type IListProps = IDatasetListProps & { readonly target: IDatasetTarget };

function Heading({ model, target }: IListProps): ReactElement {
  const { datasetType, collection, repository } = target;
  const { common } = columnsOf(datasetType.dimensions, model.summary);
  const shared = common.map(([name, value]) => ` · ${name} ${value}`).join('');
  return (
    <div
      className="pb-ListHeading"
      title={trans.__('%1 in %2 of %3', datasetType.name, collection.name, repository.label) + shared}
    >
      <span className="pb-mod-strong">{datasetType.name}</span>
      <span className="pb-mod-faint">
        {' '}
        {trans.__('in %1', collection.name)}
        {shared}
      </span>
    </div>
  );
}

function Grid({ model, target, actions }: IListProps): ReactElement {
  const [typeAhead] = useState(() => new TypeAhead());
  const focusRef = useRef(false);
  const { state, length } = model;
  const { shown, template } = columnsOf(target.datasetType.dimensions, model.summary);
  const active = Math.min(model.activeIndex ?? 0, length - 1);
  const onLook = useCallback((first: number, last: number) => model.look(last, first), [model]);

  const moveTo = (index: number, extend: boolean): void => {
    focusRef.current = true;
    model.pickAt(index, extend);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const index = indexOf(event.target) ?? active;
    const row = model.rowAt(index);
    const page = Math.max(1, Math.floor(event.currentTarget.clientHeight / ROW_HEIGHT) - 1);
    const isControl = event.ctrlKey || event.metaKey;
    const to = event.altKey || isControl ? null : verticalMove(index, length, event.key, page);
    if (to !== null) {
      typeAhead.clear();
      // The first press on a list that was only tabbed into takes the row where the focus is.
      const isUntouched = model.activeIndex === null;
      moveTo(isUntouched ? index : to, event.shiftKey && !isUntouched);
    } else if (event.key === 'Enter' && row) {
      if (!model.isChosen(row.id)) {
        model.pick(picking => picking.only(row.id));
      }
      if (isControl) {
        actions.insert();
      } else {
        actions.open();
      }
    } else if (isControl && event.key.toLowerCase() === 'a') {
      model.pickAll();
    } else if (isMenuKey(event) && row) {
      if (!model.isChosen(row.id)) {
        model.pick(picking => picking.only(row.id));
      }
      openContextMenu(event.target as Element);
    } else if (event.key === 'Escape') {
      model.cancel();
    } else if (typeAhead.takes(event)) {
      // Asked for one by one: there may be millions.
      const at = (each: number): string => {
        const other = model.rowAt(each);
        return other ? valueOf(other, shown[0] ?? RUN) : '';
      };
      const match = typeAhead.find(event.key, { length, at }, index);
      if (match !== null) {
        moveTo(match, false);
      } else if (event.key === '/') {
        // It goes on with no name: left to the panel, which begins a search.
        typeAhead.clear();
        return;
      }
    } else if (event.key === ' ' && row) {
      focusRef.current = true;
      model.pick(picking => picking.toggle(row.id));
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const choose = (event: MouseEvent, id: string, index: number): void => {
    if (!event.shiftKey && (event.ctrlKey || event.metaKey)) {
      model.pick(picking => picking.toggle(id));
    } else {
      model.pickAt(index, event.shiftKey);
    }
  };

  const renderRow = (index: number, element: IRowElement): ReactElement => {
    const row = model.rowAt(index);
    return row ? (
      renderDataset(row, element, index)
    ) : (
      <PendingRow key={index} index={index} element={element} />
    );
  };

  const renderDataset = (row: Dataset, element: IRowElement, index: number): ReactElement => (
    <div
      key={row.id}
      {...element}
      className="pb-Row pb-DatasetRow"
      data-dataset={row.id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={model.isChosen(row.id)}
      title={`${dataIdLine(row)}\n${trans.__('run %1', row.run)}`}
      onClick={event => choose(event, row.id, index)}
      onDoubleClick={() => actions.open()}
      onContextMenu={() => {
        if (!model.isChosen(row.id)) {
          model.pick(picking => picking.only(row.id));
        }
      }}
      onPointerDown={event => {
        if (event.button !== 0) {
          return;
        }
        watchPull(event, at => {
          if (!model.isChosen(row.id)) {
            model.pick(picking => picking.only(row.id));
          }
          const { selection } = model;
          if (selection) {
            actions.drag(selection, at);
          }
        });
      }}
    >
      <span className="pb-Cells" role="presentation" style={{ gridTemplateColumns: template }}>
        {shown.map(name => (
          <span key={name} className={`pb-Cell${name === RUN ? ' pb-mod-path' : ''}`} role="gridcell">
            <bdi dir="ltr">{valueOf(row, name)}</bdi>
          </span>
        ))}
      </span>
      {model.marks && <Mark mark={model.marks.of(target.repository, row.id)} />}
      <span className="pb-Handle" aria-hidden="true">
        ⠿
      </span>
    </div>
  );

  return (
    <div
      className="pb-Grid"
      role="grid"
      aria-label={trans.__('Datasets of type %1', target.datasetType.name)}
      aria-multiselectable="true"
      aria-rowcount={state.status === 'complete' ? length + 1 : -1}
      aria-busy={state.status === 'loading'}
    >
      <div className="pb-GridHead" role="row" aria-rowindex={1}>
        <span className="pb-Cells" role="presentation" style={{ gridTemplateColumns: template }}>
          {shown.map(name => (
            <ColumnHead key={name} name={name} model={model} target={target} />
          ))}
        </span>
        {model.marks && <span className="pb-Mark" aria-hidden="true" />}
        <span className="pb-Handle" aria-hidden="true" />
      </div>
      <LongRows
        className="pb-GridRows"
        role="rowgroup"
        count={length}
        list={target}
        active={active}
        isAwaiting={model.isAwaiting}
        focusRef={focusRef}
        choice={model.activeIndex === null ? null : model.picking.active}
        renderRow={renderRow}
        onLook={onLook}
        onKeyDown={onKeyDown}
      />
    </div>
  );
}

/** The name of a column; pressed, it orders the list by it, then the other way round, then no more. */
function ColumnHead({
  name,
  model,
  target
}: {
  readonly name: string;
  readonly model: DatasetListModel;
  readonly target: IDatasetTarget;
}): ReactElement {
  const order = target.filter?.order_by ?? [];
  const isAscending = order[0] === name;
  const isDescending = order[0] === `-${name}`;
  const sort = (): void => {
    const next = isAscending ? [`-${name}`] : isDescending ? [] : [name];
    model.open({ ...target, filter: { ...(target.filter ?? NO_FILTER), order_by: next } });
  };
  return (
    <span
      className="pb-Cell"
      role="columnheader"
      title={name}
      aria-sort={isAscending ? 'ascending' : isDescending ? 'descending' : 'none'}
    >
      <button
        type="button"
        className="pb-ColumnHead"
        tabIndex={-1}
        title={trans.__('Order by %1', name)}
        onClick={sort}
      >
        <span>{name}</span>
        {(isAscending || isDescending) && (
          <span className="pb-ColumnHead-mark" aria-hidden="true">
            {isAscending ? '▲' : '▼'}
          </span>
        )}
      </button>
    </span>
  );
}

/** A row that is being fetched again. */
function PendingRow({
  index,
  element
}: {
  readonly index: number;
  readonly element: IRowElement;
}): ReactElement {
  return (
    <div {...element} className="pb-Row pb-DatasetRow pb-mod-pending" role="row" aria-rowindex={index + 2}>
      <span className="pb-Cells" role="presentation">
        <span className="pb-Cell" role="gridcell">
          …
        </span>
      </span>
    </div>
  );
}

/** How far the list has come, and what to do if it cannot go on. */
function Foot({ model, target, notice, actions }: IListProps & { notice: INotice | null }): ReactElement {
  const { state, length, chosenCount, isAllChosen, leftOut } = model;
  const clear = (): void => model.open({ ...target, filter: NO_FILTER });
  if (notice) {
    return (
      <Notice
        notice={notice}
        onRetry={() => (state.status === 'complete' ? clear() : model.retry())}
        onCancel={() => model.cancel()}
        onCopy={text => actions.copyText(text)}
      />
    );
  }
  const datasets = trans._n('%2 dataset', '%2 datasets', length, exactNumber(length));
  const limit = target.filter?.limit ?? null;
  const all =
    limit !== null && length >= limit ? trans.__('First %1: the limit of the query', datasets) : datasets;
  return (
    <div className="pb-ListFoot" role="status">
      {state.status === 'complete' ? all : trans.__('First %1; scroll for more', datasets)}
      {isAllChosen
        ? ` · ${trans.__('all found selected')}`
        : chosenCount > 1 && ` · ${trans.__('%1 selected', exactNumber(chosenCount))}`}
      {leftOut > 0 && ` · ${leftOutWords(leftOut)}`}
    </div>
  );
}

function leftOutWords(count: number): string {
  return trans._n(
    '%2 between is not loaded and was left out; Ctrl A selects all',
    '%2 between are not loaded and were left out; Ctrl A selects all',
    count,
    exactNumber(count)
  );
}

function noticeOf(state: ListState, target: IDatasetTarget, length: number): INotice | null {
  const { name } = target.datasetType;
  switch (state.status) {
    case 'closed':
    case 'partial':
      return null;
    case 'loading':
      return state.busyUntil === null
        ? loadingNotice(length > 0 ? trans.__('more of %1', name) : name)
        : waitingNotice(state.busyUntil);
    case 'complete':
      return length > 0
        ? null
        : isNarrow(target.filter)
          ? noMatchNotice()
          : noDatasetsNotice(name, target.collection.name);
    case 'cancelled':
      return cancelledNotice(name);
    case 'superseded':
      return supersededNotice();
    case 'failed':
      return errorNotice(state.error);
  }
}

/** The row that an event is about: the focus can be on another than where Tab leads. */
function indexOf(target: EventTarget): number | null {
  const row = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null;
  return row === null ? null : Number(row.dataset.index);
}
