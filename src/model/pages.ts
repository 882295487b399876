import type { Dataset } from '../api';

/** A stretch of a list, as it was fetched. */
export interface IPage {
  /** Where it begins, for the server; null at the top. */
  readonly cursor: string | null;
  /** Index of its first row. */
  start: number;
  /** How many rows it has, held or not. */
  length: number;
  /** Null once they were let go. */
  rows: Dataset[] | null;
  /** False while it comes, and if it broke off. */
  whole: boolean;
}

/**
 * The rows of a long list, of which only some are held: the others are known by where their page begins.
 */
export class RowPages {
  /** How many rows the list has so far, held or not. */
  get length(): number {
    const last = this._pages.at(-1);
    return last ? last.start + last.length : 0;
  }

  /** How many rows belong to pages that came whole. */
  get whole(): number {
    const last = this._pages.at(-1);
    return last?.whole === false ? last.start : this.length;
  }

  /** How many rows are held. */
  get held(): number {
    return this._held;
  }

  /** A row, or undefined if it is not held. */
  at(index: number): Dataset | undefined {
    const page = this.pageAt(index);
    return page?.rows?.[index - page.start];
  }

  /** The held rows with their indexes, in order. */
  *entries(): Generator<readonly [index: number, row: Dataset], void, undefined> {
    for (const { start, rows } of this._pages) {
      for (const [at, row] of rows?.entries() ?? []) {
        yield [start + at, row];
      }
    }
  }

  /** The index nearest to one, on the way to it from another, whose row is held; null if there is none. */
  nearest(index: number, from: number): number | null {
    const isDown = from <= index;
    for (let at = index; isDown ? at >= from : at <= from;) {
      const page = this.pageAt(at);
      if (!page) {
        return null;
      }
      if (page.rows) {
        return at;
      }
      at = isDown ? page.start - 1 : page.start + page.length;
    }
    return null;
  }

  pageAt(index: number): IPage | undefined {
    let low = 0;
    let high = this._pages.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const page = this._pages[middle];
      if (!page || index < page.start) {
        high = middle - 1;
      } else if (index >= page.start + page.length) {
        low = middle + 1;
      } else {
        return page;
      }
    }
    return undefined;
  }

  /** The first page of a stretch that is not held. */
  missing(first: number, last: number): IPage | undefined {
    for (let index = first; index <= last;) {
      const page = this.pageAt(index);
      if (!page?.rows) {
        return page;
      }
      index = page.start + page.length;
    }
    return undefined;
  }

  /** Add a page at the end, in the place of one that broke off. */
  add(cursor: string | null): IPage {
    this.dropBroken();
    const page: IPage = { cursor, start: this.length, length: 0, rows: [], whole: false };
    this._pages.push(page);
    return page;
  }

  /** Take away a page that broke off. */
  dropBroken(): void {
    const last = this._pages.at(-1);
    if (last?.whole === false) {
      this._held -= last.rows?.length ?? 0;
      this._pages.pop();
    }
  }

  append(page: IPage, rows: readonly Dataset[]): void {
    page.rows?.push(...rows);
    page.length += rows.length;
    this._held += rows.length;
  }

  /** Put in the rows of a page again; those of the pages behind it move if there are more or fewer now. */
  refill(page: IPage, rows: Dataset[]): void {
    this._held += rows.length - (page.rows?.length ?? 0);
    page.rows = rows;
    const moved = rows.length - page.length;
    page.length = rows.length;
    if (moved !== 0) {
      for (const other of this._pages.slice(this._pages.indexOf(page) + 1)) {
        other.start += moved;
      }
    }
  }

  /**
   * Let go of the rows farthest from those in view, until no more than so many are held.
   *
   * @param kept - A stretch that stays, since it is about to be chosen.
   */
  evict(most: number, view: readonly [number, number], kept: readonly [number, number]): void {
    if (this._held <= most) {
      return;
    }
    const [first, last] = view;
    const distance = ({ start, length }: IPage): number => Math.max(start - last, first - start - length, 0);
    const isKept = ({ start, length }: IPage): boolean => start <= kept[1] && start + length > kept[0];
    const candidates = this._pages
      .filter(page => page.whole && page.rows && distance(page) > 0 && !isKept(page))
      .sort((a, b) => distance(b) - distance(a));
    for (const page of candidates) {
      if (this._held <= most) {
        return;
      }
      this._held -= page.rows?.length ?? 0;
      page.rows = null;
    }
  }

  /** Let go of all rows of whole pages: they may be others by now. */
  evictAll(): void {
    for (const page of this._pages) {
      this._held -= page.rows?.length ?? 0;
      page.rows = null;
    }
  }

  private readonly _pages: IPage[] = [];
  private _held = 0;
}
