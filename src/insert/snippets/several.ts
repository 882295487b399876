/**
 * Snippets for several datasets at once: a query if one describes exactly them, else a list of data IDs;
 * and a loop, since all of them together may not fit into memory.
 */

import type { Dataset } from '../../api';
import { dictionary, inlineCall, keywords, listStatement, literal, statement } from '../../python/literals';
import { trans } from '../../trans';
import { columnsOf, loop } from './loops';
import { queryArguments } from './references';
import { collectionsArgument, nameFor, needsValidity, uuidSource } from './target';
import type { ICode, ISnippet, ISnippetContext } from './types';

type Values = [string, (string | number)[]][];

export const several: ISnippet = {
  id: 'several',
  get label() {
    return trans.__('Loop over the datasets');
  },
  icon: 'ui-components:paste',
  getCode: context => {
    if (context.selection.datasets.length < 2) {
      return null;
    }
    if (needsValidity(context.selection)) {
      return byIdentifier(context);
    }
    const values = describe(context.selection.datasets);
    return values ? byQuery(context, values) : byDataId(context);
  }
};

export const severalDataIds: ISnippet = {
  id: 'several-data-ids',
  get label() {
    return trans.__('Loop over data IDs');
  },
  icon: 'ui-components:list',
  getCode: context =>
    context.selection.datasets.length < 2 ||
    needsValidity(context.selection) ||
    !describe(context.selection.datasets)
      ? null
      : byDataId(context)
};

export const severalReferences: ISnippet = {
  id: 'several-references',
  get label() {
    return trans.__('References by UUID');
  },
  icon: 'ui-components:link',
  getCode: context => {
    const { datasets } = context.selection;
    if (datasets.length < 2) {
      return null;
    }
    const body = context.form === 'expression' ? lookUps(context).join(', ') : '';
    const name = nameFor(context, '_refs');
    return {
      imports: ['import uuid'],
      body:
        context.form === 'expression'
          ? `[${body}]`
          : `${listStatement(`${name} = `, lookUps(context))}\n${name}`
    };
  }
};

/**
 * Values of each dimension, if the datasets are all combinations of them; else null.
 */
export function describe(datasets: readonly Dataset[]): Values | null {
  const dimensions = Object.keys(datasets[0]?.data_id ?? {});
  const values = dimensions.map((dimension): [string, (string | number)[]] => [
    dimension,
    [...new Set(datasets.map(({ data_id }) => data_id[dimension] ?? ''))]
  ]);
  const combinations = values.reduce((product, [, distinct]) => product * distinct.length, 1);
  const distinct = new Set(
    datasets.map(({ data_id }) => JSON.stringify(dimensions.map(key => data_id[key])))
  );
  return distinct.size === datasets.length && combinations === datasets.length ? values : null;
}

function byQuery(context: ISnippetContext, values: Values): ICode {
  const { selection, butler } = context;
  const args = queryArguments(selection, values, collectionsArgument(context));
  const callable = `${butler}.query_datasets`;
  if (context.form === 'expression') {
    return { imports: [], body: inlineCall(callable, args) };
  }
  const refs = nameFor(context, '_refs');
  const before = columnsOf(context, `${refs}[0].makeComponentRef("columns")`);
  return {
    imports: [],
    body: [
      statement(`${refs} = `, callable, args),
      ...before,
      ...loop(context, 'ref', refs, 'ref', [], 'ref.dataId')
    ].join('\n')
  };
}

function byDataId(context: ISnippetContext): ICode {
  const { datasets, datasetType } = context.selection;
  const [first] = datasets;
  const dimensions = Object.keys(first?.data_id ?? {});
  const isCommon = (key: string): boolean =>
    datasets.every(({ data_id }) => data_id[key] === first?.data_id[key]);
  const pick = (dataset: Dataset, keys: readonly string[]): Dataset['data_id'] =>
    Object.fromEntries(keys.map(key => [key, dataset.data_id[key] ?? '']));
  if (context.form === 'expression') {
    return { imports: [], body: `[${datasets.map(({ data_id }) => dictionary(data_id)).join(', ')}]` };
  }
  const common = first ? keywords(pick(first, dimensions.filter(isCommon))) : [];
  const own = dimensions.filter(key => !isCommon(key));
  const rest = [...common, ...collectionsArgument(context)];
  const component = [literal(`${datasetType.name}.columns`), 'data_ids[0]', ...rest].join(', ');
  return {
    imports: [],
    body: [
      listStatement(
        'data_ids = ',
        datasets.map(dataset => dictionary(pick(dataset, own)))
      ),
      ...columnsOf(context, component),
      ...loop(context, 'data_id', 'data_ids', literal(datasetType.name), ['data_id', ...rest], 'data_id')
    ].join('\n')
  };
}

function byIdentifier(context: ISnippetContext): ICode {
  const list = lookUps(context);
  if (context.form === 'expression') {
    return { imports: ['import uuid'], body: `[${list.join(', ')}]` };
  }
  const refs = nameFor(context, '_refs');
  const before = columnsOf(context, `${refs}[0].makeComponentRef("columns")`);
  return {
    imports: ['import uuid'],
    body: [
      listStatement(`${refs} = `, list),
      ...before,
      ...loop(context, 'ref', refs, 'ref', [], 'ref.dataId')
    ].join('\n')
  };
}

function lookUps({ butler, selection }: ISnippetContext): string[] {
  return selection.datasets.map(dataset => inlineCall(`${butler}.get_dataset`, [uuidSource(dataset)]));
}
