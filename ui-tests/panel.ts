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

/** A row of the tree whose spoken name begins so. */
export function treeRow(panel: Locator, name: string): Locator {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return panel.getByRole('treeitem', { name: new RegExp(`^${escaped}(\\W|$)`) }).first();
}

/** Make sure that a row is open. */
export async function expand(row: Locator): Promise<void> {
  await expect(row).toBeVisible();
  if ((await row.getAttribute('aria-expanded')) !== 'true') {
    await row.click();
    await expect(row).toHaveAttribute('aria-expanded', 'true');
  }
}

/** Open a collection's list of dataset types and choose one of them. */
export async function chooseType(panel: Locator, path: string[], datasetType: string): Promise<void> {
  for (const name of path) {
    await expand(treeRow(panel, name));
  }
  await expand(treeRow(panel, 'Dataset types'));
  await treeRow(panel, datasetType).click();
  await expect(panel.getByRole('grid', { name: `Datasets of type ${datasetType}` })).toBeVisible();
}

/** Rows in the list of datasets. */
export function datasets(panel: Locator): Locator {
  return panel.locator('.pb-DatasetRow');
}
