/** Milliseconds after which typing begins anew. */
const PAUSE = 700;

/** When the last letter of a name was typed, in ms since the epoch. */
let lastKey = 0;

/** Names that are asked for one by one. */
export interface INames {
  readonly length: number;
  at(index: number): string | undefined;
}

/**
 * Finds rows by the letters their names begin with, as one types them.
 */
export class TypeAhead {
  constructor(private readonly _now: () => number = Date.now) {}

  /** Whether somebody is in the middle of a name, anywhere: then every key is part of it. */
  static get underWay(): boolean {
    return Date.now() - lastKey < PAUSE;
  }

  /** Whether the key is a letter to look for, and no shortcut. */
  takes(event: { key: string; ctrlKey: boolean; altKey: boolean; metaKey: boolean }): boolean {
    const { key, ctrlKey, altKey, metaKey } = event;
    return key.length === 1 && !ctrlKey && !altKey && !metaKey && (key !== ' ' || this._fresh());
  }

  /** Index of the next name that begins with what was typed, or null. */
  find(key: string, names: INames, active: number): number | null {
    this._typed = (this._fresh() ? this._typed : '') + key.toLowerCase();
    this._last = this._now();
    lastKey = Date.now();
    // The same letter again and again walks from one name to the next.
    const repeated = this._typed === this._typed.slice(0, 1).repeat(this._typed.length);
    const wanted = repeated ? this._typed.slice(0, 1) : this._typed;
    const first = active + (repeated ? 1 : 0);
    const { length } = names;
    for (let step = 0; step < Math.min(length, MOST_NAMES); step++) {
      const index = (first + step) % length;
      if (names.at(index)?.toLowerCase().startsWith(wanted)) {
        return index;
      }
    }
    return null;
  }

  /** Another key was pressed: typing begins anew. */
  clear(): void {
    this._typed = '';
    lastKey = 0;
  }

  /** Whether what was typed before still counts. */
  private _fresh(): boolean {
    return this._typed !== '' && this._now() - this._last < PAUSE;
  }

  private _typed = '';
  private _last = 0;
}

/** Names looked at for one key, so that no key takes long; the search box looks at all. */
const MOST_NAMES = 20_000;
