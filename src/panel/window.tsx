import {
  type HTMLAttributes,
  type ReactElement,
  type RefObject,
  useCallback,
  useLayoutEffect,
  useRef,
  useState
} from 'react';

import { type IRowElement, ROW_HEIGHT } from './virtual';

/** Rows that are made when somebody asks for them. */
export interface IRowSource<T> {
  readonly length: number;
  at(index: number): T | undefined;
  /** Where the row with this identifier is, or -1. */
  indexOf(id: string): number;
}

/** A row that shall come into view. */
export interface IReveal {
  readonly index: number;
  /** At the top, or no further than it has to be. */
  readonly where: 'top' | 'nearest';
}

export interface IRowWindowProps<T> extends Pick<
  HTMLAttributes<HTMLDivElement>,
  'className' | 'onKeyDown' | 'role'
> {
  readonly rows: IRowSource<T>;
  readonly idOf: (row: T) => string;
  /** Index of the row that is the one tab stop. */
  readonly active: number;
  /** Whether the active row shall have the focus, and not only be where Tab leads. */
  readonly focus: RefObject<boolean> & { current: boolean };
  readonly reveal: { current: IReveal | null };
  /** Whether a row may be higher than one line. */
  readonly isHigh: (row: T) => boolean;
  readonly renderRow: (row: T, element: IRowElement, index: number) => ReactElement;
  /** These rows, both included, can be seen. */
  readonly onLook: (first: number, last: number) => void;
  readonly attributes?: HTMLAttributes<HTMLDivElement>;
}

/** Rows beyond either end of the view that are in the page too. */
const OVERSCAN = 6;

/**
 * Rows of which only those in view are made and in the page. All have the height of one line but for a few
 * that are measured, so that nothing is computed for those out of view, however many they are.
 *
 * The active row stays in the page even out of view, or the focus would be lost with it.
 */
export function RowWindow<T>(props: IRowWindowProps<T>): ReactElement {
  const { rows, idOf, active, focus: focusRef, reveal: revealRef, isHigh, renderRow, onLook } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 0 });
  /** The same, where it is known at once. */
  const measuredView = useRef(view);
  /** The row that was active the last time, and whether it could be seen. */
  const seen = useRef<{ readonly id: string | null; readonly isIn: boolean }>({ id: null, isIn: false });
  // By identifier, since places change when rows come and go.
  const [heights, setHeights] = useState<ReadonlyMap<string, number>>(() => new Map());

  const extras = [...heights]
    .map(([id, height]) => ({ index: rows.indexOf(id), extra: height - ROW_HEIGHT }))
    .filter(({ index, extra }) => index >= 0 && extra !== 0)
    .sort((one, other) => one.index - other.index);

  const startOf = (index: number): number =>
    extras.reduce((start, each) => (each.index < index ? start + each.extra : start), index * ROW_HEIGHT);

  const indexAt = (offset: number): number => {
    let rest = offset;
    for (const { index, extra } of extras) {
      const start = index * ROW_HEIGHT;
      if (rest < start + ROW_HEIGHT) {
        break;
      }
      rest = Math.max(start, rest - extra);
    }
    return Math.max(0, Math.min(rows.length - 1, Math.floor(rest / ROW_HEIGHT)));
  };

  const total = startOf(rows.length);
  const first = indexAt(view.top);
  const last = indexAt(view.top + Math.max(0, view.height - 1));
  const shown: number[] = [];
  for (
    let index = Math.max(0, first - OVERSCAN);
    index <= Math.min(rows.length - 1, last + OVERSCAN);
    index++
  ) {
    shown.push(index);
  }
  if (active >= 0 && active < rows.length && !shown.includes(active)) {
    shown.push(active);
    shown.sort((one, other) => one - other);
  }

  const measure = useCallback((): void => {
    const element = scroller.current;
    if (element) {
      const { scrollTop: top, offsetHeight: height } = element;
      measuredView.current = { top, height };
      setView(before => (before.top === top && before.height === height ? before : { top, height }));
    }
  }, []);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) {
      return;
    }
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [measure]);

  // After every rendering: what is in view can change without the rows changing.
  useLayoutEffect(() => {
    if (view.height > 0 && rows.length > 0) {
      onLook(first, last);
    }
  });

  /**
   * Note whether the active row is in view, where a person, or what shall be seen, has brought it.
   *
   * By what was measured last: to ask the page after every rendering would have it laid out each time.
   */
  const note = (): void => {
    const row = rows.at(active);
    if (scroller.current && row !== undefined) {
      const { top, height } = measuredView.current;
      const isIn = startOf(active) >= top && startOf(active + 1) <= top + height;
      seen.current = { id: idOf(row), isIn };
    }
  };

  const scrollTo = (index: number, where: IReveal['where']): void => {
    const element = scroller.current;
    if (!element) {
      return;
    }
    const start = startOf(index);
    const end = startOf(index + 1);
    if (where === 'top' || start < element.scrollTop) {
      element.scrollTop = start;
    } else if (end > element.scrollTop + element.offsetHeight) {
      element.scrollTop = end - element.offsetHeight;
    }
    measure();
    note();
  };

  useLayoutEffect(() => {
    if (!focusRef.current || active < 0) {
      return;
    }
    focusRef.current = false;
    scrollTo(active, 'nearest');
    scroller.current?.querySelector<HTMLElement>(`[data-index="${active}"]`)?.focus({ preventScroll: true });
  });

  // Last, or the row that has the focus would take the view back.
  useLayoutEffect(() => {
    if (revealRef.current && revealRef.current.index < rows.length) {
      const { index, where } = revealRef.current;
      revealRef.current = null;
      scrollTo(index, where);
    }
  });

  // When there is less room, or there are more rows above, the active row does not go out of view.
  useLayoutEffect(() => {
    const before = seen.current;
    note();
    const { id, isIn } = seen.current;
    if (id === before.id && before.isIn && !isIn) {
      scrollTo(active, 'nearest');
    }
  });

  const measured = useCallback((id: string, element: HTMLElement | null): void => {
    const height = element?.offsetHeight ?? 0;
    if (height > 0) {
      setHeights(before => (before.get(id) === height ? before : new Map(before).set(id, height)));
    }
  }, []);

  return (
    <div
      ref={scroller}
      className={`pb-Rows ${props.className ?? ''}`}
      data-scrolls={total > view.height}
      role={props.role}
      onKeyDown={props.onKeyDown}
      onScroll={() => {
        measure();
        note();
      }}
      {...props.attributes}
    >
      <div className="pb-Rows-all" role="presentation" style={{ height: total }}>
        {shown.map(index => {
          const row = rows.at(index);
          if (row === undefined) {
            return null;
          }
          const high = isHigh(row);
          return renderRow(
            row,
            {
              'data-index': index,
              tabIndex: index === active ? 0 : -1,
              style: {
                transform: `translateY(${startOf(index)}px)`,
                ...(high ? {} : { height: ROW_HEIGHT })
              },
              ...(high ? { ref: (element: HTMLElement | null) => measured(idOf(row), element) } : {})
            },
            index
          );
        })}
      </div>
    </div>
  );
}
