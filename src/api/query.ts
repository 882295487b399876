import { type IRepositoryKey, type Transport, within } from './transport';
import type { DatasetSearch, FacetValues, QueryCheck, QueryShape } from './types';

/** Which values of a dimension are wanted. */
export interface IValueQuestion {
  readonly dimension: string;
  /** What they begin with. */
  readonly prefix: string;
  readonly limit: number;
}

/** Asks the backend about queries, before they are run. */
export interface IQueryClient {
  /** By what datasets of a type can be narrowed. */
  shape(key: IRepositoryKey, datasetType: string, signal: AbortSignal): Promise<QueryShape>;
  /** What is wrong with a search, or else which call of a butler's it is. */
  check(key: IRepositoryKey, search: DatasetSearch, signal: AbortSignal): Promise<QueryCheck>;
  /** Values of a dimension that occur. */
  values(
    key: IRepositoryKey,
    search: DatasetSearch,
    question: IValueQuestion,
    signal: AbortSignal
  ): Promise<FacetValues>;
}

/** Asks the backend about queries, before they are run. */
export class QueryClient implements IQueryClient {
  constructor(private readonly _transport: Transport) {}

  shape(key: IRepositoryKey, datasetType: string, signal: AbortSignal): Promise<QueryShape> {
    return this._transport.get(within(key, 'query', 'shape'), { dataset_type: datasetType }, signal);
  }

  check(key: IRepositoryKey, search: DatasetSearch, signal: AbortSignal): Promise<QueryCheck> {
    return this._transport.send('POST', within(key, 'query', 'check'), search, signal);
  }

  values(
    key: IRepositoryKey,
    search: DatasetSearch,
    { dimension, prefix, limit }: IValueQuestion,
    signal: AbortSignal
  ): Promise<FacetValues> {
    const question = { dimension, prefix, limit };
    return this._transport.send('POST', within(key, 'query', 'values'), search, signal, question);
  }
}
