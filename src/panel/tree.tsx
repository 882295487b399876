import {
  type KeyboardEvent,
  type ReactElement,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState
} from 'react';

import {
  type IDatasetPlace,
  type IPlace,
  placeOf,
  samePlace,
  type TreeModel,
  type TreeRow,
  type TreeRows
} from '../model';
import { trans } from '../trans';
import { openContextMenu, treeMove } from './keys';
import { nameOf, spokenRow, TreeRowContent } from './treerow';
import { TypeAhead } from './typeahead';
import { type IRowElement, ROW_HEIGHT } from './virtual';
import { type IReveal, RowWindow } from './window';

export interface ITreeProps {
  readonly model: TreeModel;
  readonly rows: TreeRows;
  /** What is listed below. */
  readonly target: IDatasetPlace | null;
  readonly onOpen: (target: IDatasetPlace) => void;
  readonly onGo: (place: IPlace) => void;
  readonly onStar: (place: IPlace) => void;
  readonly onCopy: (text: string) => void;
  /** Where in the tree a person is has changed. */
  readonly onView: () => void;
  /** Whether anybody can see the tree, so that what is in view may be asked for. */
  readonly isVisible: () => boolean;
}

/** The tree of repositories, collections and dataset types. */
export function Tree(props: ITreeProps): ReactElement {
  const { model, rows, target, onOpen, onGo, onStar, onCopy, onView, isVisible } = props;
  const [activeId, setActiveId] = useState<string | null>(model.view.active);
  const [typeAhead] = useState(() => new TypeAhead());
  const focus = useRef(false);
  const reveal = useRef<IReveal | null>(null);
  /** Whether the focus is on a row that only holds the place of another. */
  const waiting = useRef(false);
  /** The row that was uppermost the last time, until it is again or a person goes elsewhere. */
  const before = useRef<string | null>(null);
  const restores = useRef(-1);
  const found = activeId === null ? -1 : rows.indexOf(activeId);
  // What had the focus may be gone; Tab still has to lead somewhere.
  const active = found >= 0 ? found : 0;

  const onLook = useCallback(
    (first: number, last: number) => {
      if (!isVisible()) {
        return;
      }
      const seen = rows.slice(first, last + 1);
      model.look(seen);
      const top = seen[0]?.id ?? null;
      if (before.current === null && top !== model.view.top) {
        model.keepView({ top });
        onView();
      }
    },
    [model, rows, isVisible, onView]
  );

  // Go to where one was the last time, or to what shall be seen, as soon as it is there.
  useLayoutEffect(() => {
    if (restores.current !== model.restores) {
      restores.current = model.restores;
      before.current = model.view.top;
      setActiveId(model.view.active);
    }
    const { wanted } = model;
    if (wanted) {
      before.current = null;
      const index = rows.indexOf(wanted.id);
      if (index >= 0) {
        model.forgetWanted();
        focus.current = wanted.focus || Boolean(document.activeElement?.closest(TREE));
        reveal.current = { index, where: 'nearest' };
        // Where it is, is known only when the rows have come.
        // eslint-disable-next-line react-hooks/set-state-in-effect
        setActiveId(wanted.id);
      }
    } else if (before.current !== null) {
      const index = rows.indexOf(before.current);
      if (index >= 0) {
        before.current = null;
        reveal.current = { index, where: 'top' };
        setActiveId(id => id);
      }
    }
  }, [model, rows, model.restores, model.wanted]);

  // A row that came from the server takes the place, and the focus, of what held its place.
  useLayoutEffect(() => {
    const row = found >= 0 ? rows.at(found) : undefined;
    if (row && row.id !== activeId) {
      focus.current = waiting.current;
      waiting.current = false;
      // Both are known only when the rows have come.
      // eslint-disable-next-line react-hooks/set-state-in-effect
      setActiveId(row.id);
    }
  }, [rows, found, activeId]);

  // Who went elsewhere meanwhile is not called back when rows come or change.
  useEffect(() => {
    const leave = ({ target }: FocusEvent): void => {
      if (target instanceof Element && target.closest(TREE) === null) {
        focus.current = false;
        waiting.current = false;
        model.forgetFocus();
      }
    };
    document.addEventListener('focusin', leave);
    return () => document.removeEventListener('focusin', leave);
  }, [model]);

  useLayoutEffect(() => {
    if (activeId !== model.view.active && activeId !== null) {
      model.keepView({ active: activeId });
      onView();
    }
  }, [model, activeId, onView]);

  /** A person goes somewhere: what was remembered is of no use any more. */
  const take = (): void => {
    before.current = null;
    model.forgetWanted();
  };

  const activate = (row: TreeRow): void => {
    take();
    if (row.kind === 'dataset-type') {
      onOpen(row);
    } else if (row.kind === 'place') {
      onGo(row.place);
    } else if (row.kind === 'notice') {
      if (row.retry) {
        model.retry(row.retry);
      }
    } else if (row.kind !== 'absent') {
      toggle(row);
    }
  };

  const toggle = (row: TreeRow): void => {
    if (row.expanded === false) {
      // What is below the last row in view would open unseen.
      reveal.current = { index: rows.indexOf(row.id) + 1, where: 'nearest' };
    }
    model.toggle(row);
  };

  const star = (row: TreeRow): void => {
    const place = placeIn(row);
    if (place) {
      onStar(place);
    }
  };

  const moveTo = (index: number): void => {
    take();
    const row = rows.at(index);
    focus.current = true;
    waiting.current = row?.kind === 'absent';
    setActiveId(row?.id ?? null);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const row = rows.at(active);
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
        case 'star':
          star(row);
          break;
        case 'menu':
          openContextMenu(event.target as Element);
          break;
        case 'cancel':
          model.cancel();
          break;
      }
    } else if (typeAhead.takes(event)) {
      const nameAt = (each: number): string => {
        const row = rows.at(each);
        return row ? nameOf(row) : '';
      };
      const names = { length: rows.length, at: nameAt };
      const index = typeAhead.find(event.key, names, active);
      if (index !== null) {
        moveTo(index);
      } else if (event.key === '/') {
        // It goes on with no name: left to the panel, which begins a search.
        typeAhead.clear();
        return;
      }
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const renderRow = (row: TreeRow, element: IRowElement): ReactElement => {
    const isListed = row.kind === 'dataset-type' && target !== null && samePlace(row, target);
    return (
      <div
        key={row.id}
        {...element}
        className={`pb-Row pb-TreeRow${row.kind === 'notice' ? ' pb-mod-notice' : ''}`}
        {...(row.kind === 'absent' ? { 'aria-busy': true } : {})}
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
          onStar={() => star(row)}
        />
      </div>
    );
  };

  return (
    <RowWindow
      className="pb-Tree"
      role="tree"
      attributes={{ 'aria-label': trans.__('Butler repositories'), onWheel: take, onPointerDown: take }}
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

/** What a row is about that can be starred. */
export function placeIn(row: TreeRow): IPlace | null {
  switch (row.kind) {
    case 'collection':
      return placeOf(row.repository, row.collection, null);
    case 'types':
      return placeOf(row.repository, row.collection, null);
    case 'dataset-type':
      return placeOf(row.repository, row.collection, row.datasetType.name);
    case 'place':
      return row.place;
    default:
      return null;
  }
}

const TREE = '.pb-Tree';

/** Pixels by which each level is set in. */
const INDENT = 12;

const idOf = (row: TreeRow): string => row.id;
const isNotice = (row: TreeRow): boolean => row.kind === 'notice';
