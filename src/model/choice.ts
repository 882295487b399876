import type { Dataset } from '../api';
import type { RowPages } from './pages';
import { Picking } from './picking';

/**
 * The chosen rows of a list, held or not, and where they are in it.
 */
export class Choice {
  /** Which rows are chosen, by identifier. */
  readonly picking = new Picking();

  /** Whether everything found is chosen, also what is not held or has not come. */
  isAll = false;

  /** How many rows of the stretch that was chosen last are not chosen, since they were never held. */
  leftOut = 0;

  /** Index of the row that has the keyboard, or null before any was touched. */
  get activeIndex(): number | null {
    return this._activeIndex;
  }

  has(id: string): boolean {
    return this.isAll || this.picking.chosen.has(id);
  }

  /** The chosen rows in the order of the list, as far as they were ever held. */
  get rows(): Dataset[] {
    return [...this._chosen.values()].sort(([a], [b]) => a - b).map(([, row]) => row);
  }

  /** Choose nothing. */
  clear(): void {
    this.isAll = false;
    this.leftOut = 0;
    this._chosen = new Map();
    this._activeIndex = this._anchorIndex = null;
    this.picking.clear();
  }

  /**
   * Choose from the row that a stretch begins with to an index, as far as rows are held or chosen already.
   *
   * @param id - The row that has the keyboard then.
   */
  extendTo(id: string, index: number, pages: RowPages): void {
    const from = this._anchorIndex ?? index;
    const [first, last] = [Math.min(from, index), Math.max(from, index)];
    const isBetween = (at: number): boolean => first <= at && at <= last;
    const between = new Set([id]);
    for (const [chosen, [at]] of this._chosen) {
      if (isBetween(at)) {
        between.add(chosen);
      }
    }
    for (const [at, row] of pages.entries()) {
      if (isBetween(at)) {
        between.add(row.id);
      }
    }
    this.isAll = false;
    this.picking.extendTo(id, between);
    this.follow(pages);
    this.leftOut = Math.max(0, last - first + 1 - between.size);
  }

  /** After others were chosen or rows have moved: keep the chosen ones, and find the active one. */
  follow(pages: RowPages): void {
    const { chosen, active, anchor } = this.picking;
    const before = this._chosen;
    this._chosen = new Map([...before].filter(([id]) => chosen.has(id)));
    this._activeIndex = active === null ? null : (before.get(active)?.[0] ?? null);
    if (anchor !== this._anchor) {
      this._anchor = anchor;
      this._anchorIndex = null;
    }
    for (const [index, row] of pages.entries()) {
      if (chosen.has(row.id)) {
        this._chosen.set(row.id, [index, row]);
      }
      if (row.id === active) {
        this._activeIndex = index;
      }
      if (row.id === anchor) {
        this._anchorIndex = index;
      }
    }
  }

  private _chosen = new Map<string, readonly [index: number, row: Dataset]>();
  private _activeIndex: number | null = null;
  private _anchor: string | null = null;
  private _anchorIndex: number | null = null;
}
