import type {
  Collection,
  CollectionPage,
  DatasetCount,
  DatasetType,
  DatasetTypeList,
  Repository
} from '../api';
import {
  cancelledNotice,
  cappedCollectionsNotice,
  errorNotice,
  type INotice,
  loadingNotice,
  noCollectionsNotice,
  noDatasetTypesNotice,
  noRepositoriesNotice,
  repositoryNotice
} from './notices';
import { repositoryId, type TreeRequest } from './requests';
import type { Loadable } from './resource';

interface IRowBase {
  /** The way from the root, so that it stays the same when things around it change. */
  readonly id: string;
  /** From 1, as `aria-level` counts. */
  readonly level: number;
  /** The row it belongs to; null at the root. */
  readonly parent: string | null;
  /** From 1, among the rows with the same parent. */
  readonly position: number;
  readonly siblings: number;
  /** Null for a row that nothing can be below. */
  readonly expanded: boolean | null;
  /** What has to be asked for once this row is seen; null if nothing. */
  readonly request: TreeRequest | null;
}

export interface IRepositoryRow extends IRowBase {
  readonly kind: 'repository';
  readonly repository: Repository;
  /** Its state is being asked for. */
  readonly checking: boolean;
}

export interface ICollectionRow extends IRowBase {
  readonly kind: 'collection';
  readonly repository: Repository;
  readonly collection: Collection;
}

/** Keeps the dataset types of a chain apart from its children. */
export interface ITypesRow extends IRowBase {
  readonly kind: 'types';
  readonly repository: Repository;
  readonly collection: Collection;
  readonly total: number | null;
}

export interface IDatasetTypeRow extends IRowBase {
  readonly kind: 'dataset-type';
  readonly repository: Repository;
  readonly collection: Collection;
  readonly datasetType: DatasetType;
  readonly count: Loadable<DatasetCount>;
}

/** Stands where something else would, and says why it is not there. */
export interface INoticeRow extends IRowBase {
  readonly kind: 'notice';
  readonly notice: INotice;
  /** What Retry asks for; null if there is nothing to ask. */
  readonly retry: TreeRequest | null;
}

/** One visible line of the tree. */
export type TreeRow = IRepositoryRow | ICollectionRow | ITypesRow | IDatasetTypeRow | INoticeRow;

/** What the rows are made from. */
export interface ITreeSource {
  repositories(): Loadable<readonly Repository[]>;
  checking(repository: Repository): boolean;
  level(repository: Repository, parent: string | null): Loadable<CollectionPage>;
  types(repository: Repository, collection: string): Loadable<DatasetTypeList>;
  count(repository: Repository, collection: string, datasetType: string): Loadable<DatasetCount>;
  expanded(id: string, byDefault: boolean): boolean;
}

type Unplaced<T> = T extends unknown ? Omit<T, 'position' | 'siblings' | 'level' | 'parent'> : never;
type Draft = Unplaced<TreeRow> & { readonly below?: () => Draft[] };

/** All rows of the tree that are not hidden in a collapsed one, from top to bottom. */
export function treeRows(source: ITreeSource): TreeRow[] {
  const rows: TreeRow[] = [];
  place(repositoryDrafts(source), null, 1, rows);
  return rows;
}

function place(drafts: readonly Draft[], parent: string | null, level: number, rows: TreeRow[]): void {
  drafts.forEach(({ below, ...draft }, index) => {
    rows.push({ ...draft, level, parent, position: index + 1, siblings: drafts.length });
    if (draft.expanded && below) {
      place(below(), draft.id, level + 1, rows);
    }
  });
}

function repositoryDrafts(source: ITreeSource): Draft[] {
  const request: TreeRequest = { what: 'repositories' };
  const repositories = source.repositories();
  if (repositories.status !== 'loaded') {
    return [pending('root', repositories, 'repositories', request)];
  }
  if (repositories.value.length === 0) {
    return [noticeDraft('root', noRepositoriesNotice(), request, request)];
  }
  return repositories.value.map(repository => {
    const id = repositoryId(repository);
    return {
      kind: 'repository',
      id,
      repository,
      checking: source.checking(repository),
      // Remembered repositories are refreshed as soon as one of them is seen.
      request,
      expanded: source.expanded(id, false),
      below: () => topDrafts(source, repository, id)
    };
  });
}

