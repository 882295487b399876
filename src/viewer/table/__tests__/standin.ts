import {
  AbortedError,
  type ColumnSummary,
  type ITableClient,
  type SummaryRequest,
  type TableColumn,
  type TableOverview,
  type TablePage,
  type TableRequest
} from '../../../api';

/** A question that waits for the test to answer it. */
class Asked<Q, A> {
  constructor(
    readonly request: Q,
    readonly signal: AbortSignal
  ) {
    this.answer = new Promise<A>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      signal.addEventListener('abort', () => reject(new AbortedError()));
    });
  }

  readonly answer: Promise<A>;
  resolve!: (answer: A) => void;
  reject!: (reason: Error) => void;
}

export function column(name: string, more: Partial<TableColumn> = {}): TableColumn {
  return { name, kind: 'float', type: 'float64', unit: '', description: '', ...more };
}

export function overview(columns: readonly TableColumn[], rows: number): TableOverview {
  return {
    rows,
    columns: [...columns],
    format: 'Parquet',
    size: 3_545_525,
    memory: 10_000_000,
    selectable: true,
    documented_by: ''
  };
}

/** A page as the backend would answer it: each cell tells its column and row. */
export function pageFor({ start, count, columns }: TableRequest, rows: number): TablePage {
  const length = Math.max(0, Math.min(count, rows - start));
  return {
    start,
    rows,
    considered: rows,
    total: rows,
    columns: columns.map((_, index) => Array.from({ length }, (_, row) => `${start + row}.${index + 1}`)),
    row_numbers: null,
    bytes_read: 1_000
  };
}

/** What every summary has. */
export function summaryOf(column: string, more: Partial<ColumnSummary> = {}): ColumnSummary {
  return {
    column,
    kind: 'float',
    considered: 100,
    total: 100,
    rows: 100,
    count: 90,
    nulls: 4,
    nans: 6,
    infinities: 0,
    min: '1.25',
    max: '9.5',
    mean: '4.000000001',
    std: '0.5',
    median: '4.25',
    lower_quartile: '2.0',
    upper_quartile: '6.0',
    distinct: null,
    common: [],
    histogram: { scale: 'linear', edges: [0, 1, 2, 3, 4], counts: [10, 20, 30, 30], below: 0, above: 0 },
    bytes_read: 800,
    ...more
  };
}

/** A backend that answers when the test says so. */
export class StandIn implements ITableClient {
  readonly overviews: Asked<null, TableOverview>[] = [];
  readonly pages: Asked<TableRequest, TablePage>[] = [];
  readonly summaries: Asked<SummaryRequest, ColumnSummary>[] = [];

  overview(signal: AbortSignal): Promise<TableOverview> {
    return asked(this.overviews, null, signal);
  }

  rows(request: TableRequest, signal: AbortSignal): Promise<TablePage> {
    return asked(this.pages, request, signal);
  }

  summary(request: SummaryRequest, signal: AbortSignal): Promise<ColumnSummary> {
    return asked(this.summaries, request, signal);
  }
}

function asked<Q, A>(all: Asked<Q, A>[], request: Q, signal: AbortSignal): Promise<A> {
  const one = new Asked<Q, A>(request, signal);
  all.push(one);
  return one.answer;
}
