// What holds of everything that is shown: nothing that a screen reader stumbles over in any theme, words in
// the person's language, room for large letters and for a narrow panel.
import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import { serious } from '../accessibility';
import { openLab, useTheme, widenSidebar } from '../lab';
import { CHAIN, OFFICIAL, chooseType, datasets, openPanel, treeRow } from '../panel';
import { expect, test } from '../platform';
import { speakPseudo } from '../pseudolocale';

const IMAGES = join(__dirname, '../test-results/screenshots');

const THEMES = ['JupyterLab Light', 'JupyterLab Dark', 'JupyterLab Dark High Contrast'] as const;

test('in no theme does a check of accessibility find anything serious', async ({ lab }) => {
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  await datasets(panel).first().click();
  await expect(panel.getByRole('button', { name: 'Open', exact: true })).toBeVisible();
  for (const theme of THEMES) {
    await useTheme(lab, theme);
    expect(await serious(lab, '#python-butler'), theme).toEqual([]);
  }
});

test('the viewer of a dataset passes it too', async ({ lab }) => {
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  await datasets(panel).first().click();
  await panel.getByRole('button', { name: 'Open', exact: true }).click();
  const viewer = lab.locator('.pb-Viewer');
  await expect(viewer.locator('canvas').first()).toBeVisible();
  for (const theme of THEMES) {
    await useTheme(lab, theme);
    expect(await serious(lab, '.pb-Viewer'), theme).toEqual([]);
  }
});

/** Look with every theme. */
async function passes(page: Page, selector: string): Promise<void> {
  for (const theme of THEMES) {
    await useTheme(page, theme);
    await page.screenshot({ path: join(IMAGES, `quality-${selector.replace(/\W/g, "")}-${theme.split(' ').slice(1).join('-')}.png`) });
    expect.soft(await serious(page, selector), theme).toEqual([]);
  }
}

test('so do the sky map and the jobs', async ({ lab }, { repeatEachIndex }) => {
  const panel = await openPanel(lab);
  // Of a type that no other journey references, and each time another: what is there is not referenced again.
  await chooseType(panel, [OFFICIAL, CHAIN], 'difference_image');
  await datasets(panel).nth(repeatEachIndex).click();
  await lab.evaluate(() => window.jupyterapp.commands.execute('python-butler:show-sky'));
  await expect(lab.locator('.pb-Sky').getByText(/^120 footprints of 120 datasets/)).toBeVisible();
  await passes(lab, '.pb-Sky');

  await lab.evaluate(() => void window.jupyterapp.commands.execute('python-butler:reference'));
  const asked = lab.getByRole('dialog');
  await expect(asked.getByRole('button', { name: /^Reference 1 dataset/ })).toBeEnabled();
  await passes(lab, '.jp-Dialog');
  await asked.getByRole('button', { name: /^Reference 1 dataset/ }).click();
  const job = panel.getByRole('region', { name: 'Jobs' }).getByRole('listitem').first();
  await expect(job).toContainText('1 referenced', { timeout: 60_000 });
  // The mark of the type in the tree, too.
  const type = panel.getByRole('treeitem', { name: /^difference_image, .*\d referenced/ }).first();
  await expect(type).toBeInViewport();
  await passes(lab, '#python-butler');
  await job.getByRole('button', { name: /^Results/ }).click();
  await expect(lab.locator('.pb-Results tbody tr')).toHaveCount(1);
  await passes(lab, '.pb-Results');
});

test('and the viewer of a table', async ({ lab }) => {
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'object');
  await datasets(panel).first().dblclick();
  const table = lab.locator('.pb-Table');
  await expect(table.locator('.pb-TableCell').first()).not.toBeEmpty();
  await table.getByRole('searchbox').fill('r_psfFlux');
  await table.getByRole('option', { name: /^r_psfFlux(,|$)/ }).click();
  await expect(table.getByRole('img', { name: /^Histogram from/ })).toBeVisible();
  await passes(lab, '.pb-Viewer');
});

test('every word of the panel is in the language of the person', async ({ page, platform }) => {
  await speakPseudo(page);
  await openLab(page, platform.labUrl);
  const panel = await openPanel(page);
  await expect(treeRow(panel, 'dp2').first()).toBeVisible();
  const said = await spoken(panel);
  expect(said.length).toBeGreaterThan(5);
  expect(said.filter(text => !text.includes('⟦'))).toEqual([]);
});

test('with letters of twice the size, and in a narrow panel, everything can be reached', async ({ lab }) => {
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  await widenSidebar(lab, 250);
  await expect(panel).toHaveCSS('overflow-x', /hidden|visible|clip/);
  await expect.poll(() => cutOff(panel)).toEqual([]);
  await lab.evaluate(() => {
    document.body.style.zoom = '2';
  });
  await expect.poll(() => cutOff(panel)).toEqual([]);
  await datasets(panel).first().click();
  await expect(datasets(panel).first()).toHaveAttribute('aria-selected', 'true');
});

/** The words on buttons, headings and fields, seen or heard: data have other places. */
async function spoken(panel: Locator): Promise<string[]> {
  return panel.evaluate(node => {
    const words = /\p{Letter}{2,}/u;
    const texts = new Set<string>();
    const take = (text: string | null | undefined): void => {
      if (text && words.test(text)) {
        texts.add(text.trim());
      }
    };
    for (const each of node.querySelectorAll('button, [role="button"], .lm-AccordionPanel-title, input, select, option')) {
      if (each.checkVisibility()) {
        take(each.textContent);
        for (const name of ['aria-label', 'title', 'placeholder']) {
          take(each.getAttribute(name));
        }
      }
    }
    return [...texts];
  });
}

/** Buttons and fields that do not lie within the panel's width. */
async function cutOff(panel: Locator): Promise<string[]> {
  return panel.evaluate(node => {
    const { left, right } = node.getBoundingClientRect();
    return [...node.querySelectorAll<HTMLElement>('button, input, select, [role="button"]')]
      .filter(each => each.checkVisibility())
      .filter(each => {
        const box = each.getBoundingClientRect();
        return box.width > 0 && (box.left < left - 1 || box.right > right + 1);
      })
      .map(each => each.getAttribute('aria-label') ?? (each.title || each.innerText || each.className));
  });
}
