// Where datasets are on the sky, and the way between the map and the list.
import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import { useTheme } from '../lab';
import { CHAIN, OFFICIAL, chooseType, datasets, openPanel } from '../panel';
import { expect, test } from '../platform';

const IMAGES = process.env.SCREENSHOTS ?? join(__dirname, '../test-results/screenshots');

/** Open the map, and wait until all footprints are there. */
async function openSky(page: Page): Promise<Locator> {
  await page.evaluate(() => window.jupyterapp.commands.execute('python-butler:show-sky'));
  const sky = page.locator('.pb-Sky');
  await expect(sky).toBeVisible();
  return sky;
}

/** Chosen footprints in the list beside the map. */
function chosen(sky: Locator): Locator {
  return sky.getByRole('option', { selected: true });
}

test('the map and the list choose for each other', async ({ lab }) => {
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  const sky = await openSky(lab);
  const map = sky.getByRole('application');
  await expect(sky.getByText(/^120 footprints of 120 datasets/)).toBeVisible();

  await test.step('what is chosen in the list is named on the map', async () => {
    await datasets(panel).nth(3).click();
    await expect(chosen(sky)).toHaveText(/visit 2025120200440.*detector 10|detector 10.*visit 2025120200440/);
  });

  await test.step('it looks as it should in both themes', async () => {
    for (const theme of ['Light', 'Dark'] as const) {
      await useTheme(lab, `JupyterLab ${theme}`);
      await lab.screenshot({ path: join(IMAGES, `sky-${theme.toLowerCase()}.png`) });
    }
    await useTheme(lab, 'JupyterLab Light');
  });

  await test.step('a click on the map chooses in the list, and further clicks the others that are there', async () => {
    const box = (await map.boundingBox())!;
    await sky.getByRole('button', { name: 'All sky' }).click();
    await sky.getByRole('button', { name: 'Fit' }).click();
    // The list follows the map with a pause: whichever is the first now is gone for by its name.
    const first = await sky.getByRole('option', { selected: false }).first().textContent();
    await sky
      .getByRole('option')
      .filter({ hasText: new RegExp(`^${first}$`) })
      .click();
    await expect(chosen(sky)).toHaveText(first!);
    await map.press('.');
    await expect(chosen(sky)).not.toHaveText(first!);
    await expect(panel.locator('.pb-DatasetRow[aria-selected="true"]')).toHaveCount(1);
    await map.press(',');
    await expect(chosen(sky)).toHaveText(first!);
    await map.hover({ position: { x: box.width / 2, y: box.height / 2 } });
    await expect(sky.locator('.pb-SkyMap-readout')).toHaveText(/° .*h .*m .*s .*ICRS/);
  });

  await test.step('a circle on the map narrows the list, and can be removed', async () => {
    await sky.getByRole('button', { name: /^Search here|circle/ }).first().click();
    await map.press('[');
    await map.press('[');
    await map.press('Enter');
    await expect(sky.getByText(/^120 footprints of/)).toHaveCount(0);
    await expect(sky.getByText(/footprints? of \d+ datasets/)).toBeVisible();
    await lab.screenshot({ path: join(IMAGES, 'sky-circle.png') });
    await sky.getByRole('button', { name: 'Remove circle' }).click();
    await expect(sky.getByText(/^120 footprints of/)).toBeVisible();
  });
});

test('a lasso chooses everything inside it', async ({ lab }) => {
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'deep_coadd');
  const sky = await openSky(lab);
  // All of them, as many as the list has.
  await expect(panel.locator('.pb-ListFoot')).toHaveText(/^\d+ datasets$/);
  const number = parseInt((await panel.locator('.pb-ListFoot').textContent())!, 10);
  await expect(sky.getByText(`footprints of ${number} datasets`)).toBeVisible();
  const box = (await sky.getByRole('application').boundingBox())!;
  const corner = (x: number, y: number): [number, number] => [box.x + box.width * x, box.y + box.height * y];
  await lab.keyboard.down('Shift');
  await lab.mouse.move(...corner(0.02, 0.02));
  await lab.mouse.down();
  for (const at of [corner(0.98, 0.02), corner(0.98, 0.98), corner(0.02, 0.98), corner(0.02, 0.05)]) {
    await lab.mouse.move(...at, { steps: 3 });
  }
  await lab.mouse.up();
  await lab.keyboard.up('Shift');
  await expect(panel.locator('.pb-ListFoot')).toContainText(`${number} selected`);
  await expect(panel.locator('.pb-DatasetRow[aria-selected="false"]')).toHaveCount(0);
  await lab.screenshot({ path: join(IMAGES, 'sky-lasso.png') });
});

test('what has no place on the sky says why, and an open map follows the list', async ({ lab }) => {
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'packages');
  const sky = await openSky(lab);
  await expect(sky.getByText('packages has no place on the sky.')).toBeVisible();
  await chooseType(panel, [OFFICIAL, CHAIN], 'object');
  await expect(sky.getByText(/^1 footprint of 1 datasets?/)).toBeVisible();
});
