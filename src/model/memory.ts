import type { IStateDB } from '@jupyterlab/statedb';
import { Debouncer } from '@lumino/polling';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import type { Repository } from '../api';

/** What the panel remembers from one page load to the next. */
export interface IRemembered {
  /** Rows of the tree that are not in the state they begin with. */
  readonly toggled: readonly string[];
  /** Repositories as they were last seen, to be shown until they are asked for. */
  readonly repositories: readonly Repository[];
  /** Heights of the sections, relative to each other, and which are collapsed. */
  readonly sections: { readonly sizes: readonly number[]; readonly collapsed: readonly boolean[] } | null;
}

const KEY = 'python-butler:panel';

/** Most opened rows remembered: the state database is read as a whole at every start. */
const MOST = 500;

/**
 * Keeps what the panel remembers in JupyterLab's state database, which belongs to the workspace.
 */
export class Memory {
  constructor(private readonly _state: IStateDB | null) {}

  /** What was saved, with nothing in the place of what was not, or was written by another version. */
  async fetch(): Promise<IRemembered> {
    const saved = (await this._state?.fetch(KEY).catch(() => undefined)) as Partial<IRemembered> | undefined;
    return {
      toggled: Array.isArray(saved?.toggled) ? saved.toggled : [],
      repositories: Array.isArray(saved?.repositories) ? saved.repositories : [],
      sections:
        Array.isArray(saved?.sections?.sizes) && Array.isArray(saved.sections.collapsed)
          ? saved.sections
          : null
    };
  }

  /** Save soon; many changes at once are saved once. */
  save(remembered: IRemembered): void {
    const toggled = remembered.toggled.slice(0, MOST);
    // Why a repository could not be read is not worth remembering: it is asked for again.
    const repositories = remembered.repositories.map(repository => ({ ...repository, error: null }));
    this._next = { toggled, repositories, sections: remembered.sections };
    this._debouncer.invoke().catch(() => undefined);
  }

  dispose(): void {
    this._debouncer.dispose();
  }

  private _next: ReadonlyJSONObject = {};
  private readonly _debouncer = new Debouncer(() => this._state?.save(KEY, this._next), 500);
}
