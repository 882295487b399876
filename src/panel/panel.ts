import { SidePanel } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { AccordionPanel, type Widget } from '@lumino/widgets';

import type { ButlerModel, DatasetListModel } from '../model';
import type { IPanelActions } from './actions';
import { trans } from '../trans';
import { butlerIcon } from '../parts';
import { SearchBox } from './searchbox';
import { DatasetsSection, DetailsSection, TreeSection } from './sections';
import { TypeAhead } from './typeahead';

/** Heights of the sections, relative to each other, until a person changes them. */
const SIZES = [0.26, 0.24, 0.32, 0.18];

/** The same before anything is listed: only the tree has something to show. */
const EMPTY_SIZES = [0.67, 0.11, 0.11, 0.11];

/**
 * The sidebar: repositories, what narrows the list, the datasets of what is chosen, and what one of those is.
 *
 * It is there at once and asks nothing of the server until somebody sees it.
 */
export class ButlerPanel extends SidePanel {
  constructor(
    private readonly _model: ButlerModel,
    actions: IPanelActions,
    /** What narrows the list. */
    query: Widget
  ) {
    super();
    this.id = 'python-butler';
    this.addClass('pb-Panel');
    this.title.icon = butlerIcon;
    this.title.caption = trans.__('Butler');
    const tree = new TreeSection(_model, actions, () => this.focusSearch());
    this._search = new SearchBox(
      _model.search,
      () => this._focusRows(),
      () => tree.openFirst()
    );
    this.header.addWidget(this._search);
    this.addWidget(tree);
    this.addWidget(query);
    this.addWidget(new DatasetsSection(_model.datasets, actions));
    this.addWidget(new DetailsSection(_model.details, actions));
    this._accordion.setRelativeSizes(EMPTY_SIZES);
    _model.datasets.stateChanged.connect(this._makeRoom, this);
    this._accordion.expansionToggled.connect(this._remember, this);
    this._accordion.handleMoved.connect(this._remember, this);
  }

  /** Give the sections the heights they had. */
  restore(): void {
    const { sections } = this._model;
    if (sections?.sizes.length !== this.widgets.length) {
      return;
    }
    this._accordion.expansionToggled.disconnect(this._remember, this);
    sections.collapsed.forEach((isCollapsed, index) => {
      if (isCollapsed) {
        this._accordion.collapse(index);
      }
    });
    this._accordion.setRelativeSizes([...sections.sizes]);
    this._accordion.expansionToggled.connect(this._remember, this);
  }

  /** Let a person type a search. */
  focusSearch(): void {
    this._search.focusInput();
  }

  /** The row of the tree that has the keyboard, or had it last. */
  get activeRow(): string | null {
    return this.node.querySelector<HTMLElement>('.pb-Tree [tabindex="0"]')?.dataset.id ?? null;
  }

  /** The chosen row nearest to the keyboard, or the panel itself: where a menu belongs. */
  get chosenElement(): Element {
    return this.node.querySelector('.pb-DatasetRow[aria-selected="true"]') ?? this.node;
  }

  /** Put the focus where the keys of the tree work. */
  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._focusRows();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    // Before anybody else, who would take a slash for the beginning of a name.
    this.node.addEventListener('keydown', this._onKeyDown, true);
    // And after everybody else: a slash that goes on with no name was meant for the search after all.
    this.node.addEventListener('keydown', this._onKeyDown);
  }

  protected override onBeforeDetach(message: Message): void {
    this.node.removeEventListener('keydown', this._onKeyDown, true);
    this.node.removeEventListener('keydown', this._onKeyDown);
    super.onBeforeDetach(message);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.visible = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._model.visible = false;
  }

  private _focusRows(): void {
    this.node.querySelector<HTMLElement>(':is(.pb-Tree, .pb-Found) [tabindex="0"]')?.focus();
  }

  private readonly _onKeyDown = (event: KeyboardEvent): void => {
    const { key, ctrlKey, metaKey, altKey } = event;
    const find = key.toLowerCase() === 'f' && (ctrlKey || metaKey) && !altKey;
    const isPlain = !ctrlKey && !metaKey && !altKey;
    const slash = key === '/' && isPlain && !isWritten(event.target) && !TypeAhead.underWay;
    if (find || slash) {
      this.focusSearch();
      event.preventDefault();
      event.stopPropagation();
    }
  };

  /** Once something is listed, there is something to show everywhere. */
  private _makeRoom({ target }: DatasetListModel): void {
    if (target) {
      this._model.datasets.stateChanged.disconnect(this._makeRoom, this);
      if (this._model.sections === null) {
        this._accordion.setRelativeSizes(SIZES);
      }
    }
  }

  private _remember(): void {
    this._model.sections = {
      sizes: this._accordion.relativeSizes(),
      collapsed: this.widgets.map(widget => widget.isHidden)
    };
  }

  private readonly _search: SearchBox;

  private get _accordion(): AccordionPanel {
    const { content } = this;
    if (!(content instanceof AccordionPanel)) {
      throw new Error('The content of a side panel is an accordion.');
    }
    return content;
  }
}

/** Whether a person writes there. */
function isWritten(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest('input, textarea, select, [contenteditable="true"], .cm-editor') !== null
  );
}
