// The tree at 100,000 collections, and how soon the panel is there.
import type { Locator, Page } from '@playwright/test';

import { reload } from '../lab';
import { expand, openPanel, PERSONAL, treeRow } from '../panel';
import { expect } from '../platform';
import { bench, report, settle } from './figures';

const ROUNDS = 5;
const COLLECTIONS = 100_000;
const WORDS = ['user123', 'run0999', '7 u/user', 'nothing', '*run09*'];

bench('filter as you type', async ({ lab }) => {
  await settle(lab, { groupCollections: false });
  await reload(lab);
  const panel = await openPanel(lab);
  await expect(treeRow(panel, PERSONAL)).toHaveAccessibleName(/connected/);
  await expand(panel, PERSONAL);
  await expect(panel.locator('.pb-TreeRow', { hasText: 'run000000' })).toBeVisible({ timeout: 120_000 });
  await loadAll(panel);
  // What the server answers follows; here it is kept out of the way.
  await lab.route(/\/search\?/, () => undefined);
  await panel.getByRole('searchbox').focus();
  const worst: number[] = [];
  for (const word of WORDS) {
    worst.push(Math.max(...(await typed(lab, word))));
  }
  await report('filter as you type, 100,000 collections', worst);
});

bench('first paint after the click', async ({ lab }) => {
  await settle(lab, {});
  await reload(lab);
  const panel = await openPanel(lab);
  await expect(treeRow(panel, PERSONAL)).toHaveAccessibleName(/connected/);
  await expand(panel, PERSONAL);
  // Folders, and what is in one of them: more rows than there is room for.
  await expand(panel, 'u/');
  await expect(treeRow(panel, 'user005/')).toBeVisible();
  await lab.locator(TAB).click();
  await expect(panel).toBeHidden();
  await expect.poll(() => remembered(lab), { timeout: 60_000 }).toBeGreaterThan(1);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await reload(lab);
    // Without waiting for the backend: it never answers.
    await lab.route(/python-butler\/api/, () => undefined);
    times.push(await painted(lab));
    await expect(treeRow(lab.locator('#python-butler'), PERSONAL)).toBeVisible();
    await lab.unroute(/python-butler\/api/);
    await lab.locator(TAB).click();
  }
  await report('first paint after the click', times);
});

const TAB = '.jp-SideBar .lm-TabBar-tab[data-id="python-butler"]';

/** Scroll through all rows, so that every one of them is loaded. */
async function loadAll(panel: Locator): Promise<void> {
  const tree = panel.locator('.pb-Tree');
  const height = await tree.evaluate(node => node.scrollHeight);
  expect(height).toBeGreaterThan(COLLECTIONS * 20);
  for (let top = 0; top < height; top += 500 * 24) {
    await tree.evaluate((node, to) => {
      node.scrollTop = to;
    }, top);
    await expect(tree.locator('[data-index]').first()).toBeAttached();
    await expect(tree.locator('[data-kind="absent"]')).toHaveCount(0, { timeout: 60_000 });
  }
}

/** Milliseconds from each letter until the results for it are on the screen. */
async function typed(page: Page, word: string): Promise<number[]> {
  return page.evaluate(async text => {
    const input = document.querySelector<HTMLInputElement>('.pb-Search-input')!;
    const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!;
    const frame = (): Promise<number> => new Promise(resolve => requestAnimationFrame(resolve));
    const times: number[] = [];
    for (let length = 1; length <= text.length; length++) {
      await frame();
      const section = document.querySelector('.pb-Section')!;
      const part = text.slice(0, length);
      const isShown = (): boolean =>
        section.querySelector<HTMLElement>('.pb-SearchState')?.dataset.text === part;
      const changed = new Promise<void>((resolve, reject) => {
        const observer = new MutationObserver(() => {
          if (isShown()) {
            observer.disconnect();
            resolve();
          }
        });
        observer.observe(section, { subtree: true, childList: true, attributeFilter: ['data-text'] });
        setTimeout(() => reject(new Error(`Nothing was found for ${part}.`)), 10_000);
      });
      const begin = performance.now();
      write.call(input, part);
      input.dispatchEvent(new Event('input', { bubbles: true }));
      await changed;
      // The frame in which it is drawn, and then the next task: it is on the screen.
      await frame();
      await new Promise(resolve => setTimeout(resolve));
      times.push(performance.now() - begin);
    }
    write.call(input, '');
    input.dispatchEvent(new Event('input', { bubbles: true }));
    await frame();
    return times;
  }, word);
}

/** Milliseconds from the click on the panel's icon until its rows are on the screen. */
async function painted(page: Page): Promise<number> {
  const measuring = page.evaluate(
    () =>
      new Promise<number>(resolve => {
        const onDown = (): void => {
          const begin = performance.now();
          const look = (): void => {
            const rows = document.querySelectorAll(
              '.pb-Tree [data-kind="collection"], .pb-Tree [data-kind="folder"]'
            );
            if (rows.length > 0) {
              setTimeout(() => resolve(performance.now() - begin));
            } else {
              requestAnimationFrame(look);
            }
          };
          requestAnimationFrame(look);
        };
        document.addEventListener('pointerdown', onDown, { capture: true, once: true });
      })
  );
  await page.locator(TAB).click();
  return measuring;
}

/** How many levels of the tree are remembered. */
async function remembered(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const { data } = await window.jupyterapp.serviceManager.workspaces.fetch('default');
    const panel = data['python-butler:panel-2'] as { contents?: unknown[] } | undefined;
    return panel?.contents?.length ?? 0;
  });
}
