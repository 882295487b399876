import type { IStateDB } from '@jupyterlab/statedb';

import {
  AbortedError,
  type Collection,
  type DatasetType,
  type IButlerClient,
  type IDatasetClient,
  type IRepositoryKey
} from '../api';
import { trans } from '../trans';
import { DatasetListModel } from './datasets';
import { DetailsModel } from './details';
import { NO_FILTER } from './filters';
import type { IView } from './link';
import { type IListing, type IRemembered, Memory } from './memory';
import { type IPlace, Places } from './places';
import { placeOf } from './rows';
import { SearchModel } from './search';
import type { IDatasetTarget } from './targets';
import { TreeModel } from './tree';
import { VersionWatch } from './watch';

/**
 * Everything the panel shows, and how its parts follow one another.
 */
export class ButlerModel {
  constructor(options: {
    readonly client: IButlerClient;
    /** Tells what a single dataset is. */
    readonly describer: IDatasetClient;
    readonly state: IStateDB | null;
  }) {
    const { client, describer, state } = options;
    this._client = client;
    this.places = new Places();
    this.tree = new TreeModel(client, this.places);
    this.search = new SearchModel(client, {
      known: () => this.tree.known,
      repositories: () => this.tree.repositories
    });
    this.datasets = new DatasetListModel(client);
    this.details = new DetailsModel(describer);
    this.watch = new VersionWatch({ client, seconds: 10, idle: () => !this._visible });
    this._memory = new Memory(state);

    this.tree.stateChanged.connect(() => {
      this._remember();
      this._followRecovery();
      this.search.follow();
    });
    this.search.stateChanged.connect(() => this._remember());
    this.datasets.stateChanged.connect(() => {
      this.details.listing = this.datasets.state.status === 'loading';
      this.details.show(this.datasets.selection);
      this._chooseWanted();
      this._visit();
      this._remember();
    });
    this.datasets.failed.connect((_, { key, error }) => this.tree.noteFailure(key, error));
    this.watch.changed.connect((_, labels) => this._refreshPersonal(labels));
    this.watch.answered.connect(() => {
      // The backend answers again: what it could not list before, it can now.
      if (this.tree.failed) {
        this.tree.reload();
      }
    });
  }

  readonly places: Places;
  readonly tree: TreeModel;
  readonly search: SearchModel;
  readonly datasets: DatasetListModel;
  readonly details: DetailsModel;
  readonly watch: VersionWatch;

  /** Whether somebody can see the panel; nothing is asked of the server before. */
  set visible(visible: boolean) {
    this._visible = visible;
    if (visible) {
      this._openRemembered();
      // Much may have changed while nobody looked.
      this.watch.look();
    }
  }

  /** Sizes of the sections, to be remembered with the rest. */
  get sections(): IRemembered['sections'] {
    return this._sections;
  }

  set sections(sections: IRemembered['sections']) {
    this._sections = sections;
    this._remember();
  }

  /** Begin where the person left off. */
  async restore(): Promise<void> {
    const remembered = await this._memory.fetch();
    this._sections = remembered.sections;
    this._repositories = remembered.repositories;
    this._listing = this.datasets.target ? null : remembered.listing;
    this._searched = remembered.search;
    this.tree.restore(remembered);
    this._restored = true;
    if (this._visible) {
      this._openRemembered();
    }
  }

  /** What is looked at, so that others can be shown the same; null if nothing was chosen. */
  get view(): IView | null {
    const { target } = this.datasets;
    if (target) {
      const { kind, label } = target.repository;
      return {
        kind,
        label,
        collection: target.collection.name,
        datasetType: target.datasetType.name,
        filter: target.filter,
        ids: this._chosenIds()
      };
    }
    const { active } = this.tree.view;
    const row = this.tree.rows.at(active === null ? -1 : this.tree.rows.indexOf(active));
    if (row === undefined || !('repository' in row)) {
      return null;
    }
    const { kind, label } = row.repository;
    return { kind, label, collection: 'collection' in row ? row.collection.name : undefined };
  }

