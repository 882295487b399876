import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

interface ISchema {
  readonly 'jupyter.lab.menus': { readonly context: readonly { readonly selector: string }[] };
}

const schema = JSON.parse(readFileSync('labextension/schema/plugin.json', 'utf8')) as ISchema;

describe('the context menu', () => {
  it.each(schema['jupyter.lab.menus'].context.map(({ selector }) => selector))(
    'asks for one thing: %s',
    // JupyterLab takes no lists of selectors, and with one has no context menus at all.
    selector => {
      expect(selector).not.toContain(',');
      expect(() => document.querySelector(selector)).not.toThrow();
    }
  );
});
