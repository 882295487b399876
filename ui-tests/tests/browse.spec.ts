// Finding things: by folders, by search, by star, by link, and again after a reload.
import type { Page } from '@playwright/test';

import { reload } from '../lab';
import { CHAIN, chooseType, datasets, expand, find, OFFICIAL, openPanel, treeRow } from '../panel';
import { expect, test } from '../platform';

test('collections are in folders, and a search finds what was never opened', async ({ lab }) => {
  const panel = await openPanel(lab);
  const search = panel.getByRole('searchbox');

  await test.step('folders open one level at a time', async () => {
    await expand(panel, OFFICIAL);
    await expect(treeRow(panel, CHAIN)).toBeVisible();
    await expand(panel, 'LSSTCam/');
    await expect(treeRow(panel, 'LSSTCam/')).toHaveAccessibleName(/folder of \d+ collections/);
  });

  await test.step('a slash leads to the search, and all words have to occur', async () => {
    // Home ends the name that was typed, with which a slash might go on.
    await (await find(panel, OFFICIAL)).press('Home');
    await lab.keyboard.press('/');
    await expect(search).toBeFocused();
    await lab.keyboard.type('visit_im');
    const found = panel.getByRole('option', { name: /^visit_image, dataset type in dp2, dp2/ });
    await expect(found).toBeVisible();
    await expect(panel.locator('.pb-SearchState')).toHaveAttribute('data-status', 'exhausted');
  });

  await test.step('Enter on what was found lists it and shows where it is', async () => {
    await lab.keyboard.press('ArrowDown');
    await expect(panel.getByRole('option').first()).toBeFocused();
    await panel.getByRole('option', { name: /^visit_image, dataset type in dp2, dp2/ }).press('Enter');
    await expect(panel.getByRole('grid', { name: 'Datasets of type visit_image' })).toBeVisible();
    await expect(search).toHaveValue('');
    await expect(panel.getByRole('treeitem', { name: /^visit_image/, selected: true }).first()).toBeVisible();
  });

  await test.step('what does not exist is said to be nowhere, and Escape clears it', async () => {
    await search.fill('no such thing anywhere');
    await expect(panel.getByText(/Nothing matches/)).toBeVisible();
    await search.press('Escape');
    await expect(panel.getByRole('tree')).toBeVisible();
  });
});

/** Names of the dataset types that are favourites, as far as they are saved. */
async function favourites(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { raw } = (await window.jupyterapp.serviceManager.settings.fetch('python-butler:places'));
    const saved = /"favourites":\s*(\[[^\]]*\])/.exec(raw)?.[1] ?? '[]';
    return (JSON.parse(saved) as { datasetType: string }[]).map(({ datasetType }) => datasetType);
  });
}

test('a star keeps a place at the top, and a reload finds everything as it was', async ({ lab }) => {
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  await datasets(panel).first().click();
  await (await find(panel, 'visit_image')).press('*');
  // At the top, which is out of view.
  await expect(await find(panel, 'Favourites')).toHaveAccessibleName('Favourites, 1');
  await expect
    .poll(() =>
      lab.evaluate(async () => {
        const { data } = await window.jupyterapp.serviceManager.workspaces.fetch('default');
        return JSON.stringify(data['python-butler:panel-2'] ?? null);
      })
    )
    .toContain('"chosen":["');
  await expect.poll(() => favourites(lab)).toEqual(['visit_image']);
  await reload(lab);
  await openPanel(lab);
  await expect(panel.getByRole('grid', { name: 'Datasets of type visit_image' })).toBeVisible();
  await expect(datasets(panel).first()).toHaveAttribute('aria-selected', 'true');
  const group = await find(panel, 'Favourites');
  await expect(treeRow(panel, 'visit_image in dp2, dp2, favourite')).toBeVisible();
  await group.press('ArrowRight');
  // On the row, wherever the focus is: JupyterLab may just be giving it to the launcher.
  const active = panel.locator('.pb-Tree [role="treeitem"][tabindex="0"]');
  await expect(active).toHaveAccessibleName(/^visit_image in dp2, dp2, favourite/);
  await active.press('*');
  await expect(treeRow(panel, 'Favourites')).toHaveCount(0);
  await expect.poll(() => favourites(lab)).toEqual([]);
});

test('a link leads to what it names, once', async ({ lab }) => {
  const address = new URL(lab.url());
  address.search = '';
  address.searchParams.set('butler', 'official:dp2?collection=dp2&type=visit_image');
  await lab.goto(address.href);
  const panel = lab.locator('#python-butler');
  await expect(panel.getByRole('grid', { name: 'Datasets of type visit_image' })).toBeVisible();
  await expect(panel.getByRole('treeitem', { name: /^visit_image/, selected: true }).first()).toBeVisible();
  expect(new URL(lab.url()).searchParams.has('butler')).toBe(false);
});
