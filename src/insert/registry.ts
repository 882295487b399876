/**
 * Snippets that are not our own: from other extensions, and from the settings.
 */

import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { ISnippet } from './snippets';

/** Takes ways of writing datasets as code, which menus then offer after the usual ones. */
export interface ISnippetRegistry {
  /**
   * Add a snippet.
   *
   * @returns what takes it away again.
   * @throws if there is a snippet with this identifier already.
   */
  add(snippet: ISnippet): IDisposable;
  /** All that were added, in order, and after them those of the settings. */
  readonly snippets: readonly ISnippet[];
  /** Emitted when there are others. */
  readonly changed: ISignal<ISnippetRegistry, void>;
}

/** Keeps the snippets that are not our own. */
export class SnippetRegistry implements ISnippetRegistry {
  get snippets(): readonly ISnippet[] {
    return [...this._added.values(), ...this._personal];
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  add(snippet: ISnippet): IDisposable {
    const { id } = snippet;
    if (this._added.has(id)) {
      throw new Error(`There is a snippet ${id} already.`);
    }
    this._added.set(id, snippet);
    this._changed.emit();
    return new DisposableDelegate(() => {
      if (this._added.delete(id)) {
        this._changed.emit();
      }
    });
  }

  /** The snippets of the settings, in place of those before. */
  set personal(snippets: readonly ISnippet[]) {
    this._personal = snippets;
    this._changed.emit();
  }

  private readonly _added = new Map<string, ISnippet>();
  private readonly _changed = new Signal<this, void>(this);
  private _personal: readonly ISnippet[] = [];
}
