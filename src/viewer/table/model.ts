/**
 * What is known of one table and what of it is wanted; no page is needed for it.
 */

import { type ISignal, Signal } from '@lumino/signaling';

import {
  AbortedError,
  type ColumnSummary,
  type ErrorReport,
  type ITableClient,
  reportOf,
  type RowFilter,
  type SummaryRequest,
  type TableColumn,
  type TableOverview,
  type TablePage
} from '../../api';
import { type Loadable, Resource } from '../../model';
import { TILE_ROWS, Tiles } from './tiles';

/** Most cells that are asked for at once, as the backend has it. */
export const MAX_CELLS = 20_000;
const MAX_ROWS = 1_000;
const MAX_COLUMNS = 200;

/** Milliseconds of rest before cells are fetched, so that what only flies by is not. */
const REST = 40;

/** What of the table can be seen. */
export interface IWindow {
  readonly first: number;
  readonly last: number;
  readonly columns: readonly string[];
}

/** How a summary is to be made. */
export type HistogramOptions = Pick<SummaryRequest, 'scale' | 'range'>;

export interface ISort {
  readonly column: string;
  readonly descending: boolean;
}

export class TableModel {
  constructor(private readonly _client: ITableClient) {
    this._overview = new Resource(
      signal => this._client.overview(signal),
      state => {
        if (state.status === 'loaded') {
          this._byName = new Map(state.value.columns.map(column => [column.name, column]));
          this._rows ??= state.value.rows;
        }
        this._touch();
      },
      () => true
    );
  }

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get overview(): Loadable<TableOverview> {
    return this._overview.state;
  }

  open(): void {
    this._overview.ask();
  }

  /** Ask again for whatever failed or was stopped. */
  retry(): void {
    if (this._overview.value === null) {
      this._overview.retry();
    }
    if (this._error !== null || this._stopped) {
      this._error = null;
      this._stopped = false;
      this._schedule(0);
    }
    this._touch();
  }

  /** Stop what is under way. */
  cancel(): void {
    this._overview.cancel();
    if (this._running !== null || this._timer !== undefined) {
      this._abort();
      this._stopped = true;
    }
    this._summary?.cancel();
    this._touch();
  }

  // Columns

  column(name: string): TableColumn | undefined {
    return this._byName.get(name);
  }

  /** The columns of the grid. */
  get columns(): readonly TableColumn[] {
    const all = this._overview.value?.columns ?? [];
    return this._chosenOnly && this._chosen.size > 0 ? all.filter(({ name }) => this._chosen.has(name)) : all;
  }

  /** Columns that a person marked, to see only these and to insert them. */
  get chosen(): ReadonlySet<string> {
    return this._chosen;
  }

  /** Their names in the order of the table. */
  get chosenNames(): readonly string[] {
    const all = this._overview.value?.columns ?? [];
    return all.filter(({ name }) => this._chosen.has(name)).map(({ name }) => name);
  }

  choose(names: readonly string[], chosen: boolean): void {
    const next = new Set(this._chosen);
    names.forEach(name => (chosen ? next.add(name) : next.delete(name)));
    this._chosen = next;
    this._chosenOnly &&= next.size > 0;
    this._touch();
  }

  get chosenOnly(): boolean {
    return this._chosenOnly;
  }

  showChosenOnly(only: boolean): void {
    this._chosenOnly = only;
    this._touch();
  }

  // Rows

  /** How many rows there are to see; null while that is being found out. */
  get rows(): number | null {
    return this._rows;
  }

  /** The last answer's account of itself. */
  get page(): TablePage | null {
    return this._page;
  }

  /** Bytes of the file that were read for this view so far. */
  get bytesRead(): number {
    return this._bytesRead;
  }

  get loading(): boolean {
    return this._running !== null;
  }

  get stopped(): boolean {
    return this._stopped;
  }

  get error(): ErrorReport | null {
    return this._error;
  }

  get filters(): readonly RowFilter[] {
    return this._filters;
  }

  get sort(): ISort | null {
    return this._sort;
  }

  sortBy(sort: ISort | null): void {
    this._sort = sort;
    this._renew(false);
  }

