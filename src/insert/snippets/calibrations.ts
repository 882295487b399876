/**
 * Snippets for calibrations, which are looked up by the time at which something was observed.
 */

import { keywords, statement } from '../../python/literals';
import { trans } from '../../trans';
import { show } from './family';
import { collectionsArgument, nameFor, needsValidity, onlyDataset, uuidSource } from './target';
import type { ISnippet } from './types';

export const forVisit: ISnippet = {
  id: 'for-visit',
  get label() {
    return trans.__('Valid for a visit');
  },
  icon: 'ui-components:history',
  getCode: context => {
    const { selection, butler, choice } = context;
    const dataset = onlyDataset(selection);
    if (!dataset || !needsValidity(selection)) {
      return null;
    }
    const type = selection.datasetType.name;
    const get = (visit: string): string[] => [
      JSON.stringify(type),
      ...keywords(dataset.data_id),
      `visit=${visit}`,
      ...collectionsArgument(context)
    ];
    if (choice.visit !== undefined && context.form === 'expression') {
      return { imports: [], body: `${butler}.get(${get(String(choice.visit)).join(', ')})` };
    }
    if (context.form === 'expression') {
      return null;
    }
    const name = nameFor(context);
    if (choice.visit !== undefined) {
      return {
        imports: [],
        body: [
          statement(`${name} = `, `${butler}.get`, get(String(choice.visit))),
          show(selection.datasetType, name)
        ].join('\n')
      };
    }
    return {
      imports: ['import uuid'],
      body: [
        `# Visits within the validity range of this ${type}; put your own below.`,
        `with ${butler}.query() as query:`,
        statement('    query = ', 'query.join_dataset_search', [
          JSON.stringify(type),
          ...collectionsArgument(context)
        ]),
        statement('    query = ', 'query.where', [
          `"${type}.dataset_id = :id AND ${type}.timespan OVERLAPS visit.timespan"`,
          `bind={"id": ${uuidSource(dataset)}}`
        ]),
        '    visits = [record.id for record in query.dimension_records("visit").limit(10)]',
        statement(`${name} = `, `${butler}.get`, get('visits[0]')),
        show(selection.datasetType, name)
      ].join('\n')
    };
  }
};