function topDrafts(source: ITreeSource, repository: Repository, id: string): Draft[] {
  const check: TreeRequest = { what: 'check', repository };
  const trouble = repositoryNotice(repository);
  const level = source.level(repository, null);
  if (trouble === null) {
    return levelDrafts(source, repository, null, id);
  }
  if (source.checking(repository)) {
    return [noticeDraft(id, loadingNotice(`the state of ${repository.label}`), null, null)];
  }
  const explanation = noticeDraft(`${id}|state`, trouble, trouble.retry === null ? null : check, null);
  // What was already known stays in sight while the server is away.
  return level.status === 'loaded'
    ? [explanation, ...levelDrafts(source, repository, null, id)]
    : [explanation];
}

function levelDrafts(
  source: ITreeSource,
  repository: Repository,
  parent: string | null,
  id: string
): Draft[] {
  const request: TreeRequest = { what: 'level', repository, parent };
  const level = source.level(repository, parent);
  if (level.status !== 'loaded') {
    return [pending(id, level, parent === null ? 'collections' : `the children of ${parent}`, request)];
  }
  const { collections, total, capped } = level.value;
  if (collections.length === 0) {
    return [noticeDraft(id, noCollectionsNotice(parent), null, request)];
  }
  const drafts = collections.map(collection => collectionDraft(source, repository, collection, id, request));
  if (capped) {
    drafts.push(noticeDraft(id, cappedCollectionsNotice(collections.length, total), null, null));
  }
  return drafts;
}

function collectionDraft(
  source: ITreeSource,
  repository: Repository,
  collection: Collection,
  parentId: string,
  request: TreeRequest
): Draft {
  // Encoded, so that no name can look like a way.
  const id = `${parentId}|${encodeURIComponent(collection.name)}`;
  return {
    kind: 'collection',
    id,
    repository,
    collection,
    request,
    expanded: source.expanded(id, false),
    below: () =>
      collection.type === 'CHAINED'
        ? [
            // One row, and the one most often wanted: before the children, where no scrolling is needed.
            typesDraft(source, repository, collection, id),
            ...levelDrafts(source, repository, collection.name, id)
          ]
        : typeDrafts(source, repository, collection, id)
  };
}

function typesDraft(
  source: ITreeSource,
  repository: Repository,
  collection: Collection,
  collectionId: string
): Draft {
  const id = `${collectionId}||types`;
  const types = source.types(repository, collection.name);
  return {
    kind: 'types',
    id,
    repository,
    collection,
    total: types.status === 'loaded' ? types.value.dataset_types.length : null,
    request: null,
    expanded: source.expanded(id, false),
    below: () => typeDrafts(source, repository, collection, id)
  };
}

function typeDrafts(
  source: ITreeSource,
  repository: Repository,
  collection: Collection,
  id: string
): Draft[] {
  const request: TreeRequest = { what: 'types', repository, collection: collection.name };
  const types = source.types(repository, collection.name);
  if (types.status !== 'loaded') {
    return [pending(`${id}||types`, types, `the dataset types of ${collection.name}`, request)];
  }
  if (types.value.dataset_types.length === 0) {
    return [noticeDraft(`${id}||types`, noDatasetTypesNotice(collection.type), null, request)];
  }
  return types.value.dataset_types.map(datasetType => ({
    kind: 'dataset-type',
    id: `${id}||type|${datasetType.name}`,
    repository,
    collection,
    datasetType,
    count: source.count(repository, collection.name, datasetType.name),
    request,
    expanded: null
  }));
}

function pending(
  id: string,
  state: Exclude<Loadable<unknown>, { status: 'loaded' }>,
  what: string,
  request: TreeRequest
): Draft {
  switch (state.status) {
    case 'unasked':
    case 'loading':
      return noticeDraft(id, loadingNotice(what), null, request);
    case 'cancelled':
      return noticeDraft(id, cancelledNotice(what), request, null);
    case 'failed':
      return noticeDraft(id, errorNotice(state.error, state.retryAt), request, null);
  }
}

function noticeDraft(
  id: string,
  notice: INotice,
  retry: TreeRequest | null,
  request: TreeRequest | null
): Draft {
  return { kind: 'notice', id: `${id}|notice`, notice, retry, request, expanded: null };
}
