/**
 * Snippets for everything that a query finds: the query itself, and a loop over it.
 */

import type { QueryCall } from '../../api';
import { dictionarySource, inlineCall, keywords, literal, statement } from '../../python/literals';
import { trans } from '../../trans';
import { summary } from './family';
import { collectionsArgument, nameFor } from './target';
import type { ICode, ISnippet, ISnippetContext } from './types';

export const found: ISnippet = {
  id: 'found',
  get label() {
    return trans.__('Query');
  },
  icon: 'ui-components:search',
  getCode: context => {
    const { whole } = context.selection;
    return whole ? asList(context, whole) : null;
  }
};

export const eachFound: ISnippet = {
  id: 'each-found',
  get label() {
    return trans.__('Loop over what is found');
  },
  icon: 'ui-components:paste',
  getCode: context => {
    const { selection, butler, form } = context;
    const { whole } = selection;
    if (!whole || form === 'expression') {
      return null;
    }
    const { imports, args } = callOf(context, whole);
    const name = nameFor(context);
    return {
      imports,
      body: [
        statement('for ref in ', `${butler}.query_datasets`, args, ':'),
        `    ${name} = ${butler}.get(ref)`,
        `    print(ref.dataId, ${summary(selection.datasetType, name)})`
      ].join('\n')
    };
  }
};

function asList(context: ISnippetContext, call: QueryCall): ICode {
  const { imports, args } = callOf(context, call);
  const callable = `${context.butler}.query_datasets`;
  if (context.form === 'expression') {
    return { imports, body: inlineCall(callable, args) };
  }
  const name = nameFor(context, '_refs');
  return { imports, body: `${statement(`${name} = `, callable, args)}\nlen(${name})` };
}

/** The arguments of the call, exactly those that the backend used. */
function callOf(context: ISnippetContext, call: QueryCall): { imports: string[]; args: string[] } {
  const bind = Object.entries(call.bind);
  const hasTimes = bind.some(([, value]) => isTime(value));
  const values = bind.map(
    ([name, value]) =>
      [name, isTime(value) ? `Time(${literal(value.tai)}, scale="tai")` : literal(value)] as const
  );
  const args = [
    literal(context.selection.datasetType.name),
    ...collectionsArgument(context),
    ...keywords(call.data_id),
    ...(call.where ? [`where=${literal(call.where)}`] : []),
    ...(values.length > 0 ? [`bind=${dictionarySource(values)}`] : []),
    ...(call.order_by.length > 0 ? [`order_by=${literal(call.order_by)}`] : []),
    // Without a limit of its own upstream stops at 20,000, with no more than a warning.
    `limit=${call.limit ?? 'None'}`,
    ...(call.find_first ? [] : ['find_first=False'])
  ];
  return { imports: hasTimes ? ['from astropy.time import Time'] : [], args };
}

type Bound = QueryCall['bind'][string];

function isTime(value: Bound): value is Extract<Bound, { tai: string }> {
  return typeof value === 'object' && !Array.isArray(value);
}
