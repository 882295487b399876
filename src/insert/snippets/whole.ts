/**
 * Snippets for any dataset: all of it, one component, a handle to read later.
 */

import { trans } from '../../trans';
import { familyOf, show } from './family';
import { nameFor, onlyDataset, Target } from './target';
import type { ISnippet } from './types';

export const whole: ISnippet = {
  id: 'whole',
  get label() {
    return trans.__('Whole dataset');
  },
  icon: 'ui-components:paste',
  getCode: context => {
    const dataset = onlyDataset(context.selection);
    if (!dataset) {
      return null;
    }
    const target = new Target(context, dataset);
    if (context.form === 'expression') {
      return { imports: target.imports, body: target.expression() };
    }
    const { datasetType } = context.selection;
    const name = nameFor(context);
    const warning =
      familyOf(datasetType) === 'table' && datasetType.parameters.includes('columns')
        ? ['# Every column: a wide table may need more memory than the kernel has.']
        : [];
    return target.cell([...warning, target.statement(`${name} = `), show(datasetType, name)]);
  }
};

export const deferred: ISnippet = {
  id: 'deferred',
  get label() {
    return trans.__('Deferred handle');
  },
  icon: 'ui-components:history',
  getCode: context => {
    const dataset = onlyDataset(context.selection);
    if (!dataset) {
      return null;
    }
    const target = new Target(context, dataset);
    const read = { method: 'getDeferred' } as const;
    if (context.form === 'expression') {
      return { imports: target.imports, body: target.expression(read) };
    }
    const handle = nameFor(context, '_handle');
    return target.cell([
      `# Nothing is read before ${handle}.get() is called.`,
      target.statement(`${handle} = `, read),
      `${handle}.ref`
    ]);
  }
};

/** One snippet for a component of the storage class. */
export function component(part: string): ISnippet {
  return {
    id: `component:${part}`,
    label: part,
    icon: 'ui-components:tree-view',
    get group() {
      return trans.__('Component');
    },
    getCode: context => {
      const dataset = onlyDataset(context.selection);
      if (!dataset || !context.selection.datasetType.components.includes(part)) {
        return null;
      }
      const target = new Target(context, dataset);
      const read = { component: part };
      if (context.form === 'expression') {
        return { imports: target.imports, body: target.expression(read) };
      }
      const name = nameFor(context, `_${part}`);
      return target.cell([target.statement(`${name} = `, read), name]);
    }
  };
}
