import type { IDatasetQuery, IRepositoryKey } from '../api';

/** What the tree can ask of the server. */
export type TreeRequest =
  | { readonly what: 'repositories' }
  /** Look at one repository now. */
  | { readonly what: 'check'; readonly repository: IRepositoryKey }
  /** The collections below a chain, or the top level. */
  | { readonly what: 'level'; readonly repository: IRepositoryKey; readonly parent: string | null }
  | { readonly what: 'types'; readonly repository: IRepositoryKey; readonly collection: string }
  | { readonly what: 'count'; readonly query: IDatasetQuery };

/** A word for a repository that no other has. */
export function repositoryId(key: IRepositoryKey): string {
  return `${key.kind}:${key.label}`;
}

/** A word for a request that no other has; those about one repository begin alike. */
export function requestId(request: TreeRequest): string {
  switch (request.what) {
    case 'repositories':
      return request.what;
    case 'check':
      return `${repositoryId(request.repository)}|check`;
    case 'level':
      return `${repositoryId(request.repository)}|level|${request.parent ?? ''}`;
    case 'types':
      return `${repositoryId(request.repository)}|types|${request.collection}`;
    case 'count':
      return `${repositoryId(request.query)}|count|${request.query.collection}|${request.query.datasetType}`;
  }
}
