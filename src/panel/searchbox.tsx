import { clearIcon, searchIcon, VDomRenderer } from '@jupyterlab/ui-components';
import type { KeyboardEvent, ReactElement } from 'react';

import type { SearchModel } from '../model';
import { trans } from '../trans';

/** The field at the top of the panel in which a search is typed. */
export class SearchBox extends VDomRenderer<SearchModel> {
  constructor(
    private readonly _search: SearchModel,
    /** Go to the first result, or to the tree if nothing is searched for. */
    private readonly _onDown: () => void,
    /** Open the first result. */
    private readonly _onEnter: () => void
  ) {
    super(_search);
    this.addClass('pb-Search');
  }

  /** Let a person type here. */
  focusInput(): void {
    const input = this.node.querySelector('input');
    input?.focus();
    input?.select();
  }

  protected override render(): ReactElement {
    const { text, status } = this._search;
    return (
      <div className="pb-Search-field" role="search">
        <searchIcon.react tag="span" className="pb-Search-icon" aria-hidden="true" />
        <input
          className="pb-Search-input"
          type="text"
          role="searchbox"
          value={text}
          placeholder={trans.__('search collections, types, datasets …')}
          aria-label={trans.__('Search collections, dataset types and datasets')}
          title={trans.__(
            'Words that have all to occur, or globs such as u/*/coadd; an identifier finds its dataset. Press / to come here.'
          )}
          spellCheck={false}
          autoComplete="off"
          onFocus={() => this._search.prepare()}
          onChange={event => this._search.search(event.target.value)}
          onKeyDown={this._onKeyDown}
        />
        {status !== 'idle' && (
          <button
            type="button"
            className="pb-Search-clear"
            title={trans.__('Clear the search (Escape)')}
            onClick={() => {
              this._search.search('');
              this.focusInput();
            }}
          >
            <clearIcon.react tag="span" />
          </button>
        )}
      </div>
    );
  }

  private readonly _onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.nativeEvent.isComposing) {
      return;
    }
    if (event.key === 'Escape') {
      this._search.search('');
    } else if (event.key === 'ArrowDown') {
      this._onDown();
    } else if (event.key === 'Enter') {
      this._search.hurry();
      this._onEnter();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
}