  /** Order by a column, then the other way round, then as the file has it. */
  toggleSort(column: string): void {
    const now = this._sort?.column === column ? this._sort : null;
    this.sortBy(now?.descending === true ? null : { column, descending: now !== null });
  }

  /** Keep only some rows; a filter takes the place of the one on the same column. */
  filter(filter: RowFilter): void {
    this._filters = [...this._filters.filter(({ column }) => column !== filter.column), filter];
    this._renew(true);
  }

  unfilter(column: string | null): void {
    this._filters = column === null ? [] : this._filters.filter(filter => filter.column !== column);
    this._renew(true);
  }

  /** A value; undefined until it has come. */
  cell(column: string, row: number): string | null | undefined {
    return this._tiles.cell(column, row);
  }

  /** Which row of the table is at a place in the view; undefined until it has come. */
  rowNumber(row: number): number | undefined {
    const plain = this._sort === null && this._filters.length === 0;
    return plain ? row : this._numbers.get(row);
  }

  /** These cells can be seen: what is missing of them is fetched, and nothing else. */
  look({ first, last, columns }: IWindow): void {
    // However large the page around makes the grid, no more is asked for than one answer may hold.
    const window = {
      first,
      last: Math.min(last, first + MAX_ROWS - 2 * TILE_ROWS),
      columns: columns.slice(0, MAX_COLUMNS)
    };
    this._window = window;
    if (this._stopped || this._error !== null) {
      return;
    }
    if (this._running !== null && !overlaps(this._running.window, window)) {
      this._abort();
    }
    if (this._running === null && this._missing() !== null) {
      this._schedule(REST);
    }
  }

  /** Cells as text, a line a row, with the columns' names above; null if it is too much. */
  async text(window: IWindow): Promise<string | null> {
    const { first, last, columns } = window;
    const count = last - first + 1;
    if (count * columns.length > MAX_CELLS || count > MAX_ROWS || columns.length > MAX_COLUMNS) {
      return null;
    }
    const { columns: values } = await this._client.rows(
      { view: this._view(), columns: [...columns], start: first, count },
      new AbortController().signal
    );
    const lines = Array.from({ length: values[0]?.length ?? 0 }, (_, row) =>
      values.map(column => (column[row] ?? '').replace(/[\t\n]/g, ' ')).join('\t')
    );
    return [columns.join('\t'), ...lines].join('\n');
  }

  // One column

  /** The column that the summary is of. */
  get current(): string | null {
    return this._current;
  }

  get summary(): Loadable<ColumnSummary> {
    return this._summary?.state ?? { status: 'unasked' };
  }

  get histogram(): HistogramOptions {
    return this._histogram;
  }

  /** Show a column's summary. */
  inspect(column: string | null): void {
    if (column !== this._current) {
      this._current = column;
      this._histogram = { scale: 'linear', range: 'most' };
      this._summarise();
    }
  }

  setHistogram(options: Partial<HistogramOptions>): void {
    this._histogram = { ...this._histogram, ...options };
    this._summarise();
  }

  retrySummary(): void {
    this._summary?.retry();
  }

  dispose(): void {
    this._isDisposed = true;
    this._abort();
    this._overview.dispose();
    this._summary?.dispose();
    Signal.clearData(this);
  }

  private _summarise(): void {
    this._summary?.dispose();
    this._summary = null;
    const column = this._current;
    if (column !== null) {
      // The summary of a column is of all rows that the other filters leave.
      const filters = this._filters.filter(filter => filter.column !== column);
      this._summary = new Resource(
        signal => this._client.summary({ column, filters, bins: 60, ...this._histogram }, signal),
        () => this._touch(),
        () => true
      );
      this._summary.ask();
    }
    this._touch();
  }

  private _view(): { filters: RowFilter[]; sort: string | null; descending: boolean } {
    const { column = null, descending = false } = this._sort ?? {};
    return { filters: [...this._filters], sort: column, descending };
  }

