import { refreshIcon, Toolbar, ToolbarButton, VDomRenderer } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ReactElement } from 'react';

import type { ButlerModel, DatasetListModel, DetailsModel, IDatasetTarget, TreeModel } from '../model';
import type { IPanelActions } from './actions';
import { Details } from './details';
import { DatasetList } from './list';
import { Tree } from './tree';

/** The tree of repositories. */
export class TreeSection extends VDomRenderer<TreeModel> {
  constructor(
    private readonly _butler: ButlerModel,
    private readonly _actions: IPanelActions
  ) {
    super(_butler.tree);
    this.addClass('pb-Section');
    this.title.label = 'Repositories';
    // What is listed is marked in the tree.
    _butler.datasets.stateChanged.connect(this.update, this);
    this.toolbar.addItem(
      'refresh',
      new ToolbarButton({
        icon: refreshIcon,
        tooltip: 'Refresh',
        onClick: () => _butler.refresh()
      })
    );
  }

  readonly toolbar = new Toolbar();

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    // Only now may what is in view be asked for.
    this.update();
  }

  protected override render(): ReactElement {
    const { tree, datasets } = this._butler;
    return (
      <Tree
        model={tree}
        rows={tree.rows}
        target={datasets.target}
        onOpen={this._open}
        onCopy={this._copy}
        isVisible={this._isVisible}
      />
    );
  }

  private readonly _open = ({ repository, collection, datasetType }: IDatasetTarget): void =>
    this._butler.datasets.open({ repository, collection, datasetType });

  private readonly _copy = (text: string): void => this._actions.copyText(text);

  private readonly _isVisible = (): boolean => this.isVisible;
}

/** The datasets of the chosen type. */
export class DatasetsSection extends VDomRenderer<DatasetListModel> {
  constructor(
    private readonly _list: DatasetListModel,
    private readonly _actions: IPanelActions
  ) {
    super(_list);
    this.addClass('pb-Section');
    this.title.label = 'Datasets';
  }

  protected override render(): ReactElement {
    const { target, state, rows, picking } = this._list;
    return (
      <DatasetList
        model={this._list}
        target={target}
        state={state}
        rows={rows}
        length={rows.length}
        chosen={picking.chosen}
        actions={this._actions}
      />
    );
  }
}

/** What is known of the chosen dataset. */
export class DetailsSection extends VDomRenderer<DetailsModel> {
  constructor(
    private readonly _details: DetailsModel,
    private readonly _actions: IPanelActions
  ) {
    super(_details);
    this.addClass('pb-Section');
    this.addClass('pb-mod-scrolls');
    this.title.label = 'Details';
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._details.visible = true;
  }

  protected override onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this._details.visible = false;
  }

  protected override render(): ReactElement {
    const { selection, details } = this._details;
    return <Details model={this._details} selection={selection} details={details} actions={this._actions} />;
  }
}
