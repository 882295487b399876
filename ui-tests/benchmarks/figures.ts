// How what is measured in the browser reaches the benchmarks: one line of JSON for each figure in a file.
import { appendFile } from 'node:fs/promises';

import type { Page } from '@playwright/test';

import { openLab } from '../lab';
import { Platform, test } from '../platform';

/** Hand over what was measured, in the figure's own unit, one number for each round. */
export async function report(name: string, values: readonly number[]): Promise<void> {
  const line = JSON.stringify({ name, values });
  const file = process.env.BENCHMARKS_OUTPUT;
  if (file === undefined) {
    process.stdout.write(`${line}\n`);
  } else {
    await appendFile(file, `${line}\n`);
  }
}

/** Change settings of the panel; it has them after the page is loaded anew. */
export async function settle(lab: Page, settings: Readonly<Record<string, unknown>>): Promise<void> {
  await lab.evaluate(
    raw => window.jupyterapp.serviceManager.settings.save('python-butler:plugin', raw),
    JSON.stringify(settings)
  );
}

/** A real JupyterLab over a platform that the environment describes; see `benchmarks/sidebar.py`. */
export const bench = test.extend<object, { scaled: Platform }>({
  scaled: [
    // Playwright wants the first argument to be destructured, even where nothing is taken from it.
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const { BENCHMARKS_DIRECTORY: directory, BENCHMARKS_SCALE: scale } = process.env;
      const platform = await Platform.start(undefined, {
        ...(directory === undefined ? {} : { directory }),
        ...(scale === undefined ? {} : { scale: Number(scale) })
      });
      await use(platform);
      await platform.close();
    },
    { scope: 'worker', timeout: 900_000 }
  ],
  lab: async ({ page, scaled }, use) => {
    await openLab(page, scaled.labUrl);
    await use(page);
  }
});
