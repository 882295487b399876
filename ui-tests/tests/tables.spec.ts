// The table preview: columns are found, rows sorted and filtered, and what was chosen runs in a cell.
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';

import { newNotebook, runActiveCell, sources, useTheme } from '../lab';
import { CHAIN, OFFICIAL, PERSONAL, chooseType, datasets, openPanel } from '../panel';
import { expect, test } from '../platform';

const IMAGES = join(__dirname, '../test-results/screenshots');

/** The table of the viewer in front. */
function table(page: Page): Locator {
  return page.locator('.pb-ViewerPanel:not(.lm-mod-hidden) .pb-Table');
}

/** Open the first dataset of a type in the viewer. */
async function open(page: Page, datasetType: string): Promise<Locator> {
  const panel = await openPanel(page);
  await chooseType(panel, [OFFICIAL, CHAIN], datasetType);
  await datasets(panel).first().dblclick();
  await expect(table(page).locator('.pb-TableCell').first()).not.toBeEmpty();
  return table(page);
}

/** Values that can be seen in a column. */
async function values(page: Locator, name: string): Promise<number[]> {
  const header = page.locator('.pb-TableHead-cell').filter({ has: page.page().getByText(name, { exact: true }) });
  const index = await header.getAttribute('data-column');
  const texts = await page.locator(`.pb-TableCell[data-column="${index}"]`).allTextContents();
  return texts.filter(text => !['', 'NaN', 'null'].includes(text)).map(Number);
}

test('a column of a wide table is found, understood, narrowed and read in a notebook', async ({ lab }) => {
  await newNotebook(lab, ['1 + 1']);
  const object = await open(lab, 'object');
  const grid = object.getByRole('grid');

  await test.step('the table is there with few elements, whatever its width', async () => {
    await expect(object).toContainText(/2,458 rows × 1,248 columns/);
    expect(await object.locator('*').count()).toBeLessThan(2_500);
    await expect(grid).toHaveAttribute('aria-colcount', '1249');
  });

  await test.step('a column is found by words, and shown with statistics', async () => {
    await object.getByRole('searchbox').fill('r_psfFlux');
    await object.getByRole('option', { name: /^r_psfFlux(,|$)/ }).click();
    await expect(object.locator('.pb-TableHead-cell.pb-mod-current')).toContainText('r_psfFlux');
    const summary = object.getByRole('region', { name: 'Statistics of a column' });
    await expect(summary).toContainText('median');
    await expect(summary.getByRole('img', { name: /^Histogram from/ })).toBeVisible();
    for (const theme of ['Light', 'Dark'] as const) {
      await useTheme(lab, `JupyterLab ${theme}`);
      await lab.screenshot({ path: join(IMAGES, `table-${theme.toLowerCase()}.png`) });
    }
    await useTheme(lab, 'JupyterLab Light');
  });

  await test.step('rows are sorted by it, either way', async () => {
    const header = object.locator('.pb-TableHead-cell.pb-mod-current');
    await header.hover();
    await header.getByRole('button').click();
    await expect(header).toHaveAttribute('aria-sort', 'ascending');
    await expect
      .poll(async () => {
        const found = await values(object, 'r_psfFlux');
        return found.length > 5 && found.every((value, index) => index === 0 || value >= found[index - 1]!);
      })
      .toBe(true);
    await header.getByRole('button').click();
    await expect(header).toHaveAttribute('aria-sort', 'descending');
    await expect
      .poll(async () => {
        const found = await values(object, 'r_psfFlux');
        return found.length > 5 && found.every((value, index) => index === 0 || value <= found[index - 1]!);
      })
      .toBe(true);
  });

  await test.step('a range dragged over the histogram keeps its rows, and can be let go', async () => {
    const plot = object.getByRole('img', { name: /^Histogram from/ });
    const box = (await plot.boundingBox())!;
    await lab.mouse.move(box.x + box.width * 0.3, box.y + 40);
    await lab.mouse.down();
    await lab.mouse.move(box.x + box.width * 0.6, box.y + 40, { steps: 4 });
    await lab.mouse.up();
    await expect(object.getByRole('list', { name: 'Filters' })).toContainText('≤ r_psfFlux ≤');
    await expect(object).toContainText(/[\d,]+ of 2,458 rows/);
    await lab.screenshot({ path: join(IMAGES, 'table-filtered.png') });
    const shown = Number(/([\d,]+) of 2,458 rows/.exec((await object.textContent())!)![1]!.replace(',', ''));
    await object.getByRole('button', { name: /^Insert .*rows$/ }).click();
    await expect.poll(async () => (await sources(lab)).at(-1)).toContain('keep = ');
    expect(await runActiveCell(lab)).toContain(`length=${shown}`);
    await lab.locator('.lm-TabBar-tab', { hasText: /^object/ }).first().click();
    await object.getByRole('button', { name: 'Remove the filter on r_psfFlux' }).click();
    await expect(object).not.toContainText(/ of 2,458 rows/);
  });

  await test.step('chosen columns are inserted, and the cell runs', async () => {
    await object.getByRole('searchbox').fill('coord_');
    await object.getByRole('button', { name: 'Choose these' }).click();
    await object.getByRole('button', { name: /^Insert \d+ columns$/ }).click();
    await expect.poll(async () => (await sources(lab)).at(-1)).toContain('"coord_ra"');
    expect(await runActiveCell(lab)).toMatch(/coord_ra/);
  });
});

