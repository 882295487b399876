/**
 * From values to colours: limits, scale and colour map, put together in one table.
 */

import type { ImageStatistics } from '../../api';

export type Scale = 'linear' | 'sqrt' | 'log' | 'asinh';
export const SCALES: readonly Scale[] = ['linear', 'sqrt', 'log', 'asinh'];

/** How limits are found: by IRAF's zscale, from all values, from the middle part of them, or by hand. */
export type Limits = 'zscale' | 'minmax' | 'p99.8' | 'p99' | 'p95' | 'p90' | 'manual';
export const LIMITS: readonly Limits[] = ['zscale', 'minmax', 'p99.8', 'p99', 'p95', 'p90', 'manual'];

export interface IRange {
  readonly low: number;
  readonly high: number;
}

/** Contrast of the logarithm and softening of the arcsine, as astropy has them. */
const LOG = 1000;
const ASINH = 0.1;

/** Bring a value between 0 and 1 onto the scale, which goes from 0 to 1 too. */
export function stretched(scale: Scale, value: number): number {
  switch (scale) {
    case 'linear':
      return value;
    case 'sqrt':
      return Math.sqrt(value);
    case 'log':
      return Math.log(LOG * value + 1) / Math.log(LOG + 1);
    case 'asinh':
      return Math.asinh(value / ASINH) / Math.asinh(1 / ASINH);
  }
}

/** The limits of what is shown. */
export function rangeOf(limits: Limits, statistics: ImageStatistics | null, manual: IRange | null): IRange {
  if (limits === 'manual' && manual) {
    return manual;
  }
  if (!statistics) {
    return { low: 0, high: 1 };
  }
  if (limits === 'minmax') {
    return proper(statistics.minimum, statistics.maximum);
  }
  if (limits.startsWith('p')) {
    const outside = (100 - Number(limits.slice(1))) / 2;
    return proper(percentile(statistics, outside), percentile(statistics, 100 - outside));
  }
  const [low, high] = statistics.zscale;
  return proper(low, high);
}

function percentile({ percentiles }: ImageStatistics, percentage: number): number {
  const known = percentiles;
  const above = known.findIndex(([at]) => at >= percentage);
  const [right, high] = known[above < 0 ? known.length - 1 : above] ?? [100, 1];
  const [left, low] = known[Math.max(0, above - 1)] ?? [0, 0];
  return right > left ? low + ((high - low) * (percentage - left)) / (right - left) : high;
}

/** An image of equal values is shown in the middle of the scale. */
function proper(low: number, high: number): IRange {
  return high > low ? { low, high } : { low: low - 0.5, high: low + 0.5 };
}

const ENTRIES = 1 << 16;

/** Turns values into colours by looking them up; what is not a number stays transparent. */
export class ColourTable {
  /**
   * @param colours - Of 256 steps, as numbers whose bytes are red, green, blue and opacity.
   */
  constructor(
    private readonly _range: IRange,
    scale: Scale,
    colours: Uint32Array
  ) {
    this._table = new Uint32Array(ENTRIES);
    for (let entry = 0; entry < ENTRIES; entry++) {
      this._table[entry] = colours[Math.round(255 * stretched(scale, entry / (ENTRIES - 1)))] ?? 0;
    }
  }

  /** Colour so many values from the one place on into the other, upside down: rows of pictures go downwards. */
  paint(values: Float32Array, width: number, height: number, target: Uint32Array): void {
    const { low, high } = this._range;
    const factor = (ENTRIES - 1) / (high - low);
    for (let row = 0; row < height; row++) {
      let to = (height - 1 - row) * width;
      for (let from = row * width; from < (row + 1) * width; from++, to++) {
        const value = values[from] ?? NaN;
        // A value that is not a number is not equal to itself.
        if (value !== value) {
          target[to] = 0;
          continue;
        }
        const entry = (value - low) * factor;
        target[to] = this._table[entry <= 0 ? 0 : entry >= ENTRIES - 1 ? ENTRIES - 1 : entry | 0] ?? 0;
      }
    }
  }

  private readonly _table: Uint32Array;
}
