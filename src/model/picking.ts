/**
 * Which rows of a list are chosen, by identifier, so that they stay chosen when rows come and go.
 */
export class Picking {
  /** Identifiers of the chosen rows: another set whenever a row was chosen or given up. */
  get chosen(): ReadonlySet<string> {
    return this._chosen;
  }

  /** The row that has the keyboard, or null before any was touched. */
  get active(): string | null {
    return this._active;
  }

  /** The row that was chosen last by itself, where a stretch begins; null before any was. */
  get anchor(): string | null {
    return this._anchor;
  }

  /** Choose this row and no other. */
  only(id: string): void {
    this._chosen = new Set([id]);
    this._active = this._anchor = id;
  }

  /** Choose this row too, or no longer. */
  toggle(id: string): void {
    const chosen = new Set(this._chosen);
    if (!chosen.delete(id)) {
      chosen.add(id);
    }
    this._chosen = chosen;
    this._active = this._anchor = id;
  }

  /** Choose these too; the row that has the keyboard keeps it. */
  add(ids: readonly string[]): void {
    this._chosen = new Set([...this._chosen, ...ids]);
    this._active ??= ids[0] ?? null;
    this._anchor ??= this._active;
  }

  /** Choose a stretch from its anchor to this row, both included. */
  extendTo(id: string, between: ReadonlySet<string>): void {
    this._chosen = between;
    this._active = id;
    this._anchor ??= id;
  }

  /** Choose all. */
  all(ids: readonly string[]): void {
    this._chosen = new Set(ids);
    this._active ??= ids[0] ?? null;
    this._anchor ??= this._active;
  }

  /** Forget rows that are no longer there. */
  keep(ids: ReadonlySet<string>): void {
    if ([...this._chosen].some(id => !ids.has(id))) {
      this._chosen = new Set([...this._chosen].filter(id => ids.has(id)));
    }
    this._active = this._active !== null && ids.has(this._active) ? this._active : null;
    this._anchor = this._anchor !== null && ids.has(this._anchor) ? this._anchor : null;
  }

  clear(): void {
    this._chosen = new Set();
    this._active = this._anchor = null;
  }

  private _chosen: ReadonlySet<string> = new Set();
  private _active: string | null = null;
  private _anchor: string | null = null;
}
