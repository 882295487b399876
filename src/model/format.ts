import type { DatasetCount } from '../api';

const EXACT = new Intl.NumberFormat('en-US');

/** All digits, grouped: `5,123,456`. */
export function exactNumber(value: number): string {
  return EXACT.format(value);
}

/** Two or three digits that matter: `5.1 M`, `925 k`, `999`. */
export function shortNumber(value: number): string {
  return scaled(value, ['', 'k', 'M', 'G'], 1000);
}

/** A size in decimal units: `12 MB`; bytes are given exactly. */
export function shortSize(bytes: number): string {
  return scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB', 'PB'], 1000);
}

/** A size to the byte: `12,345,678 bytes`. */
export function exactSize(bytes: number): string {
  return counted(bytes, 'byte');
}

/** A number with its noun: `1 dataset`, `1,312 datasets`. */
export function counted(value: number, noun: string): string {
  return `${exactNumber(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A count that may have stopped at a bound: `925 k`, `100 k+`. */
export function shortCount(count: DatasetCount): string {
  return `${shortNumber(count.count)}${count.exact ? '' : '+'}`;
}

/** The same with all digits and a noun, for those who hover. */
export function exactCount(count: DatasetCount): string {
  return `${count.exact ? '' : 'at least '}${counted(count.count, 'dataset')}`;
}

function scaled(value: number, units: readonly string[], base: number): string {
  let power = 0;
  let rest = value;
  // Half a unit of the last digit shown decides, so that 999,950 is `1 M` and not `1000 k`.
  while (power < units.length - 1 && Math.round(rest) >= base) {
    rest /= base;
    power += 1;
  }
  const digits =
    power > 0 && Math.round(rest * 10) < 100 ? rest.toFixed(1).replace(/\.0$/, '') : rest.toFixed(0);
  return `${digits} ${units[power] ?? ''}`.trim();
}
