/**
 * Keeping some rows of a table that has been read. Upstream's storage classes name a parameter `filters`,
 * which their formatters refuse: rows are therefore left out after reading, in the form the table has.
 */

import { listStatement, literal } from '../../python/literals';
import type { IRowFilter } from './types';

/** Statements that leave rows out of a variable, and what they import. */
export interface IRows {
  readonly imports: readonly string[];
  readonly lines: readonly string[];
}

/** How one form of table names a column, and takes rows. */
interface IForm {
  readonly imports: readonly string[];
  column(table: string, name: string): string;
  isIn(column: string, values: string): string;
  take(table: string, keep: string): string;
}

const NUMPY: IForm = {
  imports: ['import numpy as np'],
  column: (table, name) => `${table}[${literal(name)}]`,
  isIn: (column, values) => `np.isin(${column}, ${values})`,
  take: (table, keep) => `${table}[${keep}]`
};

const FORMS: Readonly<Record<string, IForm>> = {
  // Where a value is masked nothing is known of it: such rows do not pass.
  ArrowAstropy: { ...NUMPY, take: (table, keep) => `${table}[np.ma.filled(${keep}, False)]` },
  ArrowNumpy: NUMPY,
  ArrowNumpyDict: {
    ...NUMPY,
    take: (table, keep) => `{name: values[${keep}] for name, values in ${table}.items()}`
  },
  DataFrame: { ...NUMPY, isIn: (column, values) => `${column}.isin(${values})` },
  ArrowTable: {
    imports: ['import numpy as np', 'import pyarrow.compute as pc'],
    column: (_, name) => `pc.field(${literal(name)})`,
    isIn: (column, values) => `${column}.isin(${values})`,
    take: (table, keep) => `${table}.filter(${keep})`
  }
};

/** Code that keeps the rows of a table that pass all filters; null if tables of this form have no rows. */
export function keepRows(
  table: string,
  keep: string,
  storageClass: string,
  filters: readonly IRowFilter[]
): IRows | null {
  const form = FORMS[storageClass];
  if (!form) {
    return null;
  }
  const terms = filters.flatMap(filter => termsOf(filter, form, table));
  const condition = terms.length === 1 ? `${keep} = ${terms.join('')}` : `${keep} = ${all(terms)}`;
  const lines = [condition, `${table} = ${form.take(table, keep)}`];
  // Only what is used is imported.
  const imports = form.imports.filter(line => lines.some(text => text.includes(`${line.split(' ').pop()}.`)));
  return { imports, lines };
}

/** Comparisons that have all to be true, one a line if they are long. */
function all(terms: readonly string[]): string {
  const line = terms.map(term => `(${term})`).join(' & ');
  return line.length <= 80
    ? line
    : `(\n${terms.map((term, index) => `    ${index > 0 ? '& ' : ''}(${term})`).join('\n')}\n)`;
}

function termsOf(
  { column: name, kind, low, high, values }: IRowFilter,
  form: IForm,
  table: string
): string[] {
  const column = form.column(table, name);
  if (values !== null) {
    const [first, ...rest] = values.map(value => valueOf(value, kind));
    if (first === undefined) {
      return [];
    }
    return [
      rest.length === 0 ? `${column} == ${first}` : form.isIn(column, listStatement('', [first, ...rest]))
    ];
  }
  const edge = (value: number): string =>
    // Milliseconds since 1970, in the column's own scale.
    kind === 'time' ? `np.datetime64(${Math.round(value)}, "ms")` : String(value);
  return [
    ...(low === null ? [] : [`${column} >= ${edge(low)}`]),
    ...(high === null ? [] : [`${column} <= ${edge(high)}`])
  ];
}

/** A value, which is told as text, as Python has it. */
function valueOf(text: string, kind: IRowFilter['kind']): string {
  switch (kind) {
    case 'boolean':
      return text.toLowerCase() === 'true' ? 'True' : 'False';
    case 'integer':
    case 'float':
      return text;
    default:
      return literal(text);
  }
}
