import { readFile } from 'node:fs/promises';

import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    {
      // The bundler gives the text of an SVG file; so must the tests.
      name: 'svg-as-text',
      enforce: 'pre',
      async load(id) {
        return id.endsWith('.svg')
          ? `export default ${JSON.stringify(await readFile(id, 'utf8'))}`
          : undefined;
      }
    }
  ],
  test: {
    environment: 'jsdom',
    include: ['src/**/__tests__/**/*.test.{ts,tsx}'],
    setupFiles: ['src/__tests__/setup.ts'],
    restoreMocks: true,
    // JupyterLab's packages are ES modules without file endings: Node cannot load them by itself.
    server: { deps: { inline: [/@jupyterlab\//, /@jupyter\//, /@microsoft\//, /@rjsf\//] } }
  }
});
