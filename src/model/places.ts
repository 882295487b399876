import { type ISignal, Signal } from '@lumino/signaling';

import type { RepositoryKind } from '../api';

/** A collection, or a dataset type in one, that can be found again. */
export interface IPlace {
  readonly kind: RepositoryKind;
  readonly label: string;
  readonly collection: string;
  /** Null for the collection itself. */
  readonly datasetType: string | null;
}

/** Most places that are remembered as opened last. */
export const MOST_RECENT = 8;

/** A word for a place that no other has. */
export function placeId({ kind, label, collection, datasetType }: IPlace): string {
  return `${kind}:${label} ${collection} ${datasetType ?? ''}`;
}

/**
 * The places a person has starred, and those opened last.
 */
export class Places {
  /** Emitted when there are others than before. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** In the order in which they were starred. */
  get favourites(): readonly IPlace[] {
    return this._favourites;
  }

  /** The last one first. */
  get recent(): readonly IPlace[] {
    return this._recent;
  }

  isStarred(place: IPlace): boolean {
    return this._starred.has(placeId(place));
  }

  /** Take what was saved; what is no place is left out. */
  restore(favourites: unknown, recent: unknown): void {
    this._setFavourites(placesFrom(favourites));
    this._recent = placesFrom(recent).slice(0, MOST_RECENT);
    this._changed.emit();
  }

  /** Star a place, or no longer. */
  toggle(place: IPlace): void {
    const others = this._favourites.filter(other => placeId(other) !== placeId(place));
    this._setFavourites(others.length < this._favourites.length ? others : [...others, place]);
    this._changed.emit();
  }

  /** A place was opened. */
  visit(place: IPlace): void {
    const id = placeId(place);
    if (this._recent[0] && placeId(this._recent[0]) === id) {
      return;
    }
    this._recent = [place, ...this._recent.filter(other => placeId(other) !== id)].slice(0, MOST_RECENT);
    this._changed.emit();
  }

  /** Forget what was opened. */
  forgetRecent(): void {
    this._recent = [];
    this._changed.emit();
  }

  private _setFavourites(favourites: readonly IPlace[]): void {
    this._favourites = favourites;
    this._starred = new Set(favourites.map(placeId));
  }

  private readonly _changed = new Signal<this, void>(this);
  private _favourites: readonly IPlace[] = [];
  private _starred: ReadonlySet<string> = new Set();
  private _recent: readonly IPlace[] = [];
}

function placesFrom(saved: unknown): IPlace[] {
  return Array.isArray(saved) ? (saved as readonly unknown[]).flatMap(one => placeFrom(one) ?? []) : [];
}

function placeFrom(saved: unknown): IPlace | null {
  if (typeof saved !== 'object' || saved === null) {
    return null;
  }
  const { kind, label, collection, datasetType } = saved as Readonly<Record<string, unknown>>;
  return (kind === 'official' || kind === 'personal') &&
    typeof label === 'string' &&
    typeof collection === 'string'
    ? { kind, label, collection, datasetType: typeof datasetType === 'string' ? datasetType : null }
    : null;
}
