import type { IDatasetSelection } from '../model';

/** What the query can have done by others. */
export interface IQueryActions {
  /** The call as a line of Python. */
  codeOf(selection: IDatasetSelection): string;
  insert(selection: IDatasetSelection): void;
  copyCode(selection: IDatasetSelection): void;
  copyText(text: string): void;
  /** The pointer has begun to pull the query. */
  drag(selection: IDatasetSelection, at: { readonly clientX: number; readonly clientY: number }): void;
}
