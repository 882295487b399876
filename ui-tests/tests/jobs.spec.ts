// Long work on a person's own repository: agreed to, followed, stopped, accounted for; and what a kernel
// writes is seen at once.
import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import { newNotebook, runActiveCell, useTheme, widenSidebar } from '../lab';
import { CHAIN, OFFICIAL, PERSONAL, chooseType, datasets, expand, expandCollection, find, openPanel } from '../panel';
import { expect, test } from '../platform';

const IMAGES = process.env.SCREENSHOTS ?? join(__dirname, '../test-results/screenshots');

// Each is a long way to go.
test.slow();

/** Choose the first rows of the list, as many as wanted, in view or not. */
async function chooseRows(panel: Locator, count: number): Promise<void> {
  // Again if the panel was just renewed, since something was written, and had the focus elsewhere.
  await expect(async () => {
    await datasets(panel).first().click();
    for (let more = 1; more < count; more++) {
      await panel.page().keyboard.press('Shift+ArrowDown');
    }
    await expect(panel.getByText(`${count} selected`)).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
}

/** Choose an entry of the context menu of the first row, by keyboard. */
async function chooseInMenu(panel: Locator, name: string | RegExp): Promise<void> {
  await datasets(panel).first().press('Shift+F10');
  await panel.page().getByRole('menuitem', { name }).click();
}

function dialog(page: Page): Locator {
  return page.getByRole('dialog');
}

/** The newest job in the list. */
function newestJob(panel: Locator): Locator {
  return panel.getByRole('region', { name: 'Jobs' }).getByRole('listitem').first();
}

/** Pictures of what is there, in both themes. */
async function picture(page: Page, name: string): Promise<void> {
  for (const theme of ['Dark', 'Light'] as const) {
    await useTheme(page, `JupyterLab ${theme}`);
    await page.screenshot({ path: join(IMAGES, `${name}-${theme.toLowerCase()}.png`) });
  }
}

test('a selection is referenced once it is said what and how much, and each dataset is accounted for', async ({
  newLab: lab
}) => {
  const panel = await openPanel(lab);
  await widenSidebar(lab, 380);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');

  await test.step('the dialog says what and how much before anything is done', async () => {
    await chooseRows(panel, 3);
    await chooseInMenu(panel, /^Reference in my repository/);
    const asked = dialog(lab);
    await expect(asked).toHaveAccessibleName('Reference datasets');
    await expect(asked.getByText(/^3 datasets, whose files on the official server have .* [kM]B\.$/)).toBeVisible();
    await expect(asked.getByText(/You have no personal repository of dp2 yet/)).toBeVisible();
    await picture(lab, 'jobs-confirm');
    await lab.keyboard.press('Escape');
    await expect(asked).toBeHidden();
    await expect(panel.getByRole('region', { name: 'Jobs' })).toBeHidden();
  });

  await test.step('agreed to by keyboard, it is done, and told', async () => {
    await chooseInMenu(panel, /^Reference in my repository/);
    const agree = dialog(lab).getByRole('button', { name: 'Reference 3 datasets' });
    await expect(agree).toBeEnabled();
    await lab.keyboard.press('Tab');
    await expect(agree).toBeFocused();
    await lab.keyboard.press('Enter');
    await expect(newestJob(panel)).toContainText('3 referenced', { timeout: 60_000 });
  });

  await test.step('the datasets are marked, and the personal repository shows without a reload', async () => {
    await expect(datasets(panel).first().getByRole('gridcell', { name: 'referenced' })).toBeVisible();
    await expect(datasets(panel).nth(3).getByRole('gridcell', { name: 'referenced' })).toHaveCount(0);
    await expect(await find(panel, PERSONAL)).toHaveAccessibleName(/connected/);
  });

  await test.step('what is there already is told before and after', async () => {
    await chooseRows(panel, 5);
    await chooseInMenu(panel, /^Reference in my repository/);
    await expect(dialog(lab).getByText('3 are in it already.')).toBeVisible();
    await dialog(lab).getByRole('button', { name: 'Reference 2 datasets' }).click();
    await expect(newestJob(panel)).toContainText('2 referenced, 3 already there');
  });

  await test.step('the result of each dataset can be looked at and copied', async () => {
    await newestJob(panel)
      .getByRole('button', { name: /^Results/ })
      .click();
    const results = lab.locator('.pb-Results');
    await expect(results.locator('tbody tr')).toHaveCount(5);
    await picture(lab, 'jobs-results');
    await results.getByRole('button', { name: 'referenced 2' }).click();
    await expect(results.locator('tbody tr')).toHaveCount(2);
    await lab.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await results.getByRole('button', { name: 'Copy as table' }).click();
    await expect
      .poll(async () => lab.evaluate(() => navigator.clipboard.readText()))
      .toMatch(/^status\tdataset_type.*\nreferenced\tvisit_image\tinstrument=LSSTCam.*\nreferenced\t/);
  });

  await test.step('jobs are found again after a reload of the page', async () => {
    await lab.reload();
    await lab.waitForFunction(() => 'jupyterapp' in window);
    await lab.evaluate(() => window.jupyterapp.restored);
    const again = await openPanel(lab);
    await expect(newestJob(again)).toContainText('2 referenced, 3 already there');
    await newestJob(again)
      .getByRole('button', { name: /^Remove/ })
      .click();
    await expect(newestJob(again)).toContainText('3 referenced');
  });

  await test.step('their type is marked in the tree, below the tag where some were found and below the chain', async () => {
    await panel.getByRole('searchbox').fill('best-seeing');
    await panel.getByRole('option', { name: /best-seeing, tagged/ }).click();
    const tag = panel.locator('.pb-Tree [role="treeitem"]:focus');
    await expect(tag).toHaveAccessibleName(/best-seeing, tagged/);
    const way = await tag.getAttribute('data-id');
    await tag.press('ArrowRight');
    const type = panel.locator(`.pb-TreeRow[data-kind="dataset-type"][data-id^="${way}|"]`, { hasText: 'visit_image' });
    await type.click();
    await expect(panel.locator('.pb-ListFoot')).toContainText('10 datasets');
    await chooseRows(panel, 2);
    await chooseInMenu(panel, /^Reference in my repository/);
    await dialog(lab).getByRole('button', { name: 'Reference 2 datasets' }).click();
    await expect(newestJob(panel)).toContainText('2 referenced', { timeout: 60_000 });
    await expect(type).toHaveAccessibleName(/^visit_image, .*, 2 referenced/);
    await picture(lab, 'marks-tag');
    await expandCollection(panel, CHAIN, await expandCollection(panel, OFFICIAL, null));
    await expand(panel, 'Dataset types');
    await expect(await find(panel, 'visit_image')).toHaveAccessibleName(/, 7 referenced/);
  });
});

test('pinning can be stopped, leaves what is done, and goes on when it is resumed', async ({
  lab,
  platform
}) => {
  const panel = await openPanel(lab);
  await widenSidebar(lab, 380);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  await chooseRows(panel, 20);
  await chooseInMenu(panel, /^Pin: keep a copy/);
  await expect(dialog(lab).getByText(/that are free in/)).toBeVisible();
  const agree = dialog(lab).getByRole('button', { name: /^Pin \d+ datasets$/ });
  await expect(agree).toBeEnabled();
  await picture(lab, 'jobs-pin');
  // A few files come, the others never: nothing is over before it is stopped.
  await platform.trouble('store', { after: 3, hang: true });
  await agree.click();
  const job = newestJob(panel);
  await expect(job.getByRole('progressbar', { name: 'Pin visit_image' })).toBeVisible();
  await expect(job).toContainText(/Copying files · \d+ of \d+/, { timeout: 90_000 });
  await picture(lab, 'jobs-running');
  await job.getByRole('button', { name: 'Stop: Pin visit_image' }).click();
  await expect(job).toContainText(/^.*Stopped: .*not done/, { timeout: 30_000 });
  await platform.tell('calm');
  await job.getByRole('button', { name: /^Resume/ }).click();
  await expect(job).toContainText(/pinned/, { timeout: 60_000 });
  await expect(job).not.toContainText('not done');
  await datasets(panel).first().press('Home');
  await expect(datasets(panel).first().getByRole('gridcell', { name: 'pinned' })).toBeVisible();

  await test.step('unpinned and forgotten in the personal repository, they are gone from it', async () => {
    await chooseType(panel, [PERSONAL, CHAIN], 'visit_image');
    await expect(panel.locator('.pb-ListFoot')).toContainText('20 datasets');
    await chooseRows(panel, 20);
    await chooseInMenu(panel, /^Unpin/);
    await dialog(lab).getByRole('button', { name: 'Unpin 20 datasets' }).click();
    await expect(newestJob(panel)).toContainText('20 unpinned', { timeout: 60_000 });
    await expect(panel.getByRole('gridcell', { name: 'pinned' })).toHaveCount(0);
    await expect(panel.getByRole('gridcell', { name: 'referenced' }).first()).toBeVisible();
    await chooseRows(panel, 20);
    await chooseInMenu(panel, /^Forget/);
    await dialog(lab).getByRole('button', { name: 'Forget 20 references' }).click();
    await expect(newestJob(panel)).toContainText('20 forgotten', { timeout: 60_000 });
    await expect(datasets(panel)).toHaveCount(0);
  });
});

const saveAs = (name: string): string => `import python_butler
butler = python_butler.open("dp2", collections="dp2")
with butler.deferred() as batch:
    butler.save({"a": 1}, "${name}")
for step in range(3):
    butler.save({"a": step}, "${name}")
print("saved")`;

test('what a kernel saves shows without a reload, and old versions are pruned after a look at them', async ({
  lab
}, { repeatEachIndex }) => {
  const name = `results_of_mine${repeatEachIndex || ''}`;
  await newNotebook(lab, [saveAs(name)]);
  const panel = await openPanel(lab);
  await widenSidebar(lab, 380);
  expect(await runActiveCell(lab)).toContain('saved');

  await test.step('the versions appear by themselves', async () => {
    await expect(await find(panel, PERSONAL)).toHaveAccessibleName(/connected/);
    await expandCollection(panel, `u/me/${name}`, await expandCollection(panel, PERSONAL, null));
  });

  await test.step('the form says what would go before anything does', async () => {
    await find(panel, PERSONAL);
    // The command ends with the dialog, which is not waited for.
    await lab.evaluate(() => void window.jupyterapp.commands.execute('python-butler:prune'));
    const asked = dialog(lab);
    await expect(asked.getByText('There is nothing to be done.')).toBeHidden();
    await asked.getByLabel(/Newer versions/).fill('1');
    await expect(asked.getByRole('cell', { name: `u/me/${name}/v1` })).toBeVisible();
    await expect(asked.getByText('Nothing brings them back.')).toBeVisible();
    await picture(lab, 'jobs-prune');
    await asked.getByRole('button', { name: /^Remove \d datasets?$/ }).click();
    await expect(newestJob(panel)).toContainText(/\d removed/);
  });

  await test.step('and the tree follows', async () => {
    await expect(panel.getByRole('treeitem', { name: new RegExp(`${name}/v4`) })).toBeVisible();
    await expect(panel.getByRole('treeitem', { name: new RegExp(`${name}/v1\\W`) })).toHaveCount(0);
  });
});