test('a table is walked through and sorted without a mouse', async ({ lab }) => {
  await newNotebook(lab, ['1 + 1']);
  const source = await open(lab, 'source');
  const grid = source.getByRole('grid');
  await grid.focus();
  await lab.keyboard.press('Control+End');
  const active = (): Promise<string | null> =>
    grid.evaluate(element => {
      const cell = document.getElementById(element.getAttribute('aria-activedescendant') ?? '');
      return cell === null ? null : `${cell.getAttribute('data-column')} ${cell.textContent !== ''}`;
    });
  await expect.poll(active).toBe('155 true');
  await lab.keyboard.press('Control+Home');
  await expect.poll(active).toBe('0 true');
  await lab.keyboard.press('ArrowUp');
  await lab.keyboard.press('Enter');
  await expect(source.locator('.pb-TableHead-cell').first()).toHaveAttribute('aria-sort', 'ascending');
  await lab.keyboard.press('ArrowDown');
  await lab.keyboard.press('Enter');
  const statistics = source.getByRole('region', { name: 'Statistics of a column' });
  await expect(statistics).toContainText('mean');
  await lab.keyboard.press(' ');
  await expect(source.getByRole('button', { name: 'Insert 1 column', exact: true })).toBeEnabled();

  // In a narrow window statistics take the place of the columns, and the focus goes along.
  await statistics.getByRole('button', { name: 'Close the statistics' }).press('Enter');
  await expect(statistics).toHaveCount(0);
  await expect(grid).toBeFocused();
  await lab.setViewportSize({ width: 900, height: 900 });
  const columns = source.getByRole('listbox', { name: 'Columns' });
  await columns.focus();
  await lab.keyboard.press('Enter');
  await expect(statistics).toBeFocused();
  await expect(columns).toBeHidden();
  await lab.keyboard.press('Escape');
  await expect(statistics).toHaveCount(0);
  await expect(columns).toBeFocused();
});

/** Name of a run; another one whenever the journey is repeated. */
const RUN = 'u/me/wide';

const wideIn = (run: string): string => `import python_butler, pyarrow as pa, numpy as np
from lsst.daf.butler import DatasetType
mine = python_butler.open("dp2", collections="dp2", run="${run}")
mine.registry.registerDatasetType(DatasetType("wide", [], "ArrowTable", universe=mine.dimensions))
rows = np.arange(1_000_000)
columns = {f"flag_{n}": rows % (n + 2) == 0 for n in range(1_495)}
columns |= {"flux": np.where(rows % 4 == 0, np.nan, rows / 7), "id": rows + 2**60, "name": np.where(rows % 2, "odd", "even")}
columns |= {"mag": pa.array(rows / 1e6, mask=rows % 5 == 0), "last": rows}
mine.put(pa.table(columns), "wide")
print("stored")`;

test('a million rows of 1,500 columns are as quick and as small', async ({ lab }, { repeatEachIndex }) => {
  test.slow();
  const run = `${RUN}${repeatEachIndex || ''}`;
  await newNotebook(lab, [wideIn(run)]);
  expect(await runActiveCell(lab)).toContain('stored');
  const panel = await openPanel(lab);
  await chooseType(panel, [PERSONAL, run], 'wide');
  await datasets(panel).first().dblclick();
  const wide = table(lab);
  const grid = wide.getByRole('grid');
  await expect(wide).toContainText('1,000,000 rows × 1,500 columns');
  await grid.focus();
  await lab.keyboard.press('Control+End');
  await expect(grid.locator('.pb-TableCell.pb-mod-active')).toHaveText('999999');
  await expect(grid).toContainText('999,999');
  expect(await wide.locator('*').count()).toBeLessThan(2_500);
  await lab.keyboard.press('ArrowLeft');
  await lab.keyboard.press('ArrowUp');
  await lab.keyboard.press('ArrowUp');
  await lab.keyboard.press('ArrowUp');
  await lab.keyboard.press('ArrowUp');
  await expect(grid.locator('.pb-TableCell.pb-mod-active')).toHaveText('null');
  await lab.screenshot({ path: join(IMAGES, 'table-wide.png') });
});
