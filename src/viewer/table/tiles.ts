/** Rows in a tile: what is fetched together of a column. */
export const TILE_ROWS = 64;

/** Tiles that are kept: about 400,000 cells. */
const KEPT = 6_000;

type Values = readonly (string | null)[];

/**
 * Cells that have come, in tiles of one column each; the longest unused go first.
 */
export class Tiles {
  clear(): void {
    this._tiles.clear();
  }

  cell(column: string, row: number): string | null | undefined {
    return this._tiles.get(key(column, Math.floor(row / TILE_ROWS)))?.[row % TILE_ROWS];
  }

  has(column: string, tile: number): boolean {
    const name = key(column, tile);
    const values = this._tiles.get(name);
    if (!values) {
      return false;
    }
    // What is looked at goes last.
    this._tiles.delete(name);
    this._tiles.set(name, values);
    return true;
  }

  /** Take in values from the first row of a tile on. */
  put(column: string, tile: number, values: Values): void {
    const count = Math.max(1, Math.ceil(values.length / TILE_ROWS));
    for (let index = 0; index < count; index++) {
      this._tiles.set(key(column, tile + index), values.slice(index * TILE_ROWS, (index + 1) * TILE_ROWS));
    }
    for (const oldest of this._tiles.keys()) {
      if (this._tiles.size <= KEPT) {
        break;
      }
      this._tiles.delete(oldest);
    }
  }

  get size(): number {
    return this._tiles.size;
  }

  private readonly _tiles = new Map<string, Values>();
}

function key(column: string, tile: number): string {
  return `${tile} ${column}`;
}
