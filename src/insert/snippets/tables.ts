/**
 * Snippets for tables: some columns, other Python forms, the schema.
 */

import { listStatement, literal } from '../python/literals';
import { familyOf } from './family';
import { nameFor, onlyDataset, Target } from './target';
import type { ICode, ISnippet, ISnippetContext } from './types';

/** Columns to read when nobody chose any. */
const FEW = 10;

/**
 * Some columns: the default, because whole tables can be wider than a kernel's memory allows.
 */
export const columns: ISnippet = {
  id: 'columns',
  label: 'Chosen columns',
  icon: 'ui-components:list',
  getCode: context => readColumns(context)
};

export const asPandas = form('as-pandas', 'As a pandas data frame', 'DataFrame');
export const asAstropy = form('as-astropy', 'As an astropy table', 'ArrowAstropy');
export const asArrow = form('as-arrow', 'As an Arrow table', 'ArrowTable');

export const schema: ISnippet = {
  id: 'schema',
  label: 'Schema only',
  icon: 'ui-components:info',
  getCode: context => {
    const dataset = onlyDataset(context.selection);
    if (!dataset || !hasColumns(context) || !context.selection.datasetType.components.includes('schema')) {
      return null;
    }
    const target = new Target(context, dataset);
    const read = { component: 'schema' };
    if (context.form === 'expression') {
      return { imports: target.imports, body: target.expression(read) };
    }
    const name = nameFor(context, '_schema');
    return target.cell([target.statement(`${name} = `, read), name]);
  }
};

/** Chosen columns in another Python form than the one the dataset type has. */
function form(id: string, label: string, storageClass: string): ISnippet {
  return {
    id,
    label,
    icon: 'ui-components:table-rows',
    group: 'Form',
    getCode: context =>
      context.selection.datasetType.storage_class === storageClass ? null : readColumns(context, storageClass)
  };
}

function hasColumns({ selection }: ISnippetContext): boolean {
  return familyOf(selection.datasetType) === 'table' && selection.datasetType.parameters.includes('columns');
}

function readColumns(context: ISnippetContext, storageClass?: string): ICode | null {
  const dataset = onlyDataset(context.selection);
  if (!dataset || !hasColumns(context)) {
    return null;
  }
  const chosen = context.choice.columns;
  if (context.form === 'expression') {
    const target = new Target(context, dataset);
    const names = chosen ? literal(chosen) : `list(${target.expression({ component: 'columns' })})[:${FEW}]`;
    return {
      imports: target.imports,
      body: target.expression({ parameters: `{"columns": ${names}}`, storageClass })
    };
  }
  const target = new Target(context, dataset, chosen ? 1 : 2);
  const name = nameFor(context);
  return target.cell([
    ...(chosen
      ? [listStatement('columns = ', chosen.map(literal))]
      : [
          target.statement('columns = list(', { component: 'columns' }, ')'),
          `columns = columns[:${FEW}]  # name those you need: a wide table has over a thousand`
        ]),
    target.statement(`${name} = `, { parameters: '{"columns": columns}', storageClass }),
    name
  ]);
}
