// Very long lists of datasets: how large a page may be, and what it costs to scroll through all of them.
import type { Locator, Page } from '@playwright/test';

import { reload } from '../lab';
import { datasets, openPanel } from '../panel';
import { expect } from '../platform';
import { bench, report, settle } from './figures';
import { awaitNone, awaitText, heapHeld, longestHold } from './measuring';

const PAGE = 20_000;
const DATASETS = 1_600_000;
const ROUNDS = 5;

/** An official run, and a personal one that `benchmarks/sidebar.py` makes. */
const SCALE = 'LSSTCam/runs/DRP/DP2/v30_0_8/scale';
const LONG = 'u/long/list';

const HEADING = '#python-butler .pb-ListHeading';
const ROWS = '#python-butler .pb-GridRows';
const FOOT = '#python-butler .pb-ListFoot';

bench('a page of 20,000 rows', async ({ lab }) => {
  const panel = await withPages(lab);
  const holds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const type = round % 2 === 0 ? 'visit_image' : 'difference_image';
    holds.push(
      await longestHold(lab, async () => {
        await list(lab, 'official', SCALE, type);
        await awaitText(lab, HEADING, new RegExp(`^${type} `));
        await awaitText(lab, FOOT, /^First 20,000 /);
      })
    );
    await expect(panel.getByRole('grid', { name: `Datasets of type ${type}` })).toBeVisible();
  }
  // Never longer: the worst of all rounds counts.
  await report('longest hold of the page, 20,000 rows', [Math.max(...holds)]);
});

bench('scrolling 1,600,000 datasets', async ({ lab }) => {
  const panel = await withPages(lab);
  await list(lab, 'personal', LONG, 'object_patch');
  await expect(datasets(panel).first()).toBeVisible({ timeout: 120_000 });
  // Once as many rows are held as ever will be.
  await scrollDownTo(lab, 5 * PAGE);
  const before = await heapHeld(lab);
  let most = 0;
  let hold = 0;
  for (let length = 10 * PAGE; length <= DATASETS; length += 10 * PAGE) {
    hold = Math.max(hold, await longestHold(lab, () => scrollDownTo(lab, length)));
    most = Math.max(most, await datasets(panel).count());
  }
  const growths: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    most = Math.max(most, await jumpAbout(lab, round));
    growths.push((await heapHeld(lab)) - before);
  }
  await report('rows in the page, 1,600,000 datasets', [most]);
  await report('longest hold of the page, 1,600,000 datasets', [hold]);
  await report('growth of memory, 1,600,000 datasets', growths);
});

/** The panel with the largest pages that it may be set to. */
async function withPages(lab: Page): Promise<Locator> {
  await settle(lab, { pageSize: PAGE });
  await reload(lab);
  return openPanel(lab);
}

async function list(lab: Page, kind: string, collection: string, datasetType: string): Promise<void> {
  await lab.evaluate(view => window.jupyterapp.commands.execute('python-butler:show-in-panel', view), {
    kind,
    label: 'dp2',
    collection,
    datasetType
  });
}

/** Scroll to the end again and again, until the list is so long. */
async function scrollDownTo(page: Page, length: number): Promise<void> {
  await page.evaluate(
    async ([rows, foot, wanted]) => {
      const told = (): number =>
        Number(/[\d,]+/.exec(document.querySelector(foot)?.textContent ?? '')?.[0].replaceAll(',', ''));
      while (!(told() >= wanted)) {
        const node = document.querySelector(rows)!;
        node.scrollTop = node.scrollHeight;
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    },
    [ROWS, FOOT, length] as const
  );
}

/**
 * See a hundred screens all over the list; rows that were let go come again.
 *
 * @returns Most rows in the page.
 */
async function jumpAbout(page: Page, round: number): Promise<number> {
  const rows = page.locator(ROWS);
  let most = 0;
  for (let screen = 0; screen < 100; screen++) {
    most = Math.max(
      most,
      await rows.evaluate(
        async (node, part) => {
          node.scrollTop = part * node.scrollHeight;
          await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
          return node.querySelectorAll('.pb-DatasetRow').length;
        },
        (screen * 0.618 + round * 0.07) % 1
      )
    );
    if (screen % 10 === 9) {
      // The one that the keyboard is on stays in the page, far out of view.
      await awaitNone(page, '.pb-DatasetRow.pb-mod-pending:not([tabindex="0"])');
    }
  }
  return most;
}
