/**
 * Snippets that find datasets instead of reading them, and the identifiers other services know.
 */

import type { Dataset } from '../../api';
import type { IDatasetSelection } from '../../model';
import { dictionary, inlineCall, literal, statement, type Literal } from '../../python/literals';
import { trans } from '../../trans';
import { collectionsArgument, nameFor, needsValidity, onlyDataset, uuidSource } from './target';
import type { ISnippet } from './types';

/**
 * What to call a dataset outside this repository: for official ones the IVOA identifier of their
 * publisher, for personal ones the UUID, which no service but the owner's can resolve.
 */
export function identifier({ repository }: IDatasetSelection, dataset: Dataset): string {
  if (repository.kind === 'personal') {
    return dataset.id;
  }
  const label = encodeURIComponent(repository.label);
  return `ivo://org.rubinobs/usdac/lsst-${label}?repo=${label}&id=${dataset.id}`;
}

export const reference: ISnippet = {
  id: 'reference',
  get label() {
    return trans.__('Reference by UUID');
  },
  icon: 'ui-components:link',
  getCode: context => {
    const dataset = onlyDataset(context.selection);
    if (!dataset) {
      return null;
    }
    const call = inlineCall(`${context.butler}.get_dataset`, [uuidSource(dataset)]);
    const name = nameFor(context, '_ref');
    return {
      imports: ['import uuid'],
      body: context.form === 'expression' ? call : `${name} = ${call}\n${name}`
    };
  }
};

export const query: ISnippet = {
  id: 'query',
  get label() {
    return trans.__('Query');
  },
  icon: 'ui-components:search',
  getCode: context => {
    const { selection, butler } = context;
    const dataset = onlyDataset(selection);
    if (!dataset) {
      return null;
    }
    const callable = `${butler}.query_datasets`;
    const args = queryArguments(
      selection,
      Object.entries(dataset.data_id).map(([dimension, value]) => [dimension, [value]]),
      collectionsArgument(context)
    );
    if (context.form === 'expression') {
      return { imports: [], body: inlineCall(callable, args) };
    }
    const name = nameFor(context, '_refs');
    return { imports: [], body: `${statement(`${name} = `, callable, args)}\n${name}` };
  }
};

export const ivoa: ISnippet = {
  id: 'ivoa',
  get label() {
    return trans.__('IVOA identifier');
  },
  icon: 'ui-components:share',
  getCode: context => {
    const { selection } = context;
    const dataset = onlyDataset(selection);
    if (!dataset || selection.repository.kind !== 'official') {
      return null;
    }
    const imports = ['from lsst.daf.butler import Butler'];
    const callable = 'Butler.get_dataset_from_uri';
    const args = [literal(identifier(selection, dataset))];
    if (context.form === 'expression') {
      return { imports, needsButler: false, body: `${inlineCall(callable, args)}.dataset` };
    }
    const name = nameFor(context, '_ref');
    const body = `${statement(`${name} = `, callable, args, '.dataset')}\n${name}`;
    return { imports, needsButler: false, body };
  }
};

/**
 * Arguments of a query for all combinations of some dimensions' values: values are bound, never pasted
 * into the expression.
 */
export function queryArguments(
  selection: IDatasetSelection,
  values: readonly (readonly [string, readonly (string | number)[]])[],
  collections: readonly string[]
): string[] {
  const terms: string[] = [];
  const bind: Record<string, Literal> = {};
  for (const [dimension, [first, ...rest]] of values) {
    if (first !== undefined) {
      // A bound name must not be a dimension's: the expression would take the one for the other.
      const name = `${dimension}_${typeof first === 'string' ? 'name' : 'id'}${rest.length > 0 ? 's' : ''}`;
      terms.push(rest.length > 0 ? `${dimension} IN (:${name})` : `${dimension} = :${name}`);
      bind[name] = rest.length > 0 ? [first, ...rest] : first;
    }
  }
  return [
    literal(selection.datasetType.name),
    ...collections,
    ...(terms.length > 0 ? [`where=${literal(terms.join(' AND '))}`, `bind=${dictionary(bind)}`] : []),
    // The first of several validity ranges would be an arbitrary one.
    ...(needsValidity(selection) ? ['find_first=False'] : [])
  ];
}
