import type { Dataset } from '../api';

/** Dimensions that one instrument or one skymap fills alike; they need no column unless they differ. */
const GOVERNORS: ReadonlySet<string> = new Set(['instrument', 'skymap']);

/** Rows looked at to judge how wide a column must be. */
const SAMPLE = 200;

/** Most characters a column is given room for. */
const MOST = 40;

/** The same for runs: their ends tell them apart, and the dimensions matter more. */
const MOST_RUN = 20;

/** The column that is no dimension. */
export const RUN = 'run';

/** How a list of datasets is laid out. */
export interface IColumns {
  /** Dimensions with a column each; and `run`, where the data ID alone does not tell rows apart. */
  readonly shown: readonly string[];
  /** Dimensions with the same value in all rows, said once above the list. */
  readonly common: readonly (readonly [name: string, value: string])[];
  /** For `grid-template-columns`, so that long values get the room short ones do not need. */
  readonly template: string;
}

/** Lay out the dimensions of datasets, judging by the rows that have come so far. */
export function columnsOf(dimensions: readonly string[], rows: readonly Dataset[]): IColumns {
  const first = rows[0];
  const isCommon = (name: string): boolean =>
    first !== undefined &&
    GOVERNORS.has(name) &&
    dimensions.some(other => !GOVERNORS.has(other)) &&
    rows.every(row => row.data_id[name] === first.data_id[name]);
  const common = dimensions.filter(isCommon);
  const shown = dimensions.filter(name => !common.includes(name));
  if (shown.length === 0 || hasTwins(rows)) {
    shown.push(RUN);
  }
  const sample = rows.slice(0, SAMPLE);
  const widths = shown.map(name => Math.max(name.length, ...sample.map(row => valueOf(row, name).length)));
  return {
    shown,
    common: common.map(name => [name, String(first?.data_id[name] ?? '')] as const),
    template: widths
      .map((width, index) => `minmax(0, ${Math.min(width, shown[index] === RUN ? MOST_RUN : MOST)}fr)`)
      .join(' ')
  };
}

/** What a row has in a column. */
export function valueOf(row: Dataset, column: string): string {
  return column === RUN ? row.run : String(row.data_id[column] ?? '');
}

/** Whether two datasets share a data ID, as calibrations of different times do. */
function hasTwins(rows: readonly Dataset[]): boolean {
  // Rows come ordered by data ID: twins are neighbours.
  return rows.some((row, index) => {
    const next = rows[index + 1];
    return next !== undefined && dataIdLine(row) === dataIdLine(next);
  });
}

/** The data ID in one line, as people write it. */
export function dataIdLine(dataset: Dataset): string {
  return Object.entries(dataset.data_id)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
