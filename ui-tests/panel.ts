// The Butler panel as a person finds it: by the words on it.
import { expect, type Locator, type Page } from '@playwright/test';

/** Open the panel as a person does: from its icon in the sidebar. */
export async function openPanel(page: Page): Promise<Locator> {
  const panel = page.locator('#python-butler');
  if (!(await panel.isVisible())) {
    await page.locator('.jp-SideBar .lm-TabBar-tab[data-id="python-butler"]').click();
  }
  await expect(panel).toBeVisible();
  return panel;
}

/** Spoken names of rows begin with the name; those that share one are told apart by what follows. */
export const OFFICIAL = 'dp2, official';
export const PERSONAL = 'my dp2, personal';
export const CHAIN = 'dp2, chain';

/** A row of the tree that is in view, and whose spoken name begins so. */
export function treeRow(panel: Locator, name: string): Locator {
  return panel.getByRole('treeitem', { name: startsWith(name) }).first();
}

/** Go to a row by typing its name: lists are long and hold only what is in view. */
export async function find(panel: Locator, name: string): Promise<Locator> {
  const active = panel.locator('.pb-Tree [role="treeitem"][tabindex="0"]');
  await expect(async () => {
    await active.focus();
    await panel.page().keyboard.type(name.split(',')[0]!);
    await expect(active).toHaveAccessibleName(startsWith(name), { timeout: 1_000 });
  }).toPass({ timeout: 30_000 });
  return active;
}

/** Go to a row and make sure that it is open. */
export async function expand(panel: Locator, name: string): Promise<void> {
  const row = await find(panel, name);
  if ((await row.getAttribute('aria-expanded')) !== 'true') {
    await row.press('ArrowRight');
    await expect(row).toHaveAttribute('aria-expanded', 'true');
  }
}

/** Open a collection's list of dataset types and choose one of them. */
export async function chooseType(panel: Locator, path: string[], datasetType: string): Promise<void> {
  for (const name of [...path, 'Dataset types']) {
    await expand(panel, name);
  }
  await (await find(panel, datasetType)).click();
  await expect(panel.getByRole('grid', { name: `Datasets of type ${datasetType}` })).toBeVisible();
}

/** Rows in the list of datasets. */
export function datasets(panel: Locator): Locator {
  return panel.locator('.pb-DatasetRow');
}

function startsWith(name: string): RegExp {
  return new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(\\W|$)`);
}
