// Notebook 7 has the same panel and the same notebooks, but room for one document only.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';
import type { NotebookPanel } from '@jupyterlab/notebook';

import { cells, character, drag, runActiveCell, sources } from '../lab';
import { CHAIN, OFFICIAL, chooseType, datasets } from '../panel';
import { expect, type Platform, test } from '../platform';

const IMAGES = join(__dirname, '../test-results/screenshots');

/** Open a notebook of one cell in Notebook 7, from the same server. */
async function openNotebook(page: Page, platform: Platform, source: string): Promise<void> {
  const name = 'in-notebook-7.ipynb';
  const cell = { cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null, id: 'one' };
  const kernelspec = { name: 'python3', display_name: 'Python 3', language: 'python' };
  await writeFile(
    join(platform.directory, name),
    JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells: [cell] })
  );
  const address = new URL(platform.labUrl);
  address.pathname = `/notebooks/${name}`;
  await page.goto(address.href);
  await page.waitForFunction(() => 'jupyterapp' in window);
  await page.evaluate(async () => {
    await window.jupyterapp.restored;
  });
  await page.waitForFunction(() => {
    const widget = window.jupyterapp.shell.currentWidget as Partial<NotebookPanel> | null;
    return widget?.context?.isReady === true && widget.sessionContext?.isReady === true;
  });
}

/** Open the panel as one does there: from the menu. */
async function openPanel(page: Page): Promise<Locator> {
  await page.getByRole('menuitem', { name: 'View', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Show Butler panel' }).click();
  const panel = page.locator('#python-butler');
  await expect(panel).toBeVisible();
  return panel;
}

test('the panel brings datasets into a notebook of Notebook 7', async ({ page, platform }) => {
  await openNotebook(page, platform, 'len([])');
  const panel = await openPanel(page);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  const row = datasets(panel).first();

  await test.step('dropped between cells it is a cell that runs', async () => {
    const cell = (await cells(page).first().boundingBox())!;
    await drag(page, row, { x: cell.x + 200, y: cell.y + cell.height + 40 });
    await expect(cells(page)).toHaveCount(2);
    expect((await sources(page))[1]).toMatch(/visit_image\.bbox\.shape$/);
    expect(await runActiveCell(page)).toMatch(/512.*512/);
  });

  await test.step('dropped inside a cell it is an expression', async () => {
    const line = cells(page).first().locator('.cm-line', { hasText: 'len([])' });
    await drag(page, row, await character(line, 'len(['.length));
    await expect.poll(async () => (await sources(page))[0]).toMatch(/len\(\[butler\.get\("visit_image"/);
  });

  await test.step('Ctrl+Enter inserts without a mouse', async () => {
    await row.focus();
    await page.keyboard.press('Control+Enter');
    await expect(cells(page)).toHaveCount(3);
  });

  await test.step('a dataset is looked at below the notebook, which stays where it is', async () => {
    await row.dblclick();
    await expect(page.locator('.pb-Viewer canvas').first()).toBeVisible();
    await expect
      .poll(async () => (await page.locator('.pb-Viewer').boundingBox())!.height)
      .toBeGreaterThan(200);
    await expect(cells(page).first()).toBeInViewport();
    await page.screenshot({ path: join(IMAGES, 'notebook7.png') });
  });
  await page.evaluate(() => window.jupyterapp.serviceManager.sessions.shutdownAll());
});

test('names complete in Notebook 7, and cells say which datasets are in them', async ({ page, platform }) => {
  await openNotebook(page, platform, 'from lsst.daf.butler import Butler\nbutler = Butler("dp2", collections="dp2")');
  const panel = await openPanel(page);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  await datasets(panel).first().focus();
  await page.keyboard.press('Control+Enter');
  await expect(cells(page)).toHaveCount(2);

  await test.step('the list of what the notebook uses', async () => {
    await page.evaluate(() => window.jupyterapp.commands.execute('python-butler:show-used'));
    await expect(page.locator('.pb-Used').getByRole('button', { name: 'Cell 2' })).toBeVisible();
    await expect(page.locator('.pb-Used').getByText(/visit 2025\d+/)).toHaveCount(1);
  });

  await test.step('completion', async () => {
    const offered = page.locator('.jp-Completer:not(.lm-mod-hidden) .jp-Completer-item');
    // What is not known yet comes when it is there, or with the next request.
    await expect(async () => {
      await page.keyboard.press('Escape');
      await page.evaluate(() => {
        const { content } = window.jupyterapp.shell.currentWidget as NotebookPanel;
        content.activeCellIndex = 1;
        content.mode = 'edit';
        const editor = content.activeCell!.editor!;
        editor.model.sharedModel.setSource('butler.get("visit_im")');
        editor.setCursorPosition(editor.getPositionAt('butler.get("visit_im'.length)!);
        editor.focus();
      });
      await page.keyboard.press('Tab');
      await expect(offered.filter({ hasText: 'visit_image' }).first()).toBeVisible({ timeout: 3_000 });
    }).toPass({ timeout: 60_000 });
  });
  await page.evaluate(() => window.jupyterapp.serviceManager.sessions.shutdownAll());
});
