/**
 * Which rows of the tree are not in the state that they begin with.
 */
export class Toggles {
  /** Identifiers of all of them. */
  get all(): string[] {
    return [...this._all];
  }

  has(id: string): boolean {
    return this._all.has(id);
  }

  /** Those that belong to one row: the last parts of their ways. */
  below(id: string): readonly string[] {
    return [...(this._below.get(id) ?? [])];
  }

  /** Open a row that begins closed. */
  open(id: string): void {
    this.set(id, true);
  }

  set(id: string, toggled: boolean): void {
    const bar = id.lastIndexOf('|');
    const [parent, segment] = [id.slice(0, Math.max(0, bar)), id.slice(bar + 1)];
    if (toggled) {
      this._all.add(id);
      const below = this._below.get(parent) ?? new Set();
      this._below.set(parent, below.add(segment));
    } else {
      this._all.delete(id);
      this._below.get(parent)?.delete(segment);
    }
  }

  private readonly _all = new Set<string>();
  private readonly _below = new Map<string, Set<string>>();
}