  /** Other rows, or in another order: nothing that has come is of any use. */
  private _renew(filtered: boolean): void {
    this._abort();
    this._tiles.clear();
    this._numbers.clear();
    this._page = null;
    this._bytesRead = 0;
    this._error = null;
    this._stopped = false;
    const whole = this._sort === null && this._filters.length === 0;
    this._rows = whole ? (this._overview.value?.rows ?? null) : null;
    if (this._window) {
      this._window = { ...this._window, first: 0, last: this._window.last - this._window.first };
    }
    this._schedule(0);
    if (filtered) {
      this._summarise();
    }
    this._touch();
  }

  private _schedule(delay: number): void {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      this._timer = undefined;
      void this._fetch();
    }, delay);
  }

  /** What can be seen and has not come: some columns of some tiles. */
  private _missing(): IWindow | null {
    if (this._window === null) {
      return null;
    }
    const from = Math.floor(this._window.first / TILE_ROWS);
    const end = this._rows ?? Infinity;
    const to = Math.floor(Math.min(this._window.last, Math.max(0, end - 1)) / TILE_ROWS);
    const tiles = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
    const lacks = (column: string, tile: number): boolean => !this._tiles.has(column, tile);
    const columns = this._window.columns.filter(column => tiles.some(tile => lacks(column, tile)));
    const wanted = tiles.filter(tile => columns.some(column => lacks(column, tile)));
    const first = wanted[0];
    const last = wanted.at(-1);
    if (first === undefined || last === undefined || (end === 0 && this._page !== null)) {
      return null;
    }
    const most = Math.min(MAX_COLUMNS, Math.floor(MAX_CELLS / ((last - first + 1) * TILE_ROWS)));
    return { first: first * TILE_ROWS, last: (last + 1) * TILE_ROWS - 1, columns: columns.slice(0, most) };
  }

  private async _fetch(): Promise<void> {
    const window = this._missing();
    if (window === null || this._running !== null || this._isDisposed) {
      return;
    }
    const abort = new AbortController();
    const running = { abort, window };
    this._running = running;
    this._touch();
    const { first, last, columns } = window;
    try {
      const page = await this._client.rows(
        { view: this._view(), columns: [...columns], start: first, count: last - first + 1 },
        abort.signal
      );
      if (this._running !== running) {
        return;
      }
      this._take(page, columns);
    } catch (reason) {
      if (reason instanceof AbortedError || this._running !== running) {
        return;
      }
      this._error = reportOf(reason);
    }
    this._running = null;
    this._touch();
    if (this._error === null && this._missing() !== null) {
      this._schedule(0);
    }
  }

  private _take(page: TablePage, columns: readonly string[]): void {
    const tile = page.start / TILE_ROWS;
    columns.forEach((column, index) => this._tiles.put(column, tile, page.columns[index] ?? []));
    page.row_numbers?.forEach((number, index) => this._numbers.set(page.start + index, number));
    if (this._numbers.size > 2 * MAX_CELLS) {
      this._numbers = new Map([...this._numbers].slice(-MAX_CELLS));
    }
    this._rows = page.rows;
    this._page = page;
    this._bytesRead += page.bytes_read;
  }

  private _abort(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
    this._running?.abort.abort();
    this._running = null;
  }

  private _touch(): void {
    if (!this._isDisposed) {
      this._stateChanged.emit();
    }
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _overview: Resource<TableOverview>;
  private readonly _tiles = new Tiles();
  private _byName: ReadonlyMap<string, TableColumn> = new Map();
  private _numbers = new Map<number, number>();
  private _chosen: ReadonlySet<string> = new Set();
  private _chosenOnly = false;
  private _filters: readonly RowFilter[] = [];
  private _sort: ISort | null = null;
  private _rows: number | null = null;
  private _page: TablePage | null = null;
  private _bytesRead = 0;
  private _error: ErrorReport | null = null;
  private _stopped = false;
  private _window: IWindow | null = null;
  private _running: { readonly abort: AbortController; readonly window: IWindow } | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined = undefined;
  private _current: string | null = null;
  private _summary: Resource<ColumnSummary> | null = null;
  private _histogram: HistogramOptions = { scale: 'linear', range: 'most' };
  private _isDisposed = false;
}

/** Whether a fetch brings anything of what is wanted. */
function overlaps(one: IWindow, other: IWindow): boolean {
  const rows = one.first <= other.last && other.first <= one.last;
  return rows && one.columns.some(column => other.columns.includes(column));
}
