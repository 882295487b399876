import type { IDatasetQuery, IRepositoryKey } from '../api';

/** Entries of one level that are asked for at a time. */
export const LEVEL_PAGE = 1_000;

/** One stretch of one level of the tree of collections. */
export interface ILevelRequest {
  readonly what: 'level';
  readonly repository: IRepositoryKey;
  /** A chain, or null for the top level. */
  readonly parent: string | null;
  /** At the top level: a folder, empty for what is in none, or null if nothing is grouped. */
  readonly folder: string | null;
  /** From 0, in stretches of `LEVEL_PAGE`. */
  readonly page: number;
}

/** What the tree can ask of the server. */
export type TreeRequest =
  | { readonly what: 'repositories' }
  /** Look at one repository now. */
  | { readonly what: 'check'; readonly repository: IRepositoryKey }
  | ILevelRequest
  | { readonly what: 'types'; readonly repository: IRepositoryKey; readonly collection: string };

/** A word for a repository that no other has. */
export function repositoryId(key: IRepositoryKey): string {
  return `${key.kind}:${key.label}`;
}

/** A word for the datasets of one type in one collection that no other has. */
export function queryId(query: IDatasetQuery): string {
  return `${repositoryId(query)}|${query.collection}|${query.datasetType}`;
}

/** A word for a request that no other has; those about one repository begin alike. */
export function requestId(request: TreeRequest): string {
  switch (request.what) {
    case 'repositories':
      return request.what;
    case 'check':
      return `${repositoryId(request.repository)}|check`;
    case 'level': {
      const { repository, parent, folder, page } = request;
      return `${repositoryId(repository)}|level|${parent ?? ''}|${folder ?? '-'}|${page}`;
    }
    case 'types':
      return `${repositoryId(request.repository)}|types|${request.collection}`;
  }
}
