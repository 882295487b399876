import { type ISignal, Signal } from '@lumino/signaling';

import {
  type DatasetCount,
  type DatasetFilter,
  type DatasetSearch,
  type FacetValues,
  type IButlerClient,
  type IQueryClient,
  type IVocabularyClient,
  type QueryCheck,
  type QueryProblem,
  type QueryShape,
  type Vocabulary
} from '../api';
import {
  type DatasetListModel,
  type IDatasetSelection,
  type IDatasetTarget,
  isNarrow,
  type Loadable,
  NO_FILTER,
  repositoryId,
  Resource,
  samePlace,
  searchOf,
  tidyFilter
} from '../model';

/** Values of a facet shown at a time. */
const SHOWN_VALUES = 50;

/** What asks the backend for this room. */
export interface IQuerySources {
  readonly client: IButlerClient;
  readonly queries: IQueryClient;
  readonly vocabulary: IVocabularyClient;
}

/**
 * What narrows the list of datasets, and what is known of it: how many there are, which call it is.
 */
export class QueryModel {
  constructor(
    private readonly _list: DatasetListModel,
    private readonly _sources: IQuerySources
  ) {
    _list.stateChanged.connect(() => this._follow());
  }

  /** Emitted when anything changes that is shown. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get target(): IDatasetTarget | null {
    return this._target;
  }

  get filter(): DatasetFilter {
    return this._target?.filter ?? NO_FILTER;
  }

  /** The filter with what is still being checked: the next change adds to it. */
  get draft(): DatasetFilter {
    return { ...this.filter, ...this._pending };
  }

  get isNarrow(): boolean {
    return isNarrow(this.filter);
  }

  /** By what the datasets can be narrowed. */
  get shape(): Loadable<QueryShape> {
    return this._shape?.state ?? UNASKED;
  }

  /** How many datasets there are. */
  get count(): Loadable<DatasetCount> {
    return this._count?.state ?? UNASKED;
  }

  /** The call that the list is. */
  get check(): Loadable<QueryCheck> {
    return this._check?.state ?? UNASKED;
  }

  /** Why what was tried last is not listed. */
  get problems(): readonly QueryProblem[] {
    return this._problems;
  }

  /** All that is found, to be inserted, dragged or copied as a query. */
  get selection(): IDatasetSelection | null {
    const { call } = this._list;
    if (!this._target || !call) {
      return null;
    }
    const { repository, collection, datasetType, filter } = this._target;
    return { repository, collection, datasetType, datasets: this._list.rows, whole: call, filter };
  }

  /** Whether somebody looks: nothing is counted before. */
  set visible(visible: boolean) {
    this._visible = visible;
    if (visible) {
      this._ask();
    }
  }

  /**
   * List what has this changed about it, unless something is wrong with it.
   *
   * @returns whether it is listed.
   */
  async apply(change: Partial<DatasetFilter>): Promise<boolean> {
    const target = this._target;
    if (!target) {
      return false;
    }
    this._pending = { ...this._pending, ...change };
    const changed = { ...target, filter: tidyFilter(this.draft) };
    this._applying?.abort();
    const applying = new AbortController();
    this._applying = applying;
    this._changed();
    let problems: readonly QueryProblem[] = [];
    try {
      ({ problems } = await this._sources.queries.check(
        target.repository,
        searchOf(changed),
        applying.signal
      ));
    } catch {
      // What keeps it from being checked keeps it from being listed, and is told there.
    }
    if (applying.signal.aborted) {
      return false;
    }
    if (this._target !== target) {
      // The same list was ordered or narrowed elsewhere meanwhile: what was written still counts.
      return this.apply({});
    }
    this._pending = {};
    this._problems = problems;
    if (problems.length === 0) {
      this._list.open(changed);
    }
    this._stateChanged.emit();
    return problems.length === 0;
  }

  /** List everything. */
  clear(): void {
    if (this._target) {
      const { order_by: order } = this.filter;
      this._forgetPending();
      this._problems = [];
      this._list.open({ ...this._target, filter: { ...NO_FILTER, order_by: order } });
      this._cleared += 1;
      this._stateChanged.emit();
    }
  }

  /** Changes whenever what is being written into fields is to be thrown away. */
  get cleared(): number {
    return this._cleared;
  }

  /** Values of a dimension that occur in what the rest of the filter finds. */
  values(dimension: string, prefix: string, signal: AbortSignal): Promise<FacetValues> {
    const { repository } = this._placed();
    const question = { dimension, prefix, limit: SHOWN_VALUES };
    return this._sources.queries.values(repository, this._search(), question, signal);
  }

