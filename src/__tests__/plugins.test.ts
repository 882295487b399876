import { INotebookTracker } from '@jupyterlab/notebook';
import { expect, it } from 'vitest';

import plugins from '..';

it('no plugin needs what only JupyterLab has, so that all of them start in Jupyter Notebook too', () => {
  const own = plugins.map(({ provides }) => provides?.name).filter(name => name !== undefined);
  // The tracker is in both.
  const known = new Set<string>([INotebookTracker.name, ...own]);
  const missing = plugins.flatMap(({ id, requires = [] }) =>
    requires.filter(({ name }) => !known.has(name)).map(({ name }) => `${id}: ${name}`)
  );
  expect(missing).toEqual([]);
});

it('every plugin has an identifier of its own', () => {
  const ids = plugins.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
