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
export async function find(panel: Locator, name: string, timeout = 30_000): Promise<Locator> {
  const active = panel.locator('.pb-Tree [role="treeitem"][tabindex="0"]');
  const search = panel.getByRole('searchbox');
  await expect(async () => {
    // A slash that comes late, after a pause, begins a search instead of going on with a name.
    if ((await search.inputValue()) !== '') {
      await search.fill('');
    }
    await active.focus();
    await panel.page().keyboard.type(name.split(',')[0]!);
    await expect(active).toHaveAccessibleName(startsWith(name), { timeout: 1_000 });
  }).toPass({ timeout });
  return active;
}

/** Go to a row and make sure that it is open. */
export async function expand(panel: Locator, name: string, timeout = 30_000): Promise<void> {
  const row = await find(panel, name, timeout);
  if ((await row.getAttribute('aria-expanded')) !== 'true') {
    await row.press('ArrowRight');
    await expect(row).toHaveAttribute('aria-expanded', 'true');
  }
}

/**
 * Open a collection, through the folders that its name begins with if it is in some.
 *
 * @param below - Way to the row that it belongs to; null for a repository.
 * @returns The way to its row.
 */
export async function expandCollection(panel: Locator, name: string, below: string | null): Promise<string> {
  // From the beginning if it comes to be in a folder meanwhile, since another was found beside it.
  await expect(async () => {
    const folders = await openFolders(panel, name, below);
    await expand(panel, name.slice(folders.length), 5_000);
  }).toPass({ timeout: 60_000 });
  const active = panel.locator('.pb-Tree [role="treeitem"][tabindex="0"]');
  return (await active.getAttribute('data-id'))!;
}

/** Open the folders that a collection is in; gives the part of its name that they are called. */
async function openFolders(panel: Locator, name: string, below: string | null): Promise<string> {
  let opened = '';
  let way = below;
  while (way !== null) {
    // Not those of another repository.
    const rowsBelow = panel.locator(`.pb-TreeRow[data-id^="${way}|"]`);
    // Rows come after their parent is open: before that nobody knows whether there are folders.
    await expect(rowsBelow.and(panel.locator(':not([data-kind="absent"])')).first()).toBeVisible();
    const inside = panel.locator(`.pb-TreeRow[data-kind="folder"][data-id^="${way}|"]`);
    const rows = await inside.evaluateAll((nodes: HTMLElement[]) =>
      nodes.map(node => ({ id: node.dataset.id!, path: node.getAttribute('aria-label')!.split(', ')[0]! }))
    );
    const folder = rows.find(({ path }) => name.slice(opened.length).startsWith(path));
    if (folder === undefined) {
      break;
    }
    await expand(panel, folder.path, 5_000);
    way = folder.id;
    opened += folder.path;
  }
  return opened;
}

/** Open a collection's list of dataset types and choose one of them. */
export async function chooseType(panel: Locator, path: string[], datasetType: string): Promise<void> {
  let way: string | null = null;
  for (const name of path) {
    way = await expandCollection(panel, name, way);
  }
  // Where no collections are below, dataset types are directly there.
  const collection = panel.locator(`.pb-Tree [role="treeitem"][data-id="${way}"]`);
  if (!/, run(,|$)/.test((await collection.getAttribute('aria-label')) ?? '')) {
    await expand(panel, 'Dataset types');
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
