import type { Dataset } from '../api';

/** Rows looked at to judge how wide a column must be. */
const SAMPLE = 200;

/**
 * What the columns of a list depend on, gathered as its rows come, so that nobody has to go through all of
 * them again.
 */
export class RowSummary {
  /** The first rows. */
  readonly sample: Dataset[] = [];

  get first(): Dataset | undefined {
    return this.sample[0];
  }

  /** Whether all rows so far have the same value of a dimension. */
  isCommon(name: string): boolean {
    return this.first !== undefined && !this._varied.has(name);
  }

  /** Whether two datasets share a data ID, as calibrations of different times do. */
  get hasTwins(): boolean {
    return this._hasTwins;
  }

  take(rows: readonly Dataset[]): void {
    for (const row of rows) {
      if (this.sample.length < SAMPLE) {
        this.sample.push(row);
      }
      let isTwin = this._last !== undefined && this._last.id !== row.id;
      for (const name in row.data_id) {
        const value = row.data_id[name];
        if (value !== this.first?.data_id[name]) {
          this._varied.add(name);
        }
        // Those of one data ID are neighbours, whatever the order.
        isTwin &&= value === this._last?.data_id[name];
      }
      this._hasTwins ||= isTwin;
      this._last = row;
    }
  }

  private readonly _varied = new Set<string>();
  private _hasTwins = false;
  private _last: Dataset | undefined;
}
