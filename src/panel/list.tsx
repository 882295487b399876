import {
  type KeyboardEvent,
  type MouseEvent,
  type ReactElement,
  useCallback,
  useMemo,
  useRef,
  useState
} from 'react';

import type { Dataset } from '../api';
import {
  cappedDatasetsNotice,
  cancelledNotice,
  counted,
  type DatasetListModel,
  errorNotice,
  exactNumber,
  type IDatasetTarget,
  type INotice,
  type ListState,
  loadingNotice,
  noDatasetsNotice,
  nothingChosenNotice,
  supersededNotice,
  waitingNotice
} from '../model';
import type { IPanelActions } from './actions';
import { columnsOf, dataIdLine, RUN, valueOf } from './columns';
import { isMenuKey, openContextMenu, verticalMove } from './keys';
import { Notice } from './notice';
import { watchPull } from './pull';
import { TypeAhead } from './typeahead';
import { type IRowElement, ROW_HEIGHT, VirtualRows } from './virtual';

export interface IDatasetListProps {
  readonly model: DatasetListModel;
  readonly target: IDatasetTarget | null;
  readonly state: ListState;
  readonly rows: readonly Dataset[];
  /** How many rows have come: the array itself grows in place. */
  readonly length: number;
  readonly chosen: ReadonlySet<string>;
  readonly actions: IPanelActions;
}

/** The datasets of one type in one collection. */
export function DatasetList(props: IDatasetListProps): ReactElement {
  const { target, state, length } = props;
  if (!target) {
    return <Notice notice={nothingChosenNotice('type')} />;
  }
  return (
    <>
      <Heading {...props} target={target} />
      {length > 0 && <Grid {...props} target={target} />}
      <Foot {...props} target={target} notice={noticeOf(state, target, length)} />
    </>
  );
}

type IListProps = IDatasetListProps & { readonly target: IDatasetTarget };

function Heading({ target, rows, length }: IListProps): ReactElement {
  const { datasetType, collection, repository } = target;
  const { common } = useColumns(datasetType.dimensions, rows, length);
  const shared = common.map(([name, value]) => ` · ${name} ${value}`).join('');
  return (
    <div
      className="pb-ListHeading"
      title={`${datasetType.name} in ${collection.name} of ${repository.label}${shared}`}
    >
      <span className="pb-mod-strong">{datasetType.name}</span>
      <span className="pb-mod-faint">
        {' in '}
        {collection.name}
        {shared}
      </span>
    </div>
  );
}

