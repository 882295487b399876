/**
 * How values look in the table: the backend sends every digit, the grid shows those that matter.
 */

import type { ColumnKind } from '../../api';
import { trans } from '../../trans';

/** Digits of a number that are shown; all are in the title and in what is copied. */
const DIGITS = 6;

export interface ICell {
  readonly text: string;
  /** Whether it stands for the absence of a value: missing, or not a number. */
  readonly absent: boolean;
}

/** What a cell shows; undefined is a value that has not come yet. */
export function cellOf(value: string | null | undefined, kind: ColumnKind): ICell {
  if (value === undefined) {
    return { text: '', absent: false };
  }
  if (value === null) {
    return { text: trans._p('a missing value in a table', 'null'), absent: true };
  }
  return kind === 'float'
    ? { text: shortFloat(value), absent: value === 'nan' }
    : { text: value, absent: false };
}

/** What a person reads when pointing at a cell: the value with every digit. */
export function exactCell(value: string | null | undefined, kind: ColumnKind, unit: string): string {
  if (value === undefined) {
    return '';
  }
  if (value === null) {
    return trans.__('null: the value is missing');
  }
  if (value === 'nan') {
    return trans.__('NaN: there is a value, and it is not a number');
  }
  return unit !== '' && (kind === 'float' || kind === 'integer') ? `${value} ${unit}` : value;
}

/** A number with the digits that matter: `0.00812346`, `-1.5e-12`, `NaN`. */
export function shortFloat(text: string): string {
  const value = Number(text);
  switch (text) {
    case 'nan':
      return 'NaN';
    case 'inf':
      return '∞';
    case '-inf':
      return '−∞';
  }
  if (value === 0 || !Number.isFinite(value)) {
    return text;
  }
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4) {
    return value
      .toExponential(DIGITS - 2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e');
  }
  // Whole numbers up to seven digits keep all of them.
  return size >= 1e5 ? value.toFixed(Number.isInteger(value) ? 0 : 1) : trimmed(value.toPrecision(DIGITS));
}

/** Whether values of a kind stand at the right. */
export function isNumeric(kind: ColumnKind): boolean {
  return kind === 'float' || kind === 'integer';
}

/** A glyph for a kind, as wide as two letters. */
export function kindGlyph(kind: ColumnKind): string {
  return { integer: '12', float: '1.5', boolean: 'T/F', text: 'ab', time: '◷', other: '[ ]' }[kind];
}

/** Pixels that a column takes before anybody pulls at it. */
export function widthOf({ name, kind, type }: { name: string; kind: ColumnKind; type: string }): number {
  const wide = { int64: 150, uint64: 150 }[type];
  const values = wide ?? { integer: 84, float: 96, boolean: 62, text: 110, time: 190, other: 150 }[kind];
  return Math.max(values, Math.min(220, 34 + name.length * 7));
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
