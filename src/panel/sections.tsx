import { refreshIcon, Toolbar, ToolbarButton, VDomRenderer } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ReactElement } from 'react';

import type {
  ButlerModel,
  DatasetListModel,
  DetailsModel,
  IDatasetPlace,
  IPlace,
  ISearchResult,
  TreeModel
} from '../model';
import { trans } from '../trans';
import type { IPanelActions } from './actions';
import { Details } from './details';
import { DatasetList } from './list';
import { Results } from './results';
import { Tree } from './tree';

/** The tree of repositories, and in its place what a search finds. */
export class TreeSection extends VDomRenderer<TreeModel> {
  constructor(
    private readonly _butler: ButlerModel,
    private readonly _actions: IPanelActions,
    /** Back to where a search is typed. */
    private readonly _onLeave: () => void
  ) {
    super(_butler.tree);
    this.addClass('pb-Section');
    this.title.label = trans.__('Repositories');
    // What is listed is marked in the tree.
    _butler.datasets.stateChanged.connect(this.update, this);
    _butler.search.stateChanged.connect(this.update, this);
    this.toolbar.addItem(
      'refresh',
      new ToolbarButton({
        icon: refreshIcon,
        tooltip: trans.__('Refresh'),
        onClick: () => _butler.refresh()
      })
    );
  }

  readonly toolbar = new Toolbar();

  /** Open the first thing that was found. */
  openFirst(): void {
    const [first] = this._butler.search.results;
    if (first) {
      this._goToResult(first);
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    // Only now may what is in view be asked for.
    this.update();
  }

  protected override render(): ReactElement {
    const { tree, datasets, search } = this._butler;
    // Before any repository is known, the tree says why there is none.
    if (search.status !== 'idle' && tree.repositories.length > 0) {
      return (
        <Results
          search={search}
          results={search.results}
          onGo={this._goToResult}
          onLeave={this._onLeave}
          onCopy={this._copy}
        />
      );
    }
    return (
      <Tree
        model={tree}
        rows={tree.rows}
        target={datasets.target}
        onOpen={this._open}
        onGo={this._goTo}
        onStar={this._star}
        onCopy={this._copy}
        onView={this._noteView}
        isVisible={this._isVisible}
      />
    );
  }

  private readonly _open = ({ repository, collection, datasetType }: IDatasetPlace): void =>
    this._butler.datasets.open({ repository, collection, datasetType });

  private readonly _goTo = (place: IPlace): void => this._actions.show(place, []);

  private readonly _goToResult = ({ place, dataset, datasetType, repository }: ISearchResult): void => {
    if (place) {
      this._actions.show(place, dataset === null ? [] : [dataset]);
    } else if (datasetType) {
      // Where there are some was too much for a search: it is found out now.
      const { kind, label } = repository;
      this._actions.show({ kind, label, datasetType: datasetType.name }, []);
    }
  };

  private readonly _star = (place: IPlace): void => this._butler.places.toggle(place);

  private readonly _noteView = (): void => this._butler.noteView();

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
    this.addClass('pb-Datasets');
    this.title.label = trans.__('Datasets');
  }

  protected override render(): ReactElement {
    return <DatasetList model={this._list} actions={this._actions} />;
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
    this.title.label = trans.__('Details');
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
