import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import { type HTMLAttributes, type ReactElement, useCallback, useLayoutEffect, useRef } from 'react';

/** Height of a row of one line. */
export const ROW_HEIGHT = 24;

/** What every row's element has to carry. */
export interface IRowElement extends Pick<HTMLAttributes<HTMLElement>, 'style' | 'tabIndex'> {
  readonly 'data-index': number;
  readonly ref?: (element: HTMLElement | null) => void;
}

export interface IVirtualRowsProps<T> extends Pick<
  HTMLAttributes<HTMLDivElement>,
  'className' | 'onKeyDown' | 'role'
> {
  readonly rows: readonly T[];
  readonly idOf: (row: T) => string;
  /** Index of the row that is the list's one tab stop. */
  readonly active: number;
  /** Whether the active row shall have the focus, and not only be where Tab leads. */
  readonly focus: { current: boolean };
  /** Index of a row that shall come into view, or null. */
  readonly reveal?: { current: number | null };
  /** Whether a row may be higher than one line. */
  readonly isHigh?: (row: T) => boolean;
  readonly renderRow: (row: T, element: IRowElement, index: number) => ReactElement;
  /** These rows, both included, can be seen. */
  readonly onLook: (first: number, last: number) => void;
  /** The list's element, for those who count its rows. */
  readonly attributes?: HTMLAttributes<HTMLDivElement>;
}

/**
 * Rows of which only those in view are in the page; all of them are where the scroll bar says.
 *
 * The active row stays in the page even out of view, or the focus would be lost with it.
 */
export function VirtualRows<T>(props: IVirtualRowsProps<T>): ReactElement {
  const { rows, idOf, active, focus, reveal, isHigh, renderRow, onLook } = props;
  const scroller = useRef<HTMLDivElement>(null);

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: useCallback(
      (index: number) => {
        const row = rows[index];
        return row === undefined ? index : idOf(row);
      },
      [rows, idOf]
    ),
    overscan: 6,
    rangeExtractor: useCallback(
      (range: Range) => {
        const indexes = defaultRangeExtractor(range);
        return active >= 0 && active < range.count && !indexes.includes(active)
          ? [...indexes, active].sort((a, b) => a - b)
          : indexes;
      },
      [active]
    )
  });

  // After every rendering: what is in view can change without the rows changing.
  useLayoutEffect(() => {
    const { range } = virtualizer;
    if (range) {
      onLook(range.startIndex, range.endIndex);
    }
  });

  useLayoutEffect(() => {
    if (!focus.current || active < 0) {
      return;
    }
    focus.current = false;
    virtualizer.scrollToIndex(active, { align: 'auto' });
    scroller.current?.querySelector<HTMLElement>(`[data-index="${active}"]`)?.focus({ preventScroll: true });
  });

  // Last, or the row that has the focus would take the view back.
  useLayoutEffect(() => {
    if (typeof reveal?.current === 'number' && reveal.current < rows.length) {
      virtualizer.scrollToIndex(reveal.current, { align: 'auto' });
      reveal.current = null;
    }
  });

  return (
    <div
      ref={scroller}
      className={`pb-Rows ${props.className ?? ''}`}
      data-scrolls={virtualizer.getTotalSize() > (virtualizer.scrollRect?.height ?? 0)}
      role={props.role}
      onKeyDown={props.onKeyDown}
      {...props.attributes}
    >
      <div className="pb-Rows-all" role="presentation" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) {
            return null;
          }
          const high = isHigh?.(row) ?? false;
          return renderRow(
            row,
            {
              'data-index': index,
              tabIndex: index === active ? 0 : -1,
              style: {
                transform: `translateY(${start}px)`,
                ...(high ? {} : { height: ROW_HEIGHT })
              },
              ...(high ? { ref: virtualizer.measureElement } : {})
            },
            index
          );
        })}
      </div>
    </div>
  );
}
