/**
 * How code names the one dataset it reads: by its data ID, or by its identifier where a data ID does
 * not suffice.
 */

import type { Dataset } from '../../api';
import type { IDatasetSelection } from '../../model';
import {
  dictionary,
  freeName,
  inlineCall,
  keywords,
  literal,
  statement,
  variableName
} from '../../python/literals';
import { familyOf } from './family';
import type { ICode, ISnippetContext } from './types';

/** What to read of the dataset, and how. */
export interface IRead {
  readonly component?: string;
  /** Python source of the parameters' dictionary. */
  readonly parameters?: string;
  readonly storageClass?: string;
  readonly method?: 'get' | 'getDeferred';
}

/**
 * Whether data IDs alone are ambiguous: in a CALIBRATION collection a data ID has one dataset for each
 * validity range, and a chain may hold such a collection.
 */
export function needsValidity({ collection, datasetType }: IDatasetSelection): boolean {
  return datasetType.is_calibration && (collection.type === 'CALIBRATION' || collection.type === 'CHAINED');
}

/** The only dataset of a selection, or null if there are several. */
export function onlyDataset({ datasets }: IDatasetSelection): Dataset | null {
  return datasets.length === 1 ? (datasets[0] ?? null) : null;
}

/** A free name for a variable, after the dataset type, with an ending such as `_ref`. */
export function nameFor({ selection, taken }: ISnippetContext, ending = ''): string {
  const { datasetType } = selection;
  return freeName(variableName(`${datasetType.name}${ending}`, familyOf(datasetType)), taken);
}

/** Python source of a `uuid.UUID`. */
export function uuidSource(dataset: Dataset): string {
  return inlineCall('uuid.UUID', [literal(dataset.id)]);
}

/** The `collections` argument, if one is needed. */
export function collectionsArgument({ collection }: ISnippetContext): string[] {
  return collection === null ? [] : keywords({ collections: collection });
}

/**
 * One dataset as the subject of some code.
 *
 * @param reads - How often the code will read of it: a data ID used twice gets a name.
 */
export class Target {
  constructor(
    private readonly _context: ISnippetContext,
    private readonly _dataset: Dataset,
    reads = 1
  ) {
    this._byId = needsValidity(_context.selection);
    this._shared = _context.form === 'cell' && (this._byId || reads > 1);
  }

  /** Statements before the first read. */
  get setup(): string[] {
    if (!this._shared) {
      return [];
    }
    if (this._byId) {
      return [`${this._reference} = ${this._lookUp}`];
    }
    return [`data_id = ${dictionary(this._dataset.data_id)}`];
  }

  get imports(): string[] {
    return this._byId ? ['import uuid'] : [];
  }

  /** An expression on one line. */
  expression(read: IRead = {}): string {
    return inlineCall(this._method(read), this._arguments(read));
  }

  /** A statement, broken over lines if it is long. */
  statement(before: string, read: IRead = {}, after = ''): string {
    return statement(before, this._method(read), this._arguments(read), after);
  }

  /** A cell of statements about this target, after its setup. */
  cell(body: readonly string[], imports: readonly string[] = []): ICode {
    return { imports: [...imports, ...this.imports], body: [...this.setup, ...body].join('\n') };
  }

  private get _reference(): string {
    return nameFor({ ...this._context, taken: new Set() }, '_ref');
  }

  private get _lookUp(): string {
    return inlineCall(`${this._context.butler}.get_dataset`, [uuidSource(this._dataset)]);
  }

  private _method({ method = 'get' }: IRead): string {
    return `${this._context.butler}.${method}`;
  }

  private _arguments(read: IRead): string[] {
    const options = [
      ...(read.parameters === undefined ? [] : [`parameters=${read.parameters}`]),
      ...(read.storageClass === undefined ? [] : keywords({ storageClass: read.storageClass }))
    ];
    if (this._byId) {
      const reference = this._shared ? this._reference : this._lookUp;
      const part = read.component === undefined ? '' : `.makeComponentRef(${literal(read.component)})`;
      return [`${reference}${part}`, ...options];
    }
    const { name } = this._context.selection.datasetType;
    const part = read.component === undefined ? name : `${name}.${read.component}`;
    const dataId = this._shared ? ['data_id'] : keywords(this._dataset.data_id);
    return [literal(part), ...dataId, ...options, ...collectionsArgument(this._context)];
  }

  private readonly _byId: boolean;
  private readonly _shared: boolean;
}