  /**
   * Show something: open what leads to it in the tree, list the datasets of its type, choose those named.
   *
   * Fails if it is not there, with what the server said or what is missing; what leads to it is shown then.
   */
  async show(view: IView, options: { readonly focus: boolean } = { focus: false }): Promise<void> {
    this._showing.abort();
    const showing = (this._showing = new AbortController());
    const { signal } = showing;
    const key: IRepositoryKey = { kind: view.kind, label: view.label };
    // What was remembered is not what is wanted now.
    this._listing = null;
    this._searched = '';
    this.search.search('');
    try {
      const found = await this._resolve(key, view, signal);
      if (found.collection === undefined) {
        this.tree.revealRepository(key, options.focus);
        return;
      }
      const { focus } = options;
      const type = found.datasetType?.name ?? null;
      const collection = await this.tree.reveal(key, found.collection, type, { focus, signal });
      if (found.datasetType) {
        const { datasetType, filter } = found;
        await this._list(key, { collection, datasetType, filter }, view.ids ?? [], signal);
      } else {
        this.places.visit(placeOf(key, collection, null));
        if (view.datasetType !== undefined) {
          throw new Error(
            trans.__('There are no datasets of type %1 in %2.', view.datasetType, collection.name)
          );
        }
      }
    } catch (reason) {
      if (!(reason instanceof AbortedError)) {
        throw reason;
      }
    }
  }

  /** Where in the tree a person is has changed. */
  noteView(): void {
    this._remember();
  }

  /** Go to a place that was starred, opened before or found. */
  goTo(place: IPlace, ids: readonly string[] = []): Promise<void> {
    const { kind, label, collection, datasetType } = place;
    return this.show(
      { kind, label, collection, datasetType: datasetType ?? undefined, ids },
      { focus: true }
    );
  }

  /** Ask again for everything that is seen. */
  refresh(): void {
    this.tree.refresh();
    if (this.datasets.target) {
      void this.datasets.refresh(this.datasets.target.repository);
      this.details.refresh(this.datasets.target.repository);
    }
    this.watch.look();
  }

  /** Try again what failed or was stopped. */
  retry(): void {
    this.tree.retryFailed();
    this.search.retry();
    this.datasets.retry();
    this.details.retry();
  }

  /** Stop everything that is under way. */
  cancel(): void {
    this._showing.abort();
    this.tree.cancel();
    this.search.cancel();
    this.datasets.cancel();
    this.details.cancel();
  }

  dispose(): void {
    this._showing.abort();
    this.watch.dispose();
    this.search.dispose();
    this.tree.dispose();
    this.datasets.dispose();
    this.details.dispose();
    this._memory.dispose();
  }

  private _refreshPersonal(labels: readonly string[]): void {
    for (const label of labels) {
      const key = { kind: 'personal', label } as const;
      if (!this.tree.find(key)) {
        this.tree.reload();
        continue;
      }
      // The first write made it: its state is another now, and so is all that is in it.
      this.tree.recheck(key);
      this.tree.invalidate(key);
      void this.datasets.refresh(key);
      this.details.refresh(key);
    }
  }

  /** When the repository of what is listed can be read again, what failed of it is asked for again. */
  private _followRecovery(): void {
    const { target, state } = this.datasets;
    const isConnected = target === null || this.tree.find(target.repository)?.state === 'connected';
    const isRecovered = isConnected && !this._wasConnected;
    this._wasConnected = isConnected;
    if (isRecovered) {
      // What a person has stopped stays stopped.
      if (state.status === 'failed') {
        this.datasets.retry();
      }
      if (this.details.failed) {
        this.details.retry();
      }
    }
  }

  /** What a view names, with what it only implies: a dataset tells its type, its run and its data ID. */
  private async _resolve(
    key: IRepositoryKey,
    view: IView,
    signal: AbortSignal
  ): Promise<{
    collection: string | undefined;
    datasetType: DatasetType | null;
    filter: IView['filter'];
  }> {
    const [id, another] = view.ids ?? [];
    if (id !== undefined && another === undefined && !view.filter) {
      const details = await this._client.details(key, id, signal);
      const required = details.dataset_type.dimensions.flatMap(name => {
        const value = details.data_id[name];
        return value === undefined ? [] : [[name, [value]] as [string, (number | string)[]]];
      });
      return {
        collection: view.collection ?? details.run,
        datasetType: details.dataset_type,
        // It may be far down a long list.
        filter:
          view.datasetType === undefined || required.length > 0
            ? { ...NO_FILTER, data_id: Object.fromEntries(required) }
            : null
      };
    }
    if (view.collection === undefined && view.datasetType !== undefined) {
      const { collection } = await this._client.place(key, view.datasetType, signal);
      if (collection === null) {
        throw new Error(trans.__('There are no datasets of type %1 in %2.', view.datasetType, key.label));
      }
      return this._resolve(key, { ...view, collection: collection.name }, signal);
    }
    if (view.collection === undefined || view.datasetType === undefined) {
      return { collection: view.collection, datasetType: null, filter: null };
    }
    const { dataset_types: types } = await this._client.datasetTypes(key, view.collection, signal);
    return {
      collection: view.collection,
      datasetType: types.find(({ name }) => name === view.datasetType) ?? null,
      filter: view.filter
    };
  }

