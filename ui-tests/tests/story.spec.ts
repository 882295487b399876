// What a newcomer does first, in one go: browse, drag, run, put, and see the result.
import { join } from 'node:path';

import { cells, drag, newNotebook, runActiveCell, sources, useTheme } from '../lab';
import { CHAIN, OFFICIAL, PERSONAL, chooseType, datasets, openPanel, treeRow } from '../panel';
import { expect, test } from '../platform';

const IMAGES = join(__dirname, '../../docs/images');

const PUT = `import python_butler
from astropy.table import Table
from lsst.daf.butler import DatasetType
mine = python_butler.open("dp2", collections="dp2", run="u/me/bright_stars")
mine.registry.registerDatasetType(DatasetType("bright_stars", ["skymap", "tract"], "ArrowAstropy", universe=mine.dimensions))
mine.put(Table({"flux": [1.0, 2.0]}), "bright_stars", skymap="lsst_cells_v2", tract=5063)
print("stored")`;

test('a dragged dataset runs in a cell, and a result that is put shows up beside it', async ({ lab }) => {
  await newNotebook(lab, ['# one', '# two', 'len([])']);
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');

  await test.step('between two cells it becomes a complete cell that shows a shape', async () => {
    const below = await cells(lab).nth(1).boundingBox();
    await drag(lab, datasets(panel).first(), { x: below!.x + 200, y: below!.y + 2 });
    await expect(cells(lab)).toHaveCount(4);
    const code = (await sources(lab))[1]!;
    expect(code).toContain('butler.get("visit_image"');
    expect(await runActiveCell(lab)).toMatch(/\(\d+, \d+\)|\d+ x \d+|y=|shape/);
  });

  await test.step('inside a line it becomes an expression that reuses the butler', async () => {
    const before = await sources(lab);
    const editor = lab.locator('.jp-Notebook .jp-CodeMirrorEditor .cm-line', { hasText: 'len([])' });
    const box = await editor.boundingBox();
    // Between the brackets: the text is monospaced, seven characters long.
    const width = (await editor.evaluate(line => {
      const range = document.createRange();
      range.selectNodeContents(line);
      return range.getBoundingClientRect().width;
    })) as number;
    await drag(lab, datasets(panel).nth(1), { x: box!.x + (width / 7) * 5, y: box!.y + box!.height / 2 });
    await expect.poll(async () => (await sources(lab)).at(-1)).toMatch(/^len\(\[butler\.get\("visit_image".*\)\]\)$/s);
    expect(await sources(lab)).toHaveLength(before.length);
    expect((await sources(lab)).join('\n').match(/Butler\("dp2"/g)).toHaveLength(1);
  });

  await test.step('a table put from the notebook is seen without reloading the page', async () => {
    await lab.evaluate(code => {
      const current = window.jupyterapp.shell.currentWidget as import('@jupyterlab/notebook').NotebookPanel;
      current.context.model.sharedModel.addCell({ cell_type: 'code', source: code });
      current.content.activeCellIndex = current.content.widgets.length - 1;
    }, PUT);
    expect(await runActiveCell(lab)).toContain('stored');
    await expect(treeRow(panel, PERSONAL)).toHaveAttribute('aria-label', /connected/);
    await chooseType(panel, [PERSONAL, 'u/me/bright_stars'], 'bright_stars');
    await expect(datasets(panel)).toHaveCount(1);
  });

  await test.step('it looks as it should in both themes', async () => {
    await treeRow(panel, OFFICIAL).scrollIntoViewIfNeeded();
    await treeRow(panel, 'visit_image').click();
    await datasets(panel).first().click();
    await expect(panel.getByText('VisitImage')).toBeVisible();
    await useTheme(lab, 'JupyterLab Light');
    await lab.screenshot({ path: join(IMAGES, 'sidebar-light.png') });
    await useTheme(lab, 'JupyterLab Dark');
    await lab.screenshot({ path: join(IMAGES, 'sidebar-dark.png') });
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
  await lab.keyboard.press('Enter');
  await expect(cells(lab)).toHaveCount(2);
  expect((await sources(lab))[1]).toContain('butler.get("visit_image"');
});
