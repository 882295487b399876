import { type IRepositoryKey, type Transport, within } from './transport';
import type { ColumnSummary, SummaryRequest, TableOverview, TablePage, TableRequest } from './types';

/** One table in a repository, a part at a time. Fails as the `Transport` does. */
export interface ITableClient {
  overview(signal: AbortSignal): Promise<TableOverview>;
  rows(request: TableRequest, signal: AbortSignal): Promise<TablePage>;
  summary(request: SummaryRequest, signal: AbortSignal): Promise<ColumnSummary>;
}

/** Asks the backend about the table that a dataset is. */
export class TableClient implements ITableClient {
  constructor(
    private readonly _transport: Transport,
    key: IRepositoryKey,
    id: string
  ) {
    this._path = within(key, 'datasets', id, 'table');
  }

  overview(signal: AbortSignal): Promise<TableOverview> {
    return this._transport.get(this._path, {}, signal);
  }

  rows(request: TableRequest, signal: AbortSignal): Promise<TablePage> {
    return this._transport.send('POST', [...this._path, 'rows'], request, signal);
  }

  summary(request: SummaryRequest, signal: AbortSignal): Promise<ColumnSummary> {
    return this._transport.send('POST', [...this._path, 'summary'], request, signal);
  }

  private readonly _path: string[];
}
