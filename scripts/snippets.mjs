/**
 * Write the code of every snippet that applies to some selections: JSON in, JSON out.
 *
 * Standard input is a list of `{selection, choice?}`; standard output the same list, each with
 * `snippets`: `[{id, cell, preamble, expression}]`. Tests run what comes out in a real kernel's Python.
 */
import { createViteServer } from 'vitest/node';

const root = new URL('..', import.meta.url).pathname;
const server = await createViteServer({
  root,
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, ws: false, watch: null }
});
try {
  const { cellFor, expressionFor, snippetsFor } = await server.ssrLoadModule('/src/insert/code.ts');
  const chunks = [];
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
  }
  const requests = JSON.parse(chunks.join(''));
  const answers = requests.map(({ selection, choice }) => ({
    selection,
    snippets: snippetsFor(selection).map(({ id: snippet }) => {
      const expression = expressionFor(selection, undefined, { snippet, choice });
      return {
        id: snippet,
        cell: cellFor(selection, undefined, { snippet, choice }),
        preamble: expression?.preamble ?? null,
        expression: expression?.text ?? null
      };
    })
  }));
  process.stdout.write(JSON.stringify(answers));
} finally {
  await server.close();
}
