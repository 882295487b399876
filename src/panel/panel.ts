import { SidePanel } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { AccordionPanel } from '@lumino/widgets';

import type { ButlerModel } from '../model';
import type { IPanelActions } from './actions';
import { butlerIcon } from './icons';
import { DatasetsSection, DetailsSection, TreeSection } from './sections';

/** Heights of the sections, relative to each other, until a person changes them. */
const SIZES = [0.4, 0.3, 0.3];

/**
 * The sidebar: repositories, the datasets of what is chosen in them, and what one of those is.
 *
 * It is there at once and asks nothing of the server until somebody sees it.
 */
export class ButlerPanel extends SidePanel {
  constructor(
    private readonly _model: ButlerModel,
    actions: IPanelActions
  ) {
    super();
    this.id = 'python-butler';
    this.addClass('pb-Panel');
    this.title.icon = butlerIcon;
    this.title.caption = 'Butler';
    this.addWidget(new TreeSection(_model, actions));
    this.addWidget(new DatasetsSection(_model.datasets, actions));
    this.addWidget(new DetailsSection(_model.details, actions));
    this._accordion.setRelativeSizes(SIZES);
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

  /** The chosen row nearest to the keyboard, or the panel itself: where a menu belongs. */
  get chosenElement(): Element {
    return this.node.querySelector('.pb-DatasetRow[aria-selected="true"]') ?? this.node;
  }

  /** Put the focus where the keys of the tree work. */
  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.querySelector<HTMLElement>('.pb-Tree [tabindex="0"]')?.focus();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.visible = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._model.visible = false;
  }

  private _remember(): void {
    this._model.sections = {
      sizes: this._accordion.relativeSizes(),
      collapsed: this.widgets.map(widget => widget.isHidden)
    };
  }

  private get _accordion(): AccordionPanel {
    const { content } = this;
    if (!(content instanceof AccordionPanel)) {
      throw new Error('The content of a side panel is an accordion.');
    }
    return content;
  }
}