  /** What is wrong with an expression. */
  async checkWhere(where: string, signal: AbortSignal): Promise<readonly QueryProblem[]> {
    const { repository } = this._placed();
    const search = this._search();
    const draft = { ...search, filter: { ...search.filter, where } };
    const { problems } = await this._sources.queries.check(repository, draft, signal);
    return problems.filter(({ field }) => field === 'where');
  }

  /** The words of expressions; remembered for each repository. */
  words(): Promise<Vocabulary> {
    const { repository } = this._placed();
    const id = repositoryId(repository);
    let known = this._words.get(id);
    if (!known) {
      known = this._sources.vocabulary.vocabulary(repository, new AbortController().signal);
      this._words.set(id, known);
      // A failure is not remembered.
      known.catch(() => this._words.delete(id));
    }
    return known;
  }

  /** Values of a column, for an expression. */
  async columnValues(column: string, prefix: string, signal: AbortSignal): Promise<readonly string[]> {
    const { repository } = this._placed();
    const question = { what: 'value', prefix, column, dataId: {} } as const;
    const { items } = await this._sources.vocabulary.complete(repository, question, signal);
    return items.map(({ value }) => String(value));
  }

  retryCount(): void {
    this._count?.retry();
  }

  cancelCount(): void {
    this._count?.cancel();
  }

  cancelShape(): void {
    this._shape?.cancel();
    this._check?.cancel();
  }

  retryShape(): void {
    this._shape?.retry();
    this._check?.retry();
  }

  dispose(): void {
    this._isDisposed = true;
    this._drop();
    this._shape?.dispose();
    this._applying?.abort();
    Signal.clearData(this);
  }

  private _follow(): void {
    const { target } = this._list;
    if (target === this._target) {
      if (this._list.isAllChosen) {
        // What is inserted then is the query, also while this section is closed.
        this._check?.ask();
      }
      return;
    }
    const before = this._target;
    if (!before || !target || !samePlace(before, target)) {
      this._forgetPending();
    }
    this._target = target;
    this._problems = [];
    this._drop();
    if (!target) {
      this._changed();
      return;
    }
    const { repository, datasetType } = target;
    const { client, queries } = this._sources;
    const search = searchOf(target);
    const isSeen = (): boolean => this._visible;
    if (!before || !samePlace(before, target)) {
      this._shape?.dispose();
      this._shape = new Resource(
        signal => queries.shape(repository, datasetType.name, signal),
        () => this._changed(),
        isSeen
      );
    }
    this._check = new Resource(
      signal => queries.check(repository, search, signal),
      state => {
        if (state.status === 'loaded' && this._target === target) {
          this._list.call = state.value.call;
        }
        this._changed();
      },
      () => this._visible || this._list.isAllChosen
    );
    this._count = new Resource(
      signal => {
        const place = { kind: repository.kind, label: repository.label, collection: search.collection };
        const filter = target.filter ? { filter: target.filter } : {};
        return client.count({ ...place, datasetType: datasetType.name, ...filter }, signal);
      },
      () => this._changed(),
      isSeen
    );
    this._ask();
    this._changed();
  }

  private _ask(): void {
    if (this._visible) {
      this._shape?.ask();
      this._check?.ask();
      this._count?.ask();
    }
  }

  /** What is being checked shall not be listed. */
  private _forgetPending(): void {
    this._applying?.abort();
    this._pending = {};
  }

  private _drop(): void {
    this._check?.dispose();
    this._count?.dispose();
    this._check = this._count = null;
  }

  private _placed(): IDatasetTarget {
    if (!this._target) {
      throw new Error('Nothing is listed.');
    }
    return this._target;
  }

  private _search(): DatasetSearch {
    return searchOf(this._placed());
  }

  private _changed(): void {
    if (!this._isDisposed) {
      this._stateChanged.emit();
    }
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _words = new Map<string, Promise<Vocabulary>>();
  private _target: IDatasetTarget | null = null;
  private _shape: Resource<QueryShape> | null = null;
  private _check: Resource<QueryCheck> | null = null;
  private _count: Resource<DatasetCount> | null = null;
  private _problems: readonly QueryProblem[] = [];
  private _applying: AbortController | null = null;
  /** What is being checked, to be listed next. */
  private _pending: Partial<DatasetFilter> = {};
  private _visible = false;
  private _cleared = 0;
  private _isDisposed = false;
}

const UNASKED = { status: 'unasked' } as const;
