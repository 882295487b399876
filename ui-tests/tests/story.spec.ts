// What a newcomer does first, in one go: browse, drag, run, put, and see the result.
import { join } from 'node:path';

import { cells, character, drag, newNotebook, runActiveCell, sources, useTheme, widenSidebar } from '../lab';
import { CHAIN, OFFICIAL, PERSONAL, chooseType, datasets, find, openPanel } from '../panel';
import { expect, test } from '../platform';

// `make screenshots` renews the documentation's own; other runs leave the working tree as it is.
const IMAGES = process.env.SCREENSHOTS ?? join(__dirname, '../test-results/screenshots');

/** Name of a run; another one whenever the journey is repeated. */
const RUN = 'u/me/bright_stars';

const put = (run: string): string => `import python_butler
from astropy.table import Table
from lsst.daf.butler import DatasetType
mine = python_butler.open("dp2", collections="dp2", run="${run}")
mine.registry.registerDatasetType(DatasetType("bright_stars", ["skymap", "tract"], "ArrowAstropy", universe=mine.dimensions))
mine.put(Table({"flux": [1.0, 2.0]}), "bright_stars", skymap="lsst_cells_v2", tract=5063)
print("stored")`;

test('a dragged dataset runs in a cell, and a result that is put shows up beside it', async ({ lab }, { repeatEachIndex }) => {
  const run = `${RUN}${repeatEachIndex || ''}`;
  await newNotebook(lab, ['# one', '# two', 'len([])']);
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');

  await test.step('between two cells it becomes a complete cell that shows a shape', async () => {
    const below = await cells(lab).nth(1).boundingBox();
    await drag(lab, datasets(panel).first(), { x: below!.x + 200, y: below!.y + 2 });
    await expect(cells(lab)).toHaveCount(4);
    const code = (await sources(lab))[1]!;
    expect(code).toMatch(/butler\.get\(\s*"visit_image", instrument="LSSTCam"/);
    expect(await runActiveCell(lab)).toMatch(/512.*512/);
  });

  await test.step('inside a line it becomes an expression that reuses the butler', async () => {
    const before = await sources(lab);
    const editor = lab.locator('.jp-Notebook .jp-CodeMirrorEditor .cm-line', { hasText: 'len([])' });
    await drag(lab, datasets(panel).nth(1), await character(editor, 'len(['.length));
    await expect.poll(async () => (await sources(lab)).at(-1)).toMatch(/^len\(\[butler\.get\("visit_image".*\)\]\)$/s);
    expect(await sources(lab)).toHaveLength(before.length);
    expect((await sources(lab)).join('\n').match(/Butler\("dp2"/g)).toHaveLength(1);
  });

  await test.step('a table put from the notebook is seen without reloading the page', async () => {
    await lab.evaluate(code => {
      const current = window.jupyterapp.shell.currentWidget as import('@jupyterlab/notebook').NotebookPanel;
      current.context.model.sharedModel.addCell({ cell_type: 'code', source: code });
      current.content.activeCellIndex = current.content.widgets.length - 1;
    }, put(run));
    expect(await runActiveCell(lab)).toContain('stored');
    await expect(await find(panel, PERSONAL)).toHaveAccessibleName(/connected/);
    await chooseType(panel, [PERSONAL, run], 'bright_stars');
    await expect(datasets(panel)).toHaveCount(1);
    await datasets(panel).first().click();
    await expect(panel.getByText('ArrowAstropy', { exact: true })).toBeVisible();
  });

  await test.step('it looks as it should in both themes', async () => {
    await (await find(panel, CHAIN)).press('ArrowLeft');
    await find(panel, OFFICIAL);
    await widenSidebar(lab, 420);
    for (const theme of ['Light', 'Dark'] as const) {
      await useTheme(lab, `JupyterLab ${theme}`);
      await expect(panel.getByRole('grid')).toBeVisible();
      await lab.screenshot({ path: join(IMAGES, `sidebar-${theme.toLowerCase()}.png`) });
    }
    await useTheme(lab, 'JupyterLab Light');
  });
});

test('one undo takes back all that a drop has added', async ({ lab }) => {
  await newNotebook(lab, ['x = 1']);
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  const cell = await cells(lab).first().boundingBox();
  await drag(lab, datasets(panel).first(), { x: cell!.x + 200, y: cell!.y + cell!.height + 60 });
  await expect(cells(lab)).toHaveCount(2);
  await lab.evaluate(() => window.jupyterapp.commands.execute('notebook:undo-cell-action'));
  await expect(cells(lab)).toHaveCount(1);
  expect(await sources(lab)).toEqual(['x = 1']);
});

test('the same by keyboard alone', async ({ lab }) => {
  await newNotebook(lab, ['x = 1']);
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  await datasets(panel).first().focus();
  await lab.keyboard.press('ArrowDown');
  await lab.keyboard.press('Control+Enter');
  await expect(cells(lab)).toHaveCount(2);
  expect((await sources(lab))[1]).toMatch(/butler\.get\(\s*"visit_image"/);
});
