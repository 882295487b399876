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
    this._chosen = new Map();
    this._activeIndex = null;
    this.picking.clear();
  }

  /** After others were chosen or rows have moved: keep the chosen ones, and find the active one. */
  follow(pages: RowPages): void {
    const { chosen, active } = this.picking;
    const before = this._chosen;
    this._chosen = new Map([...before].filter(([id]) => chosen.has(id)));
    this._activeIndex = active === null ? null : (before.get(active)?.[0] ?? null);
    for (const [index, row] of pages.entries()) {
      if (chosen.has(row.id)) {
        this._chosen.set(row.id, [index, row]);
      }
      if (row.id === active) {
        this._activeIndex = index;
      }
    }
  }

  private _chosen = new Map<string, readonly [index: number, row: Dataset]>();
  private _activeIndex: number | null = null;
}
