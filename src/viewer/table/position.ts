/**
 * Where the keyboard is in the grid, and which cells are selected; row -1 is the header.
 */

export interface IPosition {
  readonly row: number;
  readonly column: number;
}

/** From the cell where a selection began to the one where it ends. */
export interface ISelection {
  readonly anchor: IPosition;
  readonly active: IPosition;
}

export interface IExtent {
  readonly rows: number;
  readonly columns: number;
  /** Rows that fit the view. */
  readonly page: number;
}

/** Where a key leads, or null if it is none that moves. */
export function moved(
  { row, column }: IPosition,
  key: string,
  isControl: boolean,
  { rows, columns, page }: IExtent
): IPosition | null {
  const inside = (to: IPosition): IPosition => ({
    row: Math.max(-1, Math.min(rows - 1, to.row)),
    column: Math.max(0, Math.min(columns - 1, to.column))
  });
  switch (key) {
    case 'ArrowUp':
      return inside({ row: isControl ? 0 : row - 1, column });
    case 'ArrowDown':
      return inside({ row: isControl ? rows - 1 : row + 1, column });
    case 'ArrowLeft':
      return inside({ row, column: isControl ? 0 : column - 1 });
    case 'ArrowRight':
      return inside({ row, column: isControl ? columns - 1 : column + 1 });
    case 'PageUp':
      return inside({ row: Math.max(0, row - page), column });
    case 'PageDown':
      return inside({ row: row + page, column });
    case 'Home':
      return inside(isControl ? { row: 0, column: 0 } : { row, column: 0 });
    case 'End':
      return inside(isControl ? { row: rows - 1, column: columns - 1 } : { row, column: columns - 1 });
    default:
      return null;
  }
}

/** The rectangle of a selection. */
export function rectangle({ anchor, active }: ISelection): {
  readonly rows: readonly [number, number];
  readonly columns: readonly [number, number];
} {
  const ordered = (a: number, b: number): [number, number] => (a < b ? [a, b] : [b, a]);
  return {
    rows: ordered(Math.max(0, anchor.row), Math.max(0, active.row)),
    columns: ordered(anchor.column, active.column)
  };
}

export function isSelected(selection: ISelection, row: number, column: number): boolean {
  const { rows, columns } = rectangle(selection);
  return row >= rows[0] && row <= rows[1] && column >= columns[0] && column <= columns[1];
}
