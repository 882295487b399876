/**
 * What a snippet is.
 */

import type { ColumnKind, RowFilter } from '../../api';
import type { IDatasetSelection } from '../../model';

/** Which rows of a table to keep, by the values of one column of some kind. */
export type IRowFilter = RowFilter & { readonly kind: ColumnKind };

/** Details that a person chose before asking for code; each makes the code more definite. */
export interface IChoice {
  /** Names of a table's columns. */
  readonly columns?: readonly string[];
  /** Rows of a table: those that pass all of these. */
  readonly rows?: readonly IRowFilter[];
  /** Pixels, half open. */
  readonly box?: { readonly x0: number; readonly x1: number; readonly y0: number; readonly y1: number };
  /** ICRS, degrees; the radius in arcseconds. */
  readonly circle?: { readonly ra: number; readonly dec: number; readonly radius: number };
  /** The visit that a calibration is wanted for. */
  readonly visit?: number;
}

export interface ISnippetContext {
  readonly selection: IDatasetSelection;
  readonly choice: IChoice;
  /** A complete cell, or an expression to stand inside a line. */
  readonly form: 'cell' | 'expression';
  /** Name of the variable that holds the butler. */
  readonly butler: string;
  /** The collection to name in each call, or null if the butler's default is the right one. */
  readonly collection: string | null;
  /** Names that are in use and must not be bound anew. */
  readonly taken: ReadonlySet<string>;
}

/** Python code in its parts, which go to different places. */
export interface ICode {
  /** Import statements, one each, without that of the butler. */
  readonly imports: readonly string[];
  /** Statements of a cell, the last of which shows a result; or one expression. */
  readonly body: string;
  /** False if the body does without the butler variable. */
  readonly needsButler?: boolean;
}

export interface ISnippet {
  /** Unique; others' begin with the name of their package and a colon. */
  readonly id: string;
  /** As it stands in a menu; asked for when it is shown. */
  readonly label: string;
  /** Name of an icon of JupyterLab's. */
  readonly icon: string;
  /** Heading of the submenu it belongs to, if any. */
  readonly group?: string;
  /** The code, or null if it has no meaning for what is selected. */
  getCode(context: ISnippetContext): ICode | null;
}
