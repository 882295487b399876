import type { IStateDB } from '@jupyterlab/statedb';
import { Debouncer } from '@lumino/polling';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import type { Repository } from '../api';
import type { RememberedContents } from './contents';
import type { IDatasetTarget } from './targets';
import type { ITreeView } from './tree';

/** What is listed and which of it is chosen. */
export interface IListing {
  readonly target: IDatasetTarget;
  /** Identifiers of the chosen datasets. */
  readonly chosen: readonly string[];
}

/** What the panel remembers from one page load to the next. */
export interface IRemembered {
  /** Rows of the tree that are not in the state they begin with. */
  readonly toggled: readonly string[];
  /** Repositories as they were last seen, to be shown until they are asked for. */
  readonly repositories: readonly Repository[];
  /** Open levels and lists as they were last seen. */
  readonly contents: readonly RememberedContents[];
  readonly view: ITreeView;
  readonly listing: IListing | null;
  /** What is searched for. */
  readonly search: string;
  /** Heights of the sections, relative to each other, and which are collapsed. */
  readonly sections: { readonly sizes: readonly number[]; readonly collapsed: readonly boolean[] } | null;
}

/** Of this version; what another one wrote is left alone. */
const KEY = 'python-butler:panel-2';

/** Most opened rows, and chosen datasets, remembered: the state database is read as a whole at every start. */
const MOST = 500;

/**
 * Keeps what the panel remembers in JupyterLab's state database, which belongs to the workspace.
 */
export class Memory {
  constructor(private readonly _state: IStateDB | null) {}

  /** What was saved, with nothing in the place of what was not. */
  async fetch(): Promise<IRemembered> {
    const saved = (await this._state?.fetch(KEY).catch(() => undefined)) as Partial<IRemembered> | undefined;
    return {
      toggled: listOf(saved?.toggled),
      repositories: listOf(saved?.repositories),
      contents: listOf(saved?.contents),
      view: { active: saved?.view?.active ?? null, top: saved?.view?.top ?? null },
      listing: saved?.listing?.target ? { ...saved.listing, chosen: listOf(saved.listing.chosen) } : null,
      search: typeof saved?.search === 'string' ? saved.search : '',
      sections:
        Array.isArray(saved?.sections?.sizes) && Array.isArray(saved.sections.collapsed)
          ? saved.sections
          : null
    };
  }

  /** Save soon; many changes at once are saved once, and what is saved is asked for only then. */
  save(remembered: () => IRemembered): void {
    this._next = remembered;
    this._debouncer.invoke().catch(() => undefined);
  }

  dispose(): void {
    this._debouncer.dispose();
  }

  private async _save(): Promise<void> {
    if (!this._next) {
      return;
    }
    const remembered = this._next();
    const { listing } = remembered;
    const saved: IRemembered = {
      ...remembered,
      toggled: remembered.toggled.slice(-MOST),
      // Why a repository could not be read is not worth remembering: it is asked for again.
      repositories: remembered.repositories.map(repository => ({ ...repository, error: null })),
      listing: listing && { ...listing, chosen: listing.chosen.slice(0, MOST) }
    };
    await this._state?.save(KEY, saved as unknown as ReadonlyJSONObject);
  }

  private _next: (() => IRemembered) | null = null;
  private readonly _debouncer = new Debouncer(() => this._save(), 500);
}

function listOf<T>(saved: readonly T[] | undefined): readonly T[] {
  return Array.isArray(saved) ? (saved as readonly T[]) : [];
}
