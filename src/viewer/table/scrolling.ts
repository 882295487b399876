/**
 * Where in a table of any length the view is. Browsers do not make elements higher than some millions of
 * pixels, so that beyond it one pixel of the scroll bar stands for several.
 */

import { type RefObject, useCallback, useLayoutEffect, useRef, useState } from 'react';

export const ROW_HEIGHT = 24;
export const HEADER_HEIGHT = 42;

/** Pixels that every browser makes an element high. */
const HIGHEST = 8_000_000;

export interface IScrolling {
  /** First row in view, with the part of it that is above. */
  readonly top: number;
  readonly left: number;
  readonly width: number;
  readonly height: number;
  /** Height of everything, header included. */
  readonly total: number;
  /** Bring a row to the top; parts of a row are possible. */
  scrollTo(top: number): void;
  onScroll(): void;
}

/** More than any screen shows: a page without its styles makes the element as large as what is in it. */
const MOST_ROWS = 250;
const WIDEST = 8_000;

/** How many rows fit, whole or in part. */
export function rowsIn(height: number): number {
  return Math.min(MOST_ROWS, Math.max(1, Math.ceil((height - HEADER_HEIGHT) / ROW_HEIGHT)));
}

export function useScrolling(scrollerRef: RefObject<HTMLElement>, rows: number): IScrolling {
  const [view, setView] = useState({ top: 0, left: 0, width: 0, height: 0 });
  const total = Math.min(HIGHEST, HEADER_HEIGHT + rows * ROW_HEIGHT);
  const isScaled = HEADER_HEIGHT + rows * ROW_HEIGHT > HIGHEST;
  // Which row a position of the scroll bar was meant for: the position itself is too coarse to tell.
  const meant = useRef<{ readonly position: number; readonly top: number } | null>(null);

  const measure = useCallback((): void => {
    const element = scrollerRef.current;
    if (!element) {
      return;
    }
    const { scrollTop, scrollLeft, clientHeight } = element;
    const clientWidth = Math.min(WIDEST, element.clientWidth);
    const highest = Math.max(0, rows - (clientHeight - HEADER_HEIGHT) / ROW_HEIGHT);
    let top = scrollTop / ROW_HEIGHT;
    if (meant.current !== null && Math.abs(meant.current.position - scrollTop) < 1) {
      top = meant.current.top;
    } else {
      meant.current = null;
      if (isScaled) {
        top = (scrollTop / Math.max(1, total - clientHeight)) * highest;
      }
    }
    top = Math.min(top, highest);
    setView(known =>
      known.top === top &&
      known.left === scrollLeft &&
      known.width === clientWidth &&
      known.height === clientHeight
        ? known
        : { top, left: scrollLeft, width: clientWidth, height: clientHeight }
    );
  }, [scrollerRef, rows, total, isScaled]);

  const scrollTo = useCallback(
    (top: number): void => {
      const element = scrollerRef.current;
      if (!element) {
        return;
      }
      const highest = Math.max(0, rows - (element.clientHeight - HEADER_HEIGHT) / ROW_HEIGHT);
      const wanted = Math.max(0, Math.min(highest, top));
      element.scrollTop = isScaled
        ? (wanted / Math.max(1, highest)) * (total - element.clientHeight)
        : wanted * ROW_HEIGHT;
      meant.current = isScaled ? { position: element.scrollTop, top: wanted } : null;
      measure();
    },
    [scrollerRef, rows, total, isScaled, measure]
  );

  const top = useRef(0);
  useLayoutEffect(() => {
    top.current = view.top;
  }, [view.top]);
  useLayoutEffect(() => {
    const element = scrollerRef.current;
    if (!element) {
      return;
    }
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    const onWheel = (event: WheelEvent): void => {
      // One pixel of the scroll bar would be several rows: the wheel moves rows instead.
      if (isScaled && event.deltaY !== 0 && !event.ctrlKey && !event.shiftKey) {
        event.preventDefault();
        const pixels =
          event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * ROW_HEIGHT;
        scrollTo(top.current + pixels / ROW_HEIGHT);
      }
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener('wheel', onWheel);
    };
  }, [scrollerRef, measure, scrollTo, isScaled]);

  return { ...view, total, scrollTo, onScroll: measure };
}

/** Where columns begin; one more than there are columns. */
export function offsetsOf(widths: readonly number[]): number[] {
  const offsets = [0];
  widths.forEach(width => offsets.push((offsets.at(-1) ?? 0) + width));
  return offsets;
}

/** First and last of the columns between two positions. */
export function columnsBetween(offsets: readonly number[], from: number, to: number): [number, number] {
  const count = offsets.length - 1;
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((offsets[middle + 1] ?? Infinity) > from) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  let last = low;
  while (last < count - 1 && (offsets[last + 1] ?? Infinity) < to) {
    last += 1;
  }
  return [low, last];
}
