import { type KeyboardEvent, type ReactElement, useCallback, useRef, useState } from 'react';

import { type IDatasetTarget, sameTarget, type TreeModel, type TreeRow } from '../model';
import { openContextMenu, treeMove } from './keys';
import { nameOf, spokenRow, TreeRowContent } from './treerow';
import { TypeAhead } from './typeahead';
import { type IRowElement, ROW_HEIGHT, VirtualRows } from './virtual';

export interface ITreeProps {
  readonly model: TreeModel;
  readonly rows: readonly TreeRow[];
  /** What is listed below. */
  readonly target: IDatasetTarget | null;
  readonly onOpen: (target: IDatasetTarget) => void;
  readonly onCopy: (text: string) => void;
  /** Whether anybody can see the tree, so that what is in view may be asked for. */
  readonly isVisible: () => boolean;
}

/** The tree of repositories, collections and dataset types. */
export function Tree(props: ITreeProps): ReactElement {
  const { model, rows, target, onOpen, onCopy, isVisible } = props;
  const [activeId, setActiveId] = useState<string | null>(null);
  const [typeAhead] = useState(() => new TypeAhead());
  const focus = useRef(false);
  const reveal = useRef<number | null>(null);
  const found = rows.findIndex(({ id }) => id === activeId);
  // What had the focus may be gone; Tab still has to lead somewhere.
  const active = found >= 0 ? found : 0;

  const onLook = useCallback(
    (first: number, last: number) => {
      if (isVisible()) {
        model.look(rows.slice(first, last + 1));
      }
    },
    [model, rows, isVisible]
  );

  const activate = (row: TreeRow): void => {
    if (row.kind === 'dataset-type') {
      onOpen(row);
    } else if (row.kind === 'notice') {
      if (row.retry) {
        model.retry(row.retry);
      }
    } else {
      toggle(row);
    }
  };

  const toggle = (row: TreeRow): void => {
    if (row.expanded === false) {
      // What is below the last row in view would open unseen.
      reveal.current = rows.indexOf(row) + 1;
    }
    model.toggle(row);
  };

  const moveTo = (index: number): void => {
    focus.current = true;
    setActiveId(rows[index]?.id ?? null);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const row = rows[active];
    if (!row) {
      return;
    }
    const page = Math.max(1, Math.floor(event.currentTarget.clientHeight / ROW_HEIGHT) - 1);
    const move = treeMove(rows, active, event, page);
    if (move && !(event.key === ' ' && typeAhead.takes(event))) {
      typeAhead.clear();
      switch (move.do) {
        case 'move':
          moveTo(move.index);
          break;
        case 'toggle':
          focus.current = true;
          setActiveId(row.id);
          toggle(row);
          break;
        case 'activate':
          activate(row);
          break;
        case 'menu':
          openContextMenu(event.target as Element);
          break;
        case 'cancel':
          model.cancel();
          break;
      }
    } else if (typeAhead.takes(event)) {
      const index = typeAhead.find(event.key, rows.map(nameOf), active);
      if (index !== null) {
        moveTo(index);
      }
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const renderRow = (row: TreeRow, element: IRowElement): ReactElement => {
    const isListed = row.kind === 'dataset-type' && target !== null && sameTarget(row, target);
    return (
      <div
        key={row.id}
        {...element}
        className={`pb-Row pb-TreeRow${row.kind === 'notice' ? ' pb-mod-notice' : ''}`}
        data-kind={row.kind}
        data-id={row.id}
        role="treeitem"
        aria-label={spokenRow(row)}
        aria-level={row.level}
        aria-posinset={row.position}
        aria-setsize={row.siblings}
        aria-selected={isListed}
        {...(row.expanded === null ? {} : { 'aria-expanded': row.expanded })}
        onFocus={() => setActiveId(row.id)}
        onClick={() => {
          setActiveId(row.id);
          if (row.kind !== 'notice') {
            activate(row);
          }
        }}
      >
        <span className="pb-Indent" style={{ width: (row.level - 1) * INDENT }} aria-hidden="true" />
        <TreeRowContent
          row={row}
          onRetry={() => activate(row)}
          onCancel={() => model.cancel()}
          onCopy={onCopy}
        />
      </div>
    );
  };

  return (
    <VirtualRows
      className="pb-Tree"
      role="tree"
      attributes={{ 'aria-label': 'Butler repositories' }}
      rows={rows}
      idOf={idOf}
      active={active}
      focus={focus}
      reveal={reveal}
      isHigh={isNotice}
      renderRow={renderRow}
      onLook={onLook}
      onKeyDown={onKeyDown}
    />
  );
}

/** Pixels by which each level is set in. */
const INDENT = 12;

const idOf = (row: TreeRow): string => row.id;
const isNotice = (row: TreeRow): boolean => row.kind === 'notice';
