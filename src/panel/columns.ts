import type { Dataset } from '../api';
import type { RowSummary } from '../model';

/** Dimensions that one instrument or one skymap fills alike; they need no column unless they differ. */
const GOVERNORS: ReadonlySet<string> = new Set(['instrument', 'skymap']);

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
export function columnsOf(dimensions: readonly string[], rows: RowSummary): IColumns {
  const { first, sample } = rows;
  const isCommon = (name: string): boolean =>
    GOVERNORS.has(name) && dimensions.some(other => !GOVERNORS.has(other)) && rows.isCommon(name);
  const common = dimensions.filter(isCommon);
  const shown = dimensions.filter(name => !common.includes(name));
  if (shown.length === 0 || rows.hasTwins) {
    shown.push(RUN);
  }
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

/** The data ID in one line, as people write it. */
export function dataIdLine(dataset: Dataset): string {
  return Object.entries(dataset.data_id)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
