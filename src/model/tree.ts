import { type ISignal, Signal } from '@lumino/signaling';

import type {
  CollectionPage,
  DatasetTypeList,
  ErrorReport,
  IButlerClient,
  IRepositoryKey,
  Repository
} from '../api';
import { Counts } from './counts';
import { repositoryStateOf } from './notices';
import { repositoryId, requestId, type TreeRequest } from './requests';
import { type Loadable, Resource } from './resource';
import { type ITreeSource, type TreeRow, treeRows } from './rows';

/**
 * The tree of repositories, collections and dataset types: which of it is open, known and asked for.
 *
 * Nothing is asked before its row has been looked at.
 */
export class TreeModel {
  constructor(private readonly _client: IButlerClient) {
    this._counts = new Counts(_client, () => this._touch());
    this._repositories = new Resource(
      async signal => {
        this._generation += 1;
        return (await _client.repositories(signal)).repositories;
      },
      state => {
        if (state.status === 'loaded') {
          this._forgetOlderFindings();
          this._doubtful = new Set(
            state.value.filter(isInTrouble).map(repository => repositoryId(repository))
          );
        }
        this._touch();
      }
    );
  }

  /** Emitted when the rows may be others than before. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The rows from top to bottom; the same array until something changes. */
  get rows(): readonly TreeRow[] {
    this._rows ??= treeRows(this._source);
    return this._rows;
  }

  /** The repositories known, even if only from the last time. */
  get repositories(): readonly Repository[] {
    return (this._repositories.value ?? []).map(
      repository => this._findings.get(repositoryId(repository))?.repository ?? repository
    );
  }

  /** Whether the list of repositories itself could not be had. */
  get failed(): boolean {
    return this._repositories.state.status === 'failed';
  }

  /** Identifiers of the rows whose state is not the one they begin with. */
  get toggled(): string[] {
    return [...this._toggled];
  }

  /** The repository as it is known now. */
  find(key: IRepositoryKey): Repository | undefined {
    return this.repositories.find(repository => repositoryId(repository) === repositoryId(key));
  }