  private async _list(
    key: IRepositoryKey,
    what: { collection: Collection; datasetType: DatasetType; filter: IView['filter'] },
    ids: readonly string[],
    signal: AbortSignal
  ): Promise<void> {
    const { collection, datasetType, filter } = what;
    const repository = this.tree.find(key) ?? (await this._client.repository(key, signal));
    this.datasets.open({ repository, collection, datasetType, filter: filter ?? null });
    this._want(ids);
  }

  /** List and search what was listed and searched the last time, once somebody can see it. */
  private _openRemembered(): void {
    const listing = this._listing;
    this._listing = null;
    if (listing) {
      this.datasets.open(listing.target);
      this._want(listing.chosen);
    }
    const searched = this._searched;
    this._searched = '';
    if (searched !== '') {
      this.search.search(searched);
    }
  }

  private _want(ids: readonly string[]): void {
    const { target, picking } = this.datasets;
    this._wanted = { ids: new Set(ids), target, chosen: picking.chosen, isBegun: false };
    this._chooseWanted();
  }

  /** Choose the datasets that shall be, each as soon as it is in the list, until a person chooses. */
  private _chooseWanted(): void {
    const { _wanted: wanted, datasets } = this;
    // Choosing is a change that leads here again.
    this._wanted = null;
    if (
      !wanted ||
      wanted.ids.size === 0 ||
      datasets.target !== wanted.target ||
      datasets.picking.chosen !== wanted.chosen
    ) {
      return;
    }
    const there = datasets.rows.flatMap(({ id }) => (wanted.ids.has(id) ? [id] : []));
    if (there.length > 0) {
      datasets.pick(picking => {
        if (!wanted.isBegun) {
          picking.clear();
        }
        picking.add(there);
      });
    }
    // What is not in a whole list is not there any more.
    const missing = datasets.state.status === 'complete' ? [] : [...wanted.ids];
    this._wanted = {
      ...wanted,
      ids: new Set(missing.filter(id => !datasets.picking.chosen.has(id))),
      chosen: datasets.picking.chosen,
      isBegun: wanted.isBegun || there.length > 0
    };
  }

  /** Identifiers of what is chosen, or shall be once it is in the list. */
  private _chosenIds(): string[] {
    return [...this.datasets.picking.chosen, ...(this._wanted?.ids ?? [])];
  }

  private _visit(): void {
    const { target } = this.datasets;
    if (target && target !== this._visited) {
      this._visited = target;
      this.places.visit(placeOf(target.repository, target.collection, target.datasetType.name));
    }
  }

  private _remember(): void {
    if (this._restored) {
      this._memory.save(() => {
        const { toggled, repositories, contents, view } = this.tree;
        // A list that could not be had does not undo what was known.
        this._repositories = repositories.length > 0 ? repositories : this._repositories;
        const { target } = this.datasets;
        return {
          toggled,
          repositories: this._repositories,
          contents,
          view,
          listing: target ? { target, chosen: this._chosenIds() } : this._listing,
          search: this.search.text || this._searched,
          sections: this._sections
        };
      });
    }
  }

  private readonly _client: IButlerClient;
  private readonly _memory: Memory;
  /** What was listed the last time, until it is listed again. */
  private _listing: IListing | null = null;
  /** Datasets that shall be chosen once they are in the list. */
  private _wanted: {
    readonly ids: ReadonlySet<string>;
    /** The list they are wanted in. */
    readonly target: IDatasetTarget | null;
    /** What is chosen as long as no person chooses. */
    readonly chosen: ReadonlySet<string>;
    /** Whether some of them are chosen, in the place of what was before. */
    readonly isBegun: boolean;
  } | null = null;
  /** What was searched for the last time, until it is searched for again. */
  private _searched = '';
  private _visited: IDatasetTarget | null = null;
  private _showing = new AbortController();
  private _sections: IRemembered['sections'] = null;
  private _repositories: IRemembered['repositories'] = [];
  private _restored = false;
  private _visible = false;
  /** Whether the repository of what is listed could be read when somebody last looked. */
  private _wasConnected = true;
}