function Grid({ model, target, rows, length, chosen, actions, state }: IListProps): ReactElement {
  const [typeAhead] = useState(() => new TypeAhead());
  const focus = useRef(false);
  const { shown, template } = useColumns(target.datasetType.dimensions, rows, length);
  const activeId = model.picking.active;
  const active = Math.max(
    0,
    useMemo(() => rows.findIndex(({ id }) => id === activeId), [rows, activeId])
  );
  // A new array for each length: the rows are identified by it.
  const visible = useMemo(() => rows.slice(0, length), [rows, length]);
  const onLook = useCallback((_: number, last: number) => model.look(last), [model]);

  const moveTo = (index: number, extend: boolean): void => {
    const row = rows[index];
    if (row) {
      focus.current = true;
      model.pick((picking, ids) => (extend ? picking.extendTo(row.id, ids) : picking.only(row.id)));
    }
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const index = indexOf(event.target) ?? active;
    const row = rows[index];
    const page = Math.max(1, Math.floor(event.currentTarget.clientHeight / ROW_HEIGHT) - 1);
    const isControl = event.ctrlKey || event.metaKey;
    const to = event.altKey || isControl ? null : verticalMove(index, length, event.key, page);
    if (to !== null) {
      typeAhead.clear();
      // The first press on a list that was only tabbed into takes the row where the focus is.
      moveTo(activeId === null ? index : to, event.shiftKey && activeId !== null);
    } else if (event.key === 'Enter' && row) {
      if (!chosen.has(row.id)) {
        model.pick(picking => picking.only(row.id));
      }
      actions.insert();
    } else if (isControl && event.key.toLowerCase() === 'a') {
      model.pick((picking, ids) => picking.all(ids));
    } else if (isMenuKey(event) && row) {
      if (!chosen.has(row.id)) {
        model.pick(picking => picking.only(row.id));
      }
      openContextMenu(event.target as Element);
    } else if (event.key === 'Escape') {
      model.cancel();
    } else if (typeAhead.takes(event)) {
      const names = rows.map(row => valueOf(row, shown[0] ?? RUN));
      const match = typeAhead.find(event.key, names, index);
      if (match !== null) {
        moveTo(match, false);
      }
    } else if (event.key === ' ' && row) {
      focus.current = true;
      model.pick(picking => picking.toggle(row.id));
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const choose = (event: MouseEvent, id: string): void => {
    model.pick((picking, ids) => {
      if (event.shiftKey) {
        picking.extendTo(id, ids);
      } else if (event.ctrlKey || event.metaKey) {
        picking.toggle(id);
      } else {
        picking.only(id);
      }
    });
  };

  const renderRow = (row: Dataset, element: IRowElement, index: number): ReactElement => (
    <div
      key={row.id}
      {...element}
      className="pb-Row pb-DatasetRow"
      data-dataset={row.id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={chosen.has(row.id)}
      title={`${dataIdLine(row)}\nrun ${row.run}`}
      onClick={event => choose(event, row.id)}
      onDoubleClick={() => actions.insert()}
      onContextMenu={() => {
        if (!chosen.has(row.id)) {
          model.pick(picking => picking.only(row.id));
        }
      }}
      onPointerDown={event => {
        if (event.button !== 0) {
          return;
        }
        watchPull(event, at => {
          if (!model.picking.chosen.has(row.id)) {
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
      <span className="pb-Handle" aria-hidden="true">
        ⠿
      </span>
    </div>
  );

  return (
    <div
      className="pb-Grid"
      role="grid"
      aria-label={`Datasets of type ${target.datasetType.name}`}
      aria-multiselectable="true"
      aria-rowcount={state.status === 'complete' ? length + 1 : -1}
      aria-busy={state.status === 'loading'}
    >
      <div className="pb-GridHead" role="row" aria-rowindex={1}>
        <span className="pb-Cells" role="presentation" style={{ gridTemplateColumns: template }}>
          {shown.map(name => (
            <span key={name} className="pb-Cell" role="columnheader" title={name}>
              {name}
            </span>
          ))}
        </span>
        <span className="pb-Handle" aria-hidden="true" />
      </div>
      <VirtualRows
        className="pb-GridRows"
        role="rowgroup"
        rows={visible}
        idOf={idOf}
        active={active}
        focus={focus}
        renderRow={renderRow}
        onLook={onLook}
        onKeyDown={onKeyDown}
      />
    </div>
  );
}

/** How far the list has come, and what to do if it cannot go on. */
function Foot({
  model,
  state,
  length,
  chosen,
  notice,
  actions
}: IListProps & { notice: INotice | null }): ReactElement {
  if (notice) {
    return (
      <Notice
        notice={notice}
        onRetry={() => model.retry()}
        onCancel={() => model.cancel()}
        onCopy={text => actions.copyText(text)}
      />
    );
  }
  return (
    <div className="pb-ListFoot" role="status">
      {state.status === 'complete'
        ? counted(length, 'dataset')
        : `First ${counted(length, 'dataset')}; scroll for more`}
      {chosen.size > 1 && ` · ${exactNumber(chosen.size)} selected`}
    </div>
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
        ? loadingNotice(length > 0 ? `more of ${name}` : name)
        : waitingNotice(state.busyUntil);
    case 'complete':
      return length === 0 ? noDatasetsNotice(name, target.collection.name) : null;
    case 'capped':
      return cappedDatasetsNotice(length);
    case 'cancelled':
      return cancelledNotice(name);
    case 'superseded':
      return supersededNotice();
    case 'failed':
      return errorNotice(state.error);
  }
}

function useColumns(
  dimensions: readonly string[],
  rows: readonly Dataset[],
  length: number
): ReturnType<typeof columnsOf> {
  return useMemo(() => columnsOf(dimensions, rows.slice(0, length)), [dimensions, rows, length]);
}

/** The row that an event is about: the focus can be on another than where Tab leads. */
function indexOf(target: EventTarget): number | null {
  const row = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null;
  return row === null ? null : Number(row.dataset.index);
}

const idOf = (row: Dataset): string => row.id;