  /** Begin with what was known and open the last time. */
  restore(remembered: { repositories: readonly Repository[]; toggled: readonly string[] }): void {
    remembered.toggled.forEach(id => this._toggled.add(id));
    if (remembered.repositories.length > 0 && this._repositories.state.status === 'unasked') {
      this._repositories.seed([...remembered.repositories], true);
    }
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
      // The list may tell of troubles that are long over: the first who sees one has it looked at again.
      if (row.kind === 'repository' && this._doubtful.delete(row.id)) {
        this._check(row.repository).retry();
      }
    }
    this._counts.look(
      rows.flatMap(row =>
        row.kind === 'dataset-type' && row.repository.state === 'connected' ? [queryOf(row)] : []
      )
    );
  }

  /**
   * Open a closed row, or close an open one. What is below an opened row is asked for at once, even if
   * there is no room to see it; what failed there is asked for again.
   */
  toggle(row: TreeRow): void {
    if (row.expanded === null) {
      return;
    }
    if (!this._toggled.delete(row.id)) {
      this._toggled.add(row.id);
    }
    for (const request of requestsBelow(row)) {
      this._resource(request)?.forgetFailure();
      if (!row.expanded) {
        this._ask(request);
      }
    }
    this._touch();
  }

  /** Ask again, at a person's wish. */
  retry(request: TreeRequest): void {
    this._resource(request)?.retry();
  }

  /** Ask for everything in view again, and look now whether each repository can be read. */
  refresh(): void {
    this.repositories.forEach(repository => this.invalidate(repository));
    this._repositories.retry();
    this.repositories.forEach(repository => this._check(repository).retry());
  }

  /** Something in this repository changed; what is open of it is asked for again once it is looked at. */
  invalidate(key: IRepositoryKey): void {
    this._within(key).forEach(resource => resource.invalidate());
    this._counts.invalidate(repositoryId(key));
    this._touch();
  }

  /** Look at the state of one repository now. */
  recheck(key: IRepositoryKey): void {
    this._check(key).retry();
  }

  /** Ask for the list of repositories again. */
  reload(): void {
    this._repositories.retry();
  }

  /** Stop everything that is under way. */
  cancel(): void {
    this._all().forEach(resource => resource.cancel());
    this._counts.cancel();
  }

  /** A query elsewhere failed: what that says of the repository is shown here too. */
  noteFailure(key: IRepositoryKey, error: ErrorReport): void {
    const state = repositoryStateOf(error);
    const repository = this.find(key);
    // A busy server is connected; only this one query has to wait.
    if (state !== null && state !== 'busy' && repository) {
      this._replace({ ...repository, state, error });
    }
  }

  dispose(): void {
    this._isDisposed = true;
    this._all().forEach(resource => resource.dispose());
    this._counts.dispose();
    Signal.clearData(this);
  }

  /** Ask for what is missing; a newer one of what is known only where somebody is there to answer. */
  private _ask(request: TreeRequest): void {
    const resource = this._resource(request);
    if (resource && (resource.value === null || !this._isAway(request))) {
      resource.ask();
    }
  }

  /** Whether the repository that this is about cannot be read, or is just being looked at. */
  private _isAway(request: TreeRequest): boolean {
    if (request.what !== 'level' && request.what !== 'types') {
      return false;
    }
    const { repository } = request;
    return (
      this.find(repository)?.state !== 'connected' ||
      (this._checks.get(repositoryId(repository))?.loading ?? false)
    );
  }

  private _resource(request: TreeRequest): Resource<unknown> | null {
    switch (request.what) {
      case 'repositories':
        return this._repositories as Resource<unknown>;
      case 'check':
        return this._check(request.repository) as Resource<unknown>;
      case 'level': {
        const { repository, parent } = request;
        return made(this._levels, requestId(request), () =>
          this._about(repository, signal => this._client.collections(repository, parent, signal))
        ) as Resource<unknown>;
      }
      case 'types': {
        const { repository, collection } = request;
        return made(this._types, requestId(request), () =>
          this._about(repository, signal => this._client.datasetTypes(repository, collection, signal))
        ) as Resource<unknown>;
      }
      case 'count':
        return null;
    }
  }

  private _about<T>(key: IRepositoryKey, fetch: (signal: AbortSignal) => Promise<T>): Resource<T> {
    return new Resource(fetch, state => {
      if (state.status === 'failed') {
        this.noteFailure(key, state.error);
      }
      this._touch();
    });
  }

  private _check(key: IRepositoryKey): Resource<Repository> {
    return made(
      this._checks,
      repositoryId(key),
      () =>
        new Resource(
          signal => this._client.repository(key, signal),
          state => {
            if (state.status === 'loaded') {
              this._replace(state.value);
              // What failed while it was away is asked for again when it is looked at.
              this._within(key).forEach(resource => resource.forgetFailure());
            } else if (state.status === 'failed') {
              const repository = this.find(key);
              if (repository) {
                const { error } = state;
                this._replace({ ...repository, state: repositoryStateOf(error) ?? 'error', error });
              }
            }
            this._touch();
          }
        )
    );
  }

  /** What was found out about one repository counts until a list that was asked for later comes. */
  private _replace(repository: Repository): void {
    this._findings.set(repositoryId(repository), { repository, generation: this._generation });
    this._touch();
  }

  private _forgetOlderFindings(): void {
    for (const [id, { generation }] of this._findings) {
      if (generation < this._generation) {
        this._findings.delete(id);
      }
    }
  }

  private _within(key: IRepositoryKey): Resource<unknown>[] {
    const prefix = `${repositoryId(key)}|`;
    return [...this._levels, ...this._types].flatMap(([id, resource]) =>
      id.startsWith(prefix) ? [resource as Resource<unknown>] : []
    );
  }

  private _all(): Resource<unknown>[] {
    return [
      this._repositories,
      ...this._checks.values(),
      ...this._levels.values(),
      ...this._types.values()
    ] as Resource<unknown>[];
  }

  private _touch(): void {
    if (!this._isDisposed) {
      this._rows = null;
      this._stateChanged.emit();
    }
  }

  private readonly _source: ITreeSource = {
    repositories: () => {
      const { state } = this._repositories;
      return state.status === 'loaded' ? { ...state, value: this.repositories } : state;
    },
    checking: repository =>
      this._repositories.loading || (this._checks.get(repositoryId(repository))?.loading ?? false),
    level: (repository, parent) =>
      stateOf(this._levels.get(requestId({ what: 'level', repository, parent }))),
    types: (repository, collection) =>
      stateOf(this._types.get(requestId({ what: 'types', repository, collection }))),
    count: (repository, collection, datasetType) =>
      this._counts.state({ kind: repository.kind, label: repository.label, collection, datasetType }),
    expanded: (id, byDefault) => this._toggled.has(id) !== byDefault
  };

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _counts: Counts;
  private readonly _repositories: Resource<Repository[]>;
  private readonly _checks = new Map<string, Resource<Repository>>();
  private readonly _levels = new Map<string, Resource<CollectionPage>>();
  private readonly _types = new Map<string, Resource<DatasetTypeList>>();
  private readonly _findings = new Map<string, { repository: Repository; generation: number }>();
  private readonly _toggled = new Set<string>();
  /** Repositories that the list says are in trouble, not looked at since. */
  private _doubtful = new Set<string>();
  private _generation = 0;
  private _rows: TreeRow[] | null = null;
  private _isDisposed = false;
}

function queryOf(row: Extract<TreeRow, { kind: 'dataset-type' }>) {
  const { repository, collection, datasetType } = row;
  return {
    kind: repository.kind,
    label: repository.label,
    collection: collection.name,
    datasetType: datasetType.name
  };
}

/** What stands below a row once it is open. */
function requestsBelow(row: TreeRow): TreeRequest[] {
  switch (row.kind) {
    case 'repository': {
      const { repository } = row;
      return repository.state === 'connected' ? [{ what: 'level', repository, parent: null }] : [];
    }
    case 'collection': {
      const { repository, collection } = row;
      const types: TreeRequest = { what: 'types', repository, collection: collection.name };
      return collection.type === 'CHAINED'
        ? [{ what: 'level', repository, parent: collection.name }, types]
        : [types];
    }
    case 'types':
      return [{ what: 'types', repository: row.repository, collection: row.collection.name }];
    default:
      return [];
  }
}

function isInTrouble({ state }: Repository): boolean {
  return state !== 'connected' && state !== 'absent';
}

function stateOf<T>(resource: Resource<T> | undefined): Loadable<T> {
  return resource?.state ?? { status: 'unasked' };
}

function made<T>(resources: Map<string, Resource<T>>, id: string, make: () => Resource<T>): Resource<T> {
  let resource = resources.get(id);
  if (!resource) {
    resources.set(id, (resource = make()));
  }
  return resource;
}
