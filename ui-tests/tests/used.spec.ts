// Which datasets the cells of a notebook use, and what became of them.
import { join } from 'node:path';

import type { NotebookPanel } from '@jupyterlab/notebook';

import { newNotebook, useTheme } from '../lab';
import { CHAIN, OFFICIAL, chooseType, datasets, openPanel } from '../panel';
import { expect, test } from '../platform';

const IMAGES = process.env.SCREENSHOTS ?? join(__dirname, '../test-results/screenshots');

test('cells lead to their datasets, and the list to its cells', async ({ lab }) => {
  await newNotebook(lab, ['# one', '# two', '# three']);
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  const id = await datasets(panel).nth(2).getAttribute('data-dataset');
  await lab.evaluate(() => window.jupyterapp.commands.execute('python-butler:show-used'));
  const used = lab.locator('.pb-Used');
  await expect(used.getByText(/No cell of .* says which datasets are in it/)).toBeVisible();

  await test.step('a cell that says so, such as a collaborator may insert, is listed at once', async () => {
    await lab.evaluate(dataset => {
      const notebook = window.jupyterapp.shell.currentWidget as NotebookPanel;
      const unknown = '00000000-0000-4000-8000-000000000000';
      notebook.context.model.sharedModel.cells[1]!.setMetadata('python_butler', {
        version: '0.1.0',
        repository: { kind: 'official', label: 'dp2' },
        collection: 'dp2',
        dataset_type: 'visit_image',
        datasets: [dataset!, unknown],
        query: null
      });
    }, id);
    await expect(used.getByRole('button', { name: 'Cell 2' })).toBeVisible();
    await expect(used.getByText('removed')).toHaveCount(1);
    await expect(used.getByText(/visit 2025\d+/)).toHaveCount(1);
  });

  await test.step('it looks as it should in both themes', async () => {
    for (const theme of ['Light', 'Dark'] as const) {
      await useTheme(lab, `JupyterLab ${theme}`);
      await lab.screenshot({ path: join(IMAGES, `used-${theme.toLowerCase()}.png`) });
    }
    await useTheme(lab, 'JupyterLab Light');
  });

  await test.step('from the list to the cell', async () => {
    await used.getByRole('button', { name: 'Cell 2' }).click();
    await expect(lab.locator('.jp-Notebook .jp-Cell').nth(1)).toHaveClass(/jp-mod-active/);
  });

  await test.step('a cell without datasets offers nothing, one with them its menu', async () => {
    const cell = lab.locator('.jp-Notebook .jp-Cell.pb-mod-noted');
    await expect(cell).toHaveCount(1);
    await cell.locator('.jp-InputPrompt').click({ button: 'right' });
    await expect(lab.locator('.lm-Menu-item', { hasText: 'Butler panel' })).toBeVisible();
    await lab.keyboard.press('Escape');
  });
});
