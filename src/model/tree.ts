import { type ISignal, Signal } from '@lumino/signaling';

import type {
  Collection,
  DatasetCount,
  ErrorReport,
  IButlerClient,
  IDatasetQuery,
  IRepositoryKey,
  PersonalUsage,
  Repository,
  Validity
} from '../api';
import { type RememberedContents, TreeContents } from './contents';
import { type IKnown } from './known';
import type { IHeldTypes } from './marks';
import { OneByOne } from './onebyone';
import { Places } from './places';
import { LEVEL_PAGE, repositoryId, type TreeRequest } from './requests';
import { made, Resource } from './resource';
import {
  type IDatasetTypeRow,
  type ITreeSource,
  requestsBelow,
  type TreeRow,
  TreeRows,
  wayTo,
  wayToType,
  wayToTypes
} from './rows';
import { RepositoryStanding } from './standing';
import { Toggles } from './toggles';

/** Where in the tree a person is. */
export interface ITreeView {
  /** The row that has the keyboard. */
  readonly active: string | null;
  /** The uppermost row in view. */
  readonly top: string | null;
}

/**
 * The tree of repositories, collections and dataset types: which of it is open, known and asked for.
 *
 * Nothing is asked before its row has been looked at.
 */
export class TreeModel {
  constructor(
    private readonly _client: IButlerClient,
    private readonly _places: Places = new Places()
  ) {
    const touch = (): void => this._touch();
    this._counts = new OneByOne((query, signal) => _client.count(query, signal), touch);
    this._validities = new OneByOne((query, signal) => _client.validity(query, signal), touch);
    this._contents = new TreeContents(_client, touch, (key, error) => this.noteFailure(key, error));
    this._standing = new RepositoryStanding(_client, touch, key =>
      // What failed while it was away is asked for again when it is looked at.
      this._contents.within(key).forEach(resource => resource.forgetFailure())
    );
    _places.changed.connect(touch);
  }

  /** Emitted when the rows may be others than before. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The rows from top to bottom; the same object until something changes. */
  get rows(): TreeRows {
    this._rows ??= new TreeRows(this._source);
    return this._rows;
  }

  /** Whether collections are grouped by the slashes in their names. */
  get grouped(): boolean {
    return this._grouped;
  }

  set grouped(grouped: boolean) {
    if (this._grouped !== grouped) {
      this._grouped = grouped;
      this._touch();
    }
  }

  /** What is known of dataset types in the person's satellite, once somebody finds that out. */
  set held(held: IHeldTypes) {
    this._held = held;
    held.changed.connect(() => this._touch());
  }

  /** Where in the tree a person is; not drawn anew when it changes. */
  view: ITreeView = { active: null, top: null };

  /** How often `view` was set to what was remembered. */
  restores = 0;

  /** A row that shall come into view as soon as it is there, and whether it takes the focus. */
  get wanted(): { readonly id: string; readonly focus: boolean } | null {
    return this._wanted;
  }

  /** Note where a person is. */
  keepView(view: Partial<ITreeView>): void {
    this.view = { ...this.view, ...view };
  }

  /** A person went elsewhere: the wanted row may come into view, but not take the focus. */
  forgetFocus(): void {
    this._wanted &&= { ...this._wanted, focus: false };
  }

  /** The wanted row has come into view, or a person went elsewhere. */
  forgetWanted(): void {
    this._wanted = null;
  }

  /** All that has been loaded, to be searched. */
  get known(): IKnown[] {
    return this._contents.loaded.flatMap(({ request, value }) => {
      const repository = this.find(request.repository);
      return repository ? [{ repository, request, value }] : [];
    });
  }

  /** What is open of what has been loaded, as far as it is worth remembering. */
  get contents(): RememberedContents[] {
    return this._contents.remembered;
  }

  /** The repositories known, even if only from the last time. */
  get repositories(): readonly Repository[] {
    return this._standing.all;
  }

  /** Whether the list of repositories itself could not be had. */
  get failed(): boolean {
    return this._standing.list.state.status === 'failed';
  }

  /** Identifiers of the rows whose state is not the one they begin with. */
  get toggled(): string[] {
    return this._toggles.all;
  }

  /** The repository as it is known now. */
  find(key: IRepositoryKey): Repository | undefined {
    return this._standing.find(key);
  }

