/**
 * Loops over several datasets, since all of them together may not fit into memory.
 */

import { listStatement, literal, statement } from '../../python/literals';
import { familyOf, summary } from './family';
import { nameFor } from './target';
import type { ISnippetContext } from './types';

/** Choose columns before the loop, if there are columns to choose. */
export function columnsOf(context: ISnippetContext, subject: string): string[] {
  if (!hasColumns(context)) {
    return [];
  }
  const chosen = context.choice.columns;
  return chosen
    ? [listStatement('columns = ', chosen.map(literal))]
    : [
        statement('columns = list(', `${context.butler}.get`, [subject], ')'),
        'columns = columns[:10]  # name those you need: a wide table has over a thousand'
      ];
}

export function hasColumns({ selection }: ISnippetContext): boolean {
  return familyOf(selection.datasetType) === 'table' && selection.datasetType.parameters.includes('columns');
}

export function loop(
  context: ISnippetContext,
  item: string,
  items: string,
  subject: string,
  rest: readonly string[],
  dataId: string
): string[] {
  const { datasetType } = context.selection;
  const name = nameFor(context);
  const parameters = hasColumns(context) ? ['parameters={"columns": columns}'] : [];
  return [
    `for ${item} in ${items}:`,
    statement(`    ${name} = `, `${context.butler}.get`, [subject, ...rest, ...parameters]),
    `    print(${dataId}, ${summary(datasetType, name)})`
  ];
}
