import type { CollectionPage, DatasetTypeList, ErrorReport, IButlerClient, IRepositoryKey } from '../api';
import { type ILevelRequest, LEVEL_PAGE, repositoryId, requestId, type TreeRequest } from './requests';
import { type Loadable, made, Resource, stateOf } from './resource';

type ITypesRequest = Extract<TreeRequest, { what: 'types' }>;

/** A stretch of a level, or the types of a collection, and what it was asked with. */
export type LoadedContents =
  | { readonly request: ILevelRequest; readonly value: CollectionPage }
  | { readonly request: ITypesRequest; readonly value: DatasetTypeList };

/** The same as it was seen the last time. */
export type RememberedContents = LoadedContents;

/** Most entries of one level, and most levels, that are remembered: all of it is read at every start. */
const MOST_REMEMBERED = 100;
const MOST_CONTENTS = 24;

/**
 * What is in the repositories, as far as it was asked for: stretches of levels of collections, and lists of
 * dataset types.
 */
export class TreeContents {
  /**
   * @param _touch - Told of every change.
   * @param _fail - Told what could not be had of a repository.
   */
  constructor(
    private readonly _client: IButlerClient,
    private readonly _touch: () => void,
    private readonly _fail: (key: IRepositoryKey, error: ErrorReport) => void
  ) {}

  get all(): Resource<unknown>[] {
    return [...this._levels.values(), ...this._types.values()].map(
      ({ resource }) => resource as Resource<unknown>
    );
  }

  /** All of it that has been loaded. */
  get loaded(): LoadedContents[] {
    const loaded: LoadedContents[] = [];
    for (const { request, resource } of this._levels.values()) {
      if (resource.value) {
        loaded.push({ request, value: resource.value });
      }
    }
    for (const { request, resource } of this._types.values()) {
      if (resource.value) {
        loaded.push({ request, value: resource.value });
      }
    }
    return loaded;
  }

  /** As much of it as is worth remembering. */
  get remembered(): RememberedContents[] {
    return this.loaded
      .flatMap((each): RememberedContents[] => {
        if ('entries' in each.value) {
          const { entries, offset, total } = each.value;
          const request = each.request as ILevelRequest;
          return request.page === 0
            ? [
                {
                  request: bare(request),
                  value: { entries: entries.slice(0, MOST_REMEMBERED), offset, total }
                }
              ]
            : [];
        }
        return each.value.dataset_types.length <= MOST_REMEMBERED
          ? [{ request: bare(each.request as ITypesRequest), value: each.value }]
          : [];
      })
      .slice(-MOST_CONTENTS);
  }

  /** Begin with what was known the last time, but for what is known better by now. */
  restore(remembered: readonly RememberedContents[]): void {
    for (const { request, value } of remembered) {
      const resource = this.get(request);
      if (resource.state.status === 'unasked') {
        resource.seed(value, true);
      }
    }
  }

  /** Where what a request asks for is kept, asked for or not. */
  get(request: ILevelRequest | ITypesRequest): Resource<unknown> {
    const id = requestId(request);
    const { repository } = request;
    if (request.what === 'level') {
      const { parent, folder, page } = request;
      return made(this._levels, id, () => ({
        request,
        resource: this._about(repository, async signal => {
          const stretch = { parent, folder, offset: page * LEVEL_PAGE, limit: LEVEL_PAGE };
          const value = await this._client.collections(repository, stretch, signal);
          this._compareTotals(request, value);
          return value;
        })
      })).resource as Resource<unknown>;
    }
    return made(this._types, id, () => ({
      request,
      resource: this._about(repository, signal =>
        this._client.datasetTypes(repository, request.collection, signal)
      )
    })).resource as Resource<unknown>;
  }

  level(request: Omit<ILevelRequest, 'what'>): Loadable<CollectionPage> {
    return stateOf(this._levels.get(requestId({ what: 'level', ...request }))?.resource);
  }

  types(repository: IRepositoryKey, collection: string): Loadable<DatasetTypeList> {
    return stateOf(this._types.get(requestId({ what: 'types', repository, collection }))?.resource);
  }

  /** What is about one repository. */
  within(key: IRepositoryKey): Resource<unknown>[] {
    const id = repositoryId(key);
    return [...this._levels.values(), ...this._types.values()].flatMap(({ request, resource }) =>
      repositoryId(request.repository) === id ? [resource as Resource<unknown>] : []
    );
  }

  /** When a level has become longer or shorter, its other stretches are not what they were. */
  private _compareTotals(request: ILevelRequest, { total }: CollectionPage): void {
    const id = requestId(request);
    for (const { request: other, resource } of this._levels.values()) {
      if (
        other.page !== request.page &&
        requestId({ ...other, page: request.page }) === id &&
        resource.value !== null &&
        resource.value.total !== total
      ) {
        resource.invalidate();
      }
    }
  }

  private _about<T>(key: IRepositoryKey, fetch: (signal: AbortSignal) => Promise<T>): Resource<T> {
    return new Resource(fetch, state => {
      if (state.status === 'failed') {
        this._fail(key, state.error);
      }
      this._touch();
    });
  }

  private readonly _levels = new Map<
    string,
    { request: ILevelRequest; resource: Resource<CollectionPage> }
  >();
  private readonly _types = new Map<
    string,
    { request: ITypesRequest; resource: Resource<DatasetTypeList> }
  >();
}

/** A request with no more of the repository than its name. */
function bare<R extends { readonly repository: IRepositoryKey }>(request: R): R {
  const { kind, label } = request.repository;
  return { ...request, repository: { kind, label } };
}
