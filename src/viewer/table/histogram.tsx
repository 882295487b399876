import { type PointerEvent, type ReactElement, useLayoutEffect, useRef, useState } from 'react';

import type { ColumnKind, Histogram } from '../../api';
import { exactNumber } from '../../model';
import { trans } from '../../trans';
import { shortFloat } from './cells';

export interface IHistogramProps {
  readonly histogram: Histogram;
  readonly kind: ColumnKind;
  readonly unit: string;
  /** Whether the height of a bar is the logarithm of its count. */
  readonly logCounts: boolean;
  /** What is kept now, if anything is. */
  readonly range: readonly [number | null, number | null] | null;
  readonly onRange: (low: number, high: number) => void;
}

const HEIGHT = 96;
/** Pixels that a pointer must move to drag. */
const STEP = 3;

/** Bars; dragging over them chooses a range of values, from edge to edge of bars. */
export function HistogramPlot(props: IHistogramProps): ReactElement {
  const { histogram, kind, unit, logCounts, range, onRange } = props;
  const { counts, edges } = histogram;
  const svg = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(220);
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | null>(null);

  useLayoutEffect(() => {
    const element = svg.current;
    if (!element) {
      return;
    }
    const measure = (): void => setWidth(element.clientWidth || 220);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const scaled = (count: number): number => (logCounts ? Math.log10(1 + count) : count);
  const highest = Math.max(1e-9, ...counts.map(scaled));
  const bar = width / counts.length;
  const xOf = (value: number): number => {
    const at = edges.findIndex(edge => edge > value);
    if (at <= 0) {
      return at === 0 ? 0 : width;
    }
    const [low = 0, high = 1] = [edges[at - 1], edges[at]];
    return (at - 1 + (value - low) / (high - low)) * bar;
  };
  const position = (event: PointerEvent): number => {
    const box = svg.current?.getBoundingClientRect();
    return Math.max(0, Math.min(width, event.clientX - (box?.left ?? 0)));
  };
  const release = (): void => {
    if (drag && Math.abs(drag.to - drag.from) > STEP) {
      const [a, b] = drag.from < drag.to ? [drag.from, drag.to] : [drag.to, drag.from];
      const low = edges[Math.floor(a / bar)];
      const high = edges[Math.min(edges.length - 1, Math.ceil(b / bar))];
      if (low !== undefined && high !== undefined) {
        onRange(low, high);
      }
    }
    setDrag(null);
  };
  const kept = range && { from: xOf(range[0] ?? -Infinity), to: xOf(range[1] ?? Infinity) };
  const marked = drag ?? kept;
  const value = (edge: number | undefined): string => edgeText(edge ?? NaN, kind);

  return (
    <div className="pb-Histogram">
      <svg
        ref={svg}
        className="pb-Histogram-plot"
        height={HEIGHT}
        role="img"
        aria-label={trans.__(
          'Histogram from %1 to %2, most values between %3 and %4',
          value(edges[0]),
          value(edges.at(-1)),
          ...fullest(histogram).map(value)
        )}
        onPointerDown={event => {
          if (event.button === 0) {
            event.currentTarget.setPointerCapture(event.pointerId);
            setDrag({ from: position(event), to: position(event) });
          }
        }}
        onPointerMove={event => drag && setDrag({ ...drag, to: position(event) })}
        onPointerUp={release}
        onPointerCancel={() => setDrag(null)}
      >
        {counts.map((count, index) => {
          const tall = count === 0 ? 0 : Math.max(1, (scaled(count) / highest) * (HEIGHT - 4));
          return (
            <g key={index}>
              <rect
                className="pb-Histogram-bar"
                x={index * bar}
                y={HEIGHT - tall}
                width={Math.max(0.5, bar - (bar > 3 ? 1 : 0))}
                height={tall}
              />
              {/* As high as the plot, so that low bars can be pointed at, too. */}
              <rect className="pb-Histogram-hit" x={index * bar} y={0} width={bar} height={HEIGHT}>
                <title>
                  {trans.__(
                    '%1 … %2: %3 rows',
                    value(edges[index]),
                    value(edges[index + 1]),
                    exactNumber(count)
                  )}
                </title>
              </rect>
            </g>
          );
        })}
        {marked && (
          <rect
            className="pb-Histogram-range"
            x={Math.min(marked.from, marked.to)}
            y={0}
            width={Math.max(1, Math.abs(marked.to - marked.from))}
            height={HEIGHT}
          />
        )}
      </svg>
      <div className="pb-Histogram-axis" aria-hidden="true">
        <span>{value(edges[0])}</span>
        <span className="pb-mod-faint">
          {histogram.scale === 'log' ? trans.__('log scale') : ''} {unit}
        </span>
        <span>{value(edges.at(-1))}</span>
      </div>
    </div>
  );
}

/** A value on the axis: times are milliseconds since 1970. */
export function edgeText(value: number, kind: ColumnKind): string {
  if (kind === 'time' && Number.isFinite(value)) {
    return new Date(value).toISOString().slice(0, 19);
  }
  return shortFloat(String(Number(value.toPrecision(7))));
}

/** Edges of the fullest bar. */
function fullest({ counts, edges }: Histogram): [number, number] {
  const at = counts.indexOf(Math.max(...counts));
  return [edges[at] ?? NaN, edges[at + 1] ?? NaN];
}