  /** Begin with what was known and open the last time. */
  restore(remembered: {
    readonly repositories: readonly Repository[];
    readonly toggled: readonly string[];
    readonly contents?: readonly RememberedContents[];
    readonly view?: ITreeView;
  }): void {
    remembered.toggled.forEach(id => this._toggles.set(id, true));
    const { list } = this._standing;
    if (remembered.repositories.length > 0 && list.state.status === 'unasked') {
      list.seed([...remembered.repositories], true);
    }
    this._contents.restore(remembered.contents ?? []);
    if (remembered.view) {
      this.view = remembered.view;
      this.restores += 1;
    }
    this._touch();
  }

  /**
   * Open what leads to a collection, or to a dataset type in it, and have its row come into view.
   *
   * @returns The collection.
   */
  async reveal(
    key: IRepositoryKey,
    collection: string,
    datasetType: string | null,
    options: { readonly focus: boolean; readonly signal: AbortSignal }
  ): Promise<Collection> {
    const { steps, collection: found } = await this._client.path(
      key,
      collection,
      this._grouped,
      options.signal
    );
    let id = repositoryId(key);
    this._toggles.open(id);
    steps.forEach(({ parent, folder, entry, offset }, index) => {
      const page = Math.floor(offset / LEVEL_PAGE);
      for (const number of new Set([0, page])) {
        this._ask({ what: 'level', repository: key, parent, folder, page: number });
      }
      id = wayTo(id, entry);
      if (index < steps.length - 1) {
        this._toggles.open(id);
      }
    });
    if (datasetType !== null) {
      this._toggles.open(id);
      this._ask({ what: 'types', repository: key, collection });
      if (found.type === 'CHAINED') {
        id = wayToTypes(id);
        this._toggles.open(id);
      }
      id = wayToType(id, datasetType);
    }
    this._wanted = { id, focus: options.focus };
    this._touch();
    return found;
  }

  /** Open a repository's row and have it come into view. */
  revealRepository(key: IRepositoryKey, focus: boolean): void {
    const id = repositoryId(key);
    this._toggles.open(id);
    this._wanted = { id, focus };
    this._touch();
  }

  /** These rows are in view: ask for what is missing in them, and for nothing else. */
  look(rows: readonly TreeRow[]): void {
    for (const { request } of rows) {
      if (request) {
        this._ask(request);
      }
    }
    for (const row of rows) {
      if (row.kind === 'repository') {
        this._standing.doubt(row.repository);
      }
    }
    const types = rows.filter(
      (row): row is IDatasetTypeRow => row.kind === 'dataset-type' && row.repository.state === 'connected'
    );
    this._counts.look(types.map(queryOf));
    types.forEach(({ repository, collection }) => this._held?.look(repository, collection.name));
    this._validities.look(types.filter(row => row.validity !== null).map(queryOf));
    for (const row of rows) {
      if (row.kind === 'repository' && hasUsage(row.repository)) {
        this._usage(row.repository).ask();
      }
    }
  }

  /**
   * Open a closed row, or close an open one. What is below an opened row is asked for at once, even if
   * there is no room to see it; what failed there is asked for again.
   */
  toggle(row: TreeRow): void {
    if (row.expanded === null) {
      return;
    }
    this._toggles.set(row.id, !this._toggles.has(row.id));
    for (const request of requestsBelow(row, this._grouped)) {
      this._resource(request).forgetFailure();
      if (!row.expanded) {
        this._ask(request);
      }
    }
    this._touch();
  }

  /** Ask again, at a person's wish. */
  retry(request: TreeRequest): void {
    this._resource(request).retry();
  }

  /** Ask again for all that failed or was stopped. */
  retryFailed(): void {
    for (const resource of this._all()) {
      if (resource.state.status === 'failed' || resource.state.status === 'cancelled') {
        resource.retry();
      }
    }
    this._standing.checkTroubled();
  }

  /** Ask for everything in view again, and look now whether each repository can be read. */
  refresh(): void {
    this.repositories.forEach(repository => this.invalidate(repository));
    this._standing.list.retry();
    this.repositories.forEach(repository => this._standing.check(repository).retry());
  }

