// The dataset viewer: opened in every way, with what is in a dataset and where it comes from.
import type { Locator, Page } from '@playwright/test';
import { join } from 'node:path';

import { cells, drag, newNotebook, runActiveCell, sources, useTheme } from '../lab';
import { CHAIN, OFFICIAL, chooseType, datasets, find, openPanel } from '../panel';
import { expect, test } from '../platform';

const IMAGES = join(__dirname, '../test-results/screenshots');

// A figure, a dictionary and a table are made from an image that was read before.
const SAVE = `import python_butler
from astropy.table import Table
from matplotlib.figure import Figure
mine = python_butler.open("dp2", collections="dp2")
image = mine.get(mine.query_datasets("visit_image", limit=1)[0])
mine.save(Table({"flux": [1.0, 2.0]}), "fluxes")
figure = Figure()
figure.subplots().plot([1, 4, 2])
mine.save(figure, "plot")
mine.save({"seeing": 0.7, "cuts": {"r": [1, 2, 3]}}, "settings")
print("stored")`;

/** The viewer in front. */
function viewer(page: Page): Locator {
  return page.locator('.pb-ViewerPanel:not(.lm-mod-hidden) .pb-Viewer');
}

/** A line of the panel's details. */
function field(panel: Locator, name: string): Locator {
  return panel.locator('.pb-Field').filter({ has: panel.page().getByRole('term').getByText(name, { exact: true }) });
}

test('an official dataset opens with what is known of it', async ({ lab }) => {
  await newNotebook(lab, ['x = 1']);
  const panel = await openPanel(lab);

  await test.step('before that, the panel tells in short who made it and what holds it', async () => {
    await chooseType(panel, [OFFICIAL, CHAIN], 'reprocessVisitImage_log');
    await datasets(panel).first().click();
    await expect(field(panel, 'made by')).toContainText('task reprocessVisitImage, by its traces');
    await field(panel, 'collections').getByRole('button', { name: 'dp2', exact: true }).click();
    await expect(await find(panel, CHAIN)).toBeFocused();
  });

  await test.step('by double click, at once with metadata', async () => {
    await datasets(panel).first().dblclick();
    await expect(viewer(lab).getByRole('heading', { name: 'reprocessVisitImage_log' })).toBeVisible();
    const facts = viewer(lab).getByRole('complementary', { name: 'Facts' });
    await expect(facts).toContainText('ButlerLogRecords');
    await expect(facts).toContainText('in the official archive');
    await expect(facts).toContainText(/about .* free/);
    await expect(facts.getByRole('listitem').filter({ hasText: 'chain' })).toContainText('dp2');
  });

  await test.step('a log is filtered by level and by words', async () => {
    const log = viewer(lab).getByRole('tabpanel');
    await expect(log.getByRole('row')).not.toHaveCount(1);
    await expect(log).toContainText('Background restored and subtracted.');
    await log.getByRole('searchbox').fill('measured sources');
    await expect(log.getByRole('row')).toHaveCount(2);
    await log.getByRole('combobox').selectOption('ERROR and above');
    await expect(log).toContainText('No line is like this.');
  });

  await test.step('metadata of the same task is a step away', async () => {
    await viewer(lab).getByRole('tab', { name: 'Provenance' }).click();
    await expect(viewer(lab)).toContainText('Nobody recorded what this dataset was made from.');
    await viewer(lab).getByRole('button', { name: 'metadata' }).click();
    await expect(viewer(lab).getByRole('heading', { name: 'reprocessVisitImage_metadata' })).toBeVisible();
    await expect(viewer(lab).getByRole('tree', { name: 'Contents' })).toContainText('startMaxResidentSetSize');
  });

  await test.step('a coadd shows the images that went into it', async () => {
    await chooseType(panel, [OFFICIAL, CHAIN], 'deep_coadd');
    await datasets(panel).first().click();
    await panel.getByRole('button', { name: 'Open', exact: true }).click();
    await viewer(lab).getByRole('tab', { name: 'Provenance' }).click();
    const graph = viewer(lab).getByRole('group', { name: 'Graph of inputs and outputs' });
    await expect(viewer(lab)).toContainText(/Pixels of \d+ images went into it/);
    await expect(graph.getByRole('button', { name: /^deep_coadd, .*this dataset/ })).toBeVisible();
    await expect(graph.getByRole('button', { name: /^visit_image, .*input/ }).first()).toBeVisible();
    for (const theme of ['Light', 'Dark'] as const) {
      await useTheme(lab, `JupyterLab ${theme}`);
      await lab.screenshot({ path: join(IMAGES, `provenance-${theme.toLowerCase()}.png`) });
    }
    await useTheme(lab, 'JupyterLab Light');
  });

  await test.step('the graph is walked by keyboard, and Enter opens the image', async () => {
    const graph = viewer(lab).getByRole('group', { name: 'Graph of inputs and outputs' });
    await graph.getByRole('button', { name: /^deep_coadd, .*this dataset/ }).focus();
    await lab.keyboard.press('ArrowLeft');
    const input = graph.locator('.pb-Graph-node:focus');
    await expect(input).toHaveAccessibleName(/input/);
    await graph.getByRole('button', { name: /^visit_image, .*input/ }).first().click();
    await expect(viewer(lab).getByRole('heading', { name: 'visit_image' })).toBeVisible();
  });

  await test.step('Insert puts code for it into the notebook', async () => {
    await viewer(lab).getByRole('button', { name: 'Insert', exact: true }).click();
    await expect(cells(lab)).toHaveCount(2);
    expect((await sources(lab))[1]).toContain('"visit_image"');
  });
});

