import {
  type FocusEvent,
  type HTMLAttributes,
  type ReactElement,
  useCallback,
  useLayoutEffect,
  useReducer,
  useRef,
  useState
} from 'react';

import { ScaledScroll } from './scrolling';
import { type IRowElement, ROW_HEIGHT } from './virtual';

/** Rows above and below those in view. */
const OVERSCAN = 6;

/** Milliseconds of rest after which the scroll bar goes where it belongs. */
const REST = 150;

export interface ILongRowsProps extends Pick<
  HTMLAttributes<HTMLDivElement>,
  'className' | 'onKeyDown' | 'role'
> {
  /** How many rows there are. */
  readonly count: number;
  /** Index of the row that is the list's one tab stop. */
  readonly active: number;
  /** Whether another element will take the place of the active row, and its focus. */
  readonly isAwaiting: boolean;
  /** Whether the active row shall have the focus, and not only be where Tab leads. */
  readonly focusRef: { current: boolean };
  /** A word for what is chosen: where another choice is made, its active row comes into view; null if none is. */
  readonly choice: unknown;
  /** A word for what is listed: another list begins at its top. */
  readonly list: unknown;
  readonly renderRow: (index: number, element: IRowElement) => ReactElement;
  /** These rows, both included, can be seen. */
  readonly onLook: (first: number, last: number) => void;
}

/**
 * Rows of one height, any number of them, of which only those in view are in the page.
 *
 * The active row stays in the page even out of view, or the focus would be lost with it.
 */
export function LongRows(props: ILongRowsProps): ReactElement {
  const { count, active, isAwaiting, focusRef, choice, list, renderRow, onLook } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState(() => new ScaledScroll());
  const [, redraw] = useReducer((times: number) => times + 1, 0);
  const [view, setView] = useState(0);
  const rest = useRef<ReturnType<typeof setTimeout>>();

  const settle = useCallback(() => {
    const { current } = scroller;
    const place = scroll.settle();
    if (current && Math.abs(current.scrollTop - place) >= 1) {
      current.scrollTop = place;
    }
    redraw();
  }, [scroll]);

  useLayoutEffect(() => {
    const { current } = scroller;
    const measure = (): void => setView(current?.offsetHeight ?? 0);
    measure();
    const observer = new ResizeObserver(measure);
    if (current) {
      observer.observe(current);
    }
    return () => {
      observer.disconnect();
      clearTimeout(rest.current);
    };
  }, []);

  const shown = useRef(list);
  useLayoutEffect(() => {
    if (shown.current !== list) {
      shown.current = list;
      setScroll(new ScaledScroll());
      if (scroller.current) {
        scroller.current.scrollTop = 0;
      }
    }
  }, [list]);

  scroll.resize(count * ROW_HEIGHT, view);
  const first = Math.max(0, Math.floor(scroll.offset / ROW_HEIGHT));
  const last = Math.min(count - 1, Math.ceil((scroll.offset + view) / ROW_HEIGHT) - 1);

  const onScroll = (): void => {
    const { current } = scroller;
    if (!current) {
      return;
    }
    scroll.scrolled(current.scrollTop);
    clearTimeout(rest.current);
    if (scroll.isStuck) {
      settle();
    } else if (scroll.isScaled) {
      rest.current = setTimeout(settle, REST);
    }
    redraw();
  };

  // After every rendering: what is in view can change without the rows changing.
  useLayoutEffect(() => onLook(first, Math.max(first, last)));

  const seen = useRef<unknown>(null);
  useLayoutEffect(() => {
    if (choice === seen.current || view === 0) {
      return;
    }
    seen.current = choice;
    // One that can be seen in part stays: the second click of two would hit its neighbour.
    if (choice !== null && (active < first || active > last)) {
      scroll.reveal(active * ROW_HEIGHT, (active + 1) * ROW_HEIGHT);
      settle();
    }
  });

  useLayoutEffect(() => {
    if (!focusRef.current || active < 0 || view === 0) {
      return;
    }
    if (active < first || active > last || active * ROW_HEIGHT < scroll.offset) {
      scroll.reveal(active * ROW_HEIGHT, (active + 1) * ROW_HEIGHT);
      settle();
    }
    const row = scroller.current?.querySelector<HTMLElement>(`[data-index="${active}"]`);
    if (row) {
      focusRef.current = isAwaiting;
      row.focus({ preventScroll: true });
    }
  });

  // Who goes elsewhere is not called back by a row that comes late.
  const onBlur = (event: FocusEvent<HTMLDivElement>): void => {
    if (event.relatedTarget && !event.currentTarget.contains(event.relatedTarget)) {
      focusRef.current = false;
    }
  };

  const indexes: number[] = [];
  for (let index = Math.max(0, first - OVERSCAN); index <= Math.min(count - 1, last + OVERSCAN); index++) {
    indexes.push(index);
  }
  if (active >= 0 && active < count && !indexes.includes(active)) {
    indexes.push(active);
    indexes.sort((a, b) => a - b);
  }

  return (
    <div
      ref={scroller}
      className={`pb-Rows ${props.className ?? ''}`}
      data-scrolls={scroll.height > view}
      role={props.role}
      onKeyDown={props.onKeyDown}
      onScroll={onScroll}
      onBlur={onBlur}
    >
      <div className="pb-Rows-all" role="presentation" style={{ height: scroll.height }}>
        {indexes.map(index =>
          renderRow(index, {
            'data-index': index,
            tabIndex: index === active ? 0 : -1,
            style: {
              transform: `translateY(${placeOf(index, scroll)}px)`,
              height: ROW_HEIGHT
            }
          })
        )}
      </div>
    </div>
  );
}

/** Where a row stands in the element; one far out of view just outside of it, where it makes nothing higher. */
function placeOf(index: number, scroll: ScaledScroll): number {
  const place = index * ROW_HEIGHT - scroll.shift;
  return Math.max(-ROW_HEIGHT, Math.min(scroll.height - ROW_HEIGHT, place));
}
