/**
 * Write the code of every snippet that applies to some selections: JSON in, JSON out.
 *
 * Standard input is a list of `{selection, choice?, templates?}`, the last as they stand in the settings;
 * standard output the same list, each with `snippets`: `[{id, cell, preamble, expression}]`. Tests run what
 * comes out in a real kernel's Python.
 */
import { createViteServer } from 'vitest/node';

const root = new URL('..', import.meta.url).pathname;
const server = await createViteServer({
  root,
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  optimizeDeps: { noDiscovery: true },
  plugins: [
    {
      // Code has no words to translate, and JupyterLab's packages are none that Node can load by itself.
      name: 'without-translation',
      enforce: 'pre',
      resolveId: id => (id === '@jupyterlab/translation' ? '\0translation' : undefined),
      load: id =>
        id === '\0translation'
          ? 'export const nullTranslator = { load: () => ({ __: text => text, _n: text => text }) };'
          : undefined
    }
  ],
  ssr: { noExternal: ['@jupyterlab/translation'] },
  server: { middlewareMode: true, ws: false, watch: null }
});
try {
  const { cellFor, expressionFor, snippetsFor } = await server.ssrLoadModule('/src/insert/code.ts');
  const { readTemplates } = await server.ssrLoadModule('/src/insert/snippets/custom.ts');
  const chunks = [];
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
  }
  const requests = JSON.parse(chunks.join(''));
  const answers = requests.map(({ selection, choice, templates }) => {
    const { snippets: others } = readTemplates(templates);
    return {
      selection,
      snippets: snippetsFor(selection, others).map(({ id: snippet }) => {
        const options = { snippet, choice, others };
        const expression = expressionFor(selection, undefined, options);
        return {
          id: snippet,
          cell: cellFor(selection, undefined, options),
          preamble: expression?.preamble ?? null,
          expression: expression?.text ?? null
        };
      })
    };
  });
  process.stdout.write(JSON.stringify(answers));
} finally {
  await server.close();
}
