/**
 * Snippets for tables: some columns, other Python forms, the schema.
 */

import { freeName, listStatement, literal } from '../../python/literals';
import { trans } from '../../trans';
import { familyOf } from './family';
import { keepRows } from './rows';
import { nameFor, onlyDataset, Target } from './target';
import type { ICode, ISnippet, ISnippetContext } from './types';

/** Columns to read when nobody chose any. */
const FEW = 10;

/**
 * Some columns: the default, because whole tables can be wider than a kernel's memory allows.
 */
export const columns: ISnippet = {
  id: 'columns',
  get label() {
    return trans.__('Chosen columns');
  },
  icon: 'ui-components:list',
  getCode: context => readColumns(context)
};

export const asPandas = form('as-pandas', () => trans.__('As a pandas data frame'), 'DataFrame');
export const asAstropy = form('as-astropy', () => trans.__('As an astropy table'), 'ArrowAstropy');
export const asArrow = form('as-arrow', () => trans.__('As an Arrow table'), 'ArrowTable');

export const schema: ISnippet = {
  id: 'schema',
  get label() {
    return trans.__('Schema only');
  },
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
function form(id: string, label: () => string, storageClass: string): ISnippet {
  return {
    id,
    get label() {
      return label();
    },
    icon: 'ui-components:table-rows',
    get group() {
      return trans.__('Form');
    },
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
  const { columns: chosen, rows = [] } = context.choice;
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
  const keep = freeName('keep', new Set([...context.taken, name]));
  const form = storageClass ?? context.selection.datasetType.storage_class;
  const kept = rows.length > 0 ? keepRows(name, keep, form, rows) : null;
  // Rows are chosen by columns that have to be read for that.
  const needed = kept ? rows.map(({ column }) => column) : [];
  return target.cell(
    [
      ...(chosen
        ? [listStatement('columns = ', [...new Set([...chosen, ...needed])].map(literal))]
        : [
            target.statement('columns = list(', { component: 'columns' }, ')'),
            `columns = columns[:${FEW}]  # name those you need: a wide table has over a thousand`,
            ...(needed.length > 0
              ? [`columns = list(dict.fromkeys(columns + ${literal([...new Set(needed)])}))`]
              : [])
          ]),
      target.statement(`${name} = `, { parameters: '{"columns": columns}', storageClass }),
      ...(kept?.lines ?? []),
      name
    ],
    kept?.imports ?? []
  );
}