  /** Something in this repository changed; what is open of it is asked for again once it is looked at. */
  invalidate(key: IRepositoryKey): void {
    this._contents.within(key).forEach(resource => resource.invalidate());
    this._counts.invalidate(repositoryId(key));
    this._validities.invalidate(repositoryId(key));
    this._usages.get(repositoryId(key))?.invalidate();
    this._touch();
  }

  /** Look at the state of one repository now. */
  recheck(key: IRepositoryKey): void {
    this._standing.check(key).retry();
  }

  /** Ask for the list of repositories again. */
  reload(): void {
    this._standing.list.retry();
  }

  /** Stop everything that is under way. */
  cancel(): void {
    this._all().forEach(resource => resource.cancel());
    this._counts.cancel();
    this._validities.cancel();
  }

  /** A query elsewhere failed: what that says of the repository is shown here too. */
  noteFailure(key: IRepositoryKey, error: ErrorReport): void {
    this._standing.noteFailure(key, error);
  }

  dispose(): void {
    this._isDisposed = true;
    this._all().forEach(resource => resource.dispose());
    this._counts.dispose();
    this._validities.dispose();
    Signal.clearData(this);
  }

  /** Ask for what is missing; a newer one of what is known only where somebody is there to answer. */
  private _ask(request: TreeRequest): void {
    const resource = this._resource(request);
    const isAway =
      (request.what === 'level' || request.what === 'types') && this._standing.isAway(request.repository);
    if (resource.value === null || !isAway) {
      resource.ask();
    }
  }

  private _resource(request: TreeRequest): Resource<unknown> {
    switch (request.what) {
      case 'repositories':
        return this._standing.list as Resource<unknown>;
      case 'check':
        return this._standing.check(request.repository) as Resource<unknown>;
      default:
        return this._contents.get(request);
    }
  }

  private _usage(key: IRepositoryKey): Resource<PersonalUsage> {
    return made(
      this._usages,
      repositoryId(key),
      () =>
        new Resource(
          signal => this._client.usage(key, signal),
          () => this._touch()
        )
    );
  }

  private _all(): Resource<unknown>[] {
    return [...this._standing.resources, ...this._contents.all];
  }

  private _touch(): void {
    if (!this._isDisposed) {
      this._rows = null;
      this._stateChanged.emit();
    }
  }

  private _held: IHeldTypes | null = null;
  private _grouped = true;
  private readonly _source: ITreeSource = {
    grouped: () => this._grouped,
    repositories: () => this._standing.state,
    checking: repository => this._standing.list.loading || this._standing.isChecked(repository),
    usage: repository => this._usages.get(repositoryId(repository))?.value ?? null,
    level: (repository, parent, folder, page) => this._contents.level({ repository, parent, folder, page }),
    types: (repository, collection) => this._contents.types(repository, collection),
    held: (repository, collection, datasetType) =>
      this._held?.of(repository, collection, datasetType) ?? null,
    count: ({ kind, label }, collection, datasetType) =>
      this._counts.state({ kind, label, collection, datasetType }),
    validity: ({ kind, label }, collection, datasetType) =>
      this._validities.state({ kind, label, collection, datasetType }),
    expanded: (id, byDefault) => this._toggles.has(id) !== byDefault,
    openBelow: id => this._toggles.below(id),
    places: which => (which === 'favourites' ? this._places.favourites : this._places.recent),
    isStarred: place => this._places.isStarred(place)
  };

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _counts: OneByOne<DatasetCount>;
  private readonly _validities: OneByOne<Validity>;
  private readonly _standing: RepositoryStanding;
  private readonly _contents: TreeContents;
  private readonly _toggles = new Toggles();
  private readonly _usages = new Map<string, Resource<PersonalUsage>>();
  private _wanted: { readonly id: string; readonly focus: boolean } | null = null;
  private _rows: TreeRows | null = null;
  private _isDisposed = false;
}

function queryOf(row: IDatasetTypeRow): IDatasetQuery {
  const { repository, collection, datasetType } = row;
  return {
    kind: repository.kind,
    label: repository.label,
    collection: collection.name,
    datasetType: datasetType.name
  };
}

/** Whether there is anything to tell of the room it takes. */
function hasUsage({ kind, state }: Repository): boolean {
  return kind === 'personal' && state === 'connected';
}