test('a dataset dropped beside documents, and what was open is there after a reload', async ({ lab }) => {
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'packages');
  const dock = await lab.locator('#jp-main-dock-panel').boundingBox();
  await drag(lab, datasets(panel).first(), { x: dock!.x + dock!.width / 2, y: dock!.y + dock!.height / 2 });
  await expect(viewer(lab)).toContainText('lsst_distrib: v30_0_8');
  // JupyterLab saves its layout a moment after a change; asking for it makes that certain.
  await lab.evaluate(() => window.jupyterapp.restored);
  await expect
    .poll(() =>
      lab.evaluate(async () => JSON.stringify((await window.jupyterapp.serviceManager.workspaces.list()).values))
    )
    .toContain('python-butler-dataset-official-dp2');
  const address = new URL(lab.url());
  address.searchParams.delete('reset');
  await lab.goto(address.href);
  await expect(viewer(lab)).toContainText('lsst_distrib: v30_0_8');
});

test('own results show how they were made, and an image what was made of it', async ({ lab }) => {
  await newNotebook(lab, [SAVE]);
  expect(await runActiveCell(lab)).toContain('stored');
  const panel = await openPanel(lab);
  const PERSONAL = 'my dp2, personal';

  await test.step('a figure', async () => {
    await chooseType(panel, [PERSONAL, 'u/me/plot'], 'plot');
    await datasets(panel).first().press('Enter');
    await expect(viewer(lab).getByRole('img', { name: /Figure of 640 by 480/ })).toBeVisible();
    await expect
      .poll(() =>
        viewer(lab)
          .getByRole('img', { name: /Figure/ })
          .evaluate(image => (image as HTMLImageElement).naturalWidth)
      )
      .toBe(640);
  });

  await test.step('its code, and the image that was read before, a step from its details in the panel', async () => {
    const maker = field(panel, 'made by');
    await expect(maker).toContainText(/notebook .*\.ipynb/);
    await expect(field(panel, 'collections')).toContainText('u/me/plot');
    for (const theme of ['Light', 'Dark'] as const) {
      await useTheme(lab, `JupyterLab ${theme}`);
      await maker.scrollIntoViewIfNeeded();
      await lab.screenshot({ path: join(IMAGES, `details-${theme.toLowerCase()}.png`) });
    }
    await useTheme(lab, 'JupyterLab Light');
    await maker.getByRole('button', { name: 'Provenance' }).click();
    await expect(viewer(lab)).toContainText('The same process had read 1 dataset before it was stored.');
    await viewer(lab).getByText('The code of cell').click();
    await expect(viewer(lab)).toContainText('figure.subplots().plot');
    const graph = viewer(lab).getByRole('group', { name: 'Graph of inputs and outputs' });
    await graph.getByRole('button', { name: /^visit_image, .*input/ }).click();
    await expect(viewer(lab).getByRole('heading', { name: 'visit_image' })).toBeVisible();
    await viewer(lab).getByRole('tab', { name: 'Provenance' }).click();
    await expect(viewer(lab)).toContainText(/[1-9]\d* of your datasets were made from it\./);
    await expect(graph.getByRole('button', { name: /^settings, .*output/ }).first()).toBeVisible();
    await lab.screenshot({ path: join(IMAGES, 'provenance-outputs.png') });
  });

  await test.step('a dictionary opens level by level', async () => {
    const graph = viewer(lab).getByRole('group', { name: 'Graph of inputs and outputs' });
    await graph
      .getByRole('button', { name: /^settings, .*output/ })
      .first()
      .click();
    const tree = viewer(lab).getByRole('tree', { name: 'Contents' });
    await expect(tree.getByRole('treeitem', { name: 'seeing 0.7' })).toBeVisible();
    await tree.getByRole('treeitem', { name: /^r list/ }).click();
    await expect(tree.getByRole('treeitem', { name: /^0 1/ })).toHaveCount(0);
  });
});
