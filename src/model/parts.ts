/**
 * Long lists of rows of which only those asked for are made: opening a branch, scrolling and counts that
 * arrive cost as much as is open and in view, however many rows there are.
 */

/** What one row is before it is known where it stands. */
export interface IDraft {
  /** Begins with the identifier of the row it belongs to, and a bar; no other bar follows. */
  readonly id: string;
  readonly expanded: boolean | null;
}

/** Some rows that belong to the same one, in order. */
export interface IPart<D extends IDraft> {
  readonly length: number;
  at(index: number): D;
  /** Where the row is, or -1. */
  indexOf(id: string): number;
  /** Which of them are open, in order. */
  readonly open: readonly number[];
}

/** A few rows, all made. */
export function listed<D extends IDraft>(drafts: readonly D[]): IPart<D> {
  return {
    length: drafts.length,
    at: index => {
      const draft = drafts[index];
      if (draft === undefined) {
        throw new RangeError(`There is no row ${index}.`);
      }
      return draft;
    },
    indexOf: id => drafts.findIndex(draft => draft.id === id),
    open: drafts.flatMap((draft, index) => (draft.expanded ? [index] : []))
  };
}

/** Rows after one another. */
export function joined<D extends IDraft>(parts: readonly IPart<D>[]): IPart<D> {
  if (parts.length === 1 && parts[0]) {
    return parts[0];
  }
  const starts: number[] = [];
  let length = 0;
  const open: number[] = [];
  for (const part of parts) {
    starts.push(length);
    for (const index of part.open) {
      open.push(length + index);
    }
    length += part.length;
  }
  const partOf = (index: number): number => {
    let found = 0;
    while (found + 1 < parts.length && (starts[found + 1] ?? Infinity) <= index) {
      found += 1;
    }
    return found;
  };
  return {
    length,
    open,
    at: index => {
      const found = partOf(index);
      const part = parts[found];
      if (part === undefined) {
        throw new RangeError(`There is no row ${index}.`);
      }
      return part.at(index - (starts[found] ?? 0));
    },
    indexOf: id => {
      for (const [number, part] of parts.entries()) {
        const index = part.indexOf(id);
        if (index >= 0) {
          return (starts[number] ?? 0) + index;
        }
      }
      return -1;
    }
  };
}

/** Where a row stands. */
export interface IPlaced {
  /** From 1, as `aria-level` counts. */
  readonly level: number;
  /** Index of the row it belongs to; -1 at the root. */
  readonly parent: number;
  /** From 1, among the rows that belong to the same one. */
  readonly position: number;
  readonly siblings: number;
}

/** All rows of one branch and of what is open in it. */
export class Branch<D extends IDraft> {
  /**
   * @param part - The rows of the branch itself.
   * @param below - The rows that belong to one of these, which is open.
   */
  constructor(
    private readonly _part: IPart<D>,
    below: (draft: D) => IPart<D>
  ) {
    let length = _part.length;
    this._open = _part.open.map(index => {
      const draft = _part.at(index);
      const branch = new Branch(below(draft), below);
      length += branch.length;
      return { index, id: draft.id, branch };
    });
    this.length = length;
  }

  readonly length: number;

  /** The row at this place, counted from the branch's first, with where it stands. */
  at(index: number, level = 1, parent = -1, start = 0): { readonly draft: D } & IPlaced {
    let hidden = 0;
    for (const { index: own, branch } of this._open) {
      const place = own + hidden;
      if (index <= place) {
        break;
      }
      if (index <= place + branch.length) {
        return branch.at(index - place - 1, level + 1, start + place, start + place + 1);
      }
      hidden += branch.length;
    }
    const own = index - hidden;
    return {
      draft: this._part.at(own),
      level,
      parent,
      position: own + 1,
      siblings: this._part.length
    };
  }

  /** Where the row is, counted from the branch's first, or -1. */
  indexOf(id: string): number {
    let hidden = 0;
    for (const { index, id: ownId, branch } of this._open) {
      if (id.startsWith(`${ownId}|`)) {
        const found = branch.indexOf(id);
        return found < 0 ? -1 : index + hidden + 1 + found;
      }
      hidden += branch.length;
    }
    const own = this._part.indexOf(id);
    if (own < 0) {
      return -1;
    }
    return this._open.reduce(
      (place, { index, branch }) => (index < own ? place + branch.length : place),
      own
    );
  }

  private readonly _open: readonly {
    readonly index: number;
    readonly id: string;
    readonly branch: Branch<D>;
  }[];
}
