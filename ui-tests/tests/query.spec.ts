// Finding datasets: what a person narrows the list by, what it says, and that the code gives the same.
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';

import { cells, drag, newNotebook, runActiveCell, sources, useTheme, widenSidebar } from '../lab';
import { CHAIN, OFFICIAL, chooseType, datasets, openPanel } from '../panel';
import { expect, test } from '../platform';

const IMAGES = process.env.SCREENSHOTS ?? join(__dirname, '../test-results/screenshots');

test.describe.configure({ mode: 'default' });

function query(panel: Locator): Locator {
  return panel.getByRole('search', { name: 'Query' });
}

function code(panel: Locator): Locator {
  return panel.getByLabel('The query as Python');
}

async function writeWhere(panel: Locator, text: string): Promise<void> {
  const editor = query(panel).getByRole('textbox', { name: 'where' });
  await editor.click();
  await panel.page().keyboard.press('ControlOrMeta+a');
  await panel.page().keyboard.press('Delete');
  await panel.page().keyboard.type(text);
}

/** The number that a dragged query's cell shows. */
async function runQuery(page: Page): Promise<number> {
  return Number((await runActiveCell(page)).trim());
}

test('a list is narrowed step by step, and the call that is shown finds the same in a notebook', async ({ lab }) => {
  await newNotebook(lab, ['# one', '# two']);
  const panel = await openPanel(lab);
  await widenSidebar(lab, 420);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  const found = query(panel).locator('.pb-Query-count');

  await test.step('at first all is found, and said how many that is', async () => {
    await expect(found).toHaveText('120 found');
    await expect(code(panel)).toContainText('butler.query_datasets("visit_image", limit=None)');
  });

  await test.step('a facet offers the values that occur', async () => {
    const band = query(panel).getByRole('combobox', { name: 'band' });
    await band.click();
    const options = query(panel).getByRole('listbox', { name: 'band' }).getByRole('option');
    await expect(options).toHaveText(['g', 'i', 'r', 'u', 'y', 'z']);
    await options.filter({ hasText: 'r' }).click();
    await expect(found).toHaveText('40 found');
    await expect(code(panel)).toContainText('band="r"');
    await expect(panel.locator('.pb-ListFoot')).toHaveText('40 datasets');
  });

  await test.step('what is typed narrows the values, and keys choose them', async () => {
    const visit = query(panel).getByRole('combobox', { name: 'visit' });
    await visit.fill('20251202004');
    const options = query(panel).getByRole('listbox', { name: 'visit' }).getByRole('option');
    await expect(options.first()).toHaveText(/^20251202004/);
    await visit.press('ArrowDown');
    await visit.press('Enter');
    await expect(found).toHaveText('5 found');
    await visit.press('Backspace');
    await expect(found).toHaveText('40 found');
    await visit.press('Escape');
  });

  await test.step('a position with a radius finds what lies there', async () => {
    const near = query(panel).getByLabel('near');
    await near.fill('nowhere');
    await near.press('Enter');
    await expect(query(panel).getByRole('alert')).toContainText('two numbers in degrees');
    await near.fill('53.07 -27.55');
    await near.press('Enter');
    await expect(code(panel)).toContainText('OVERLAPS REGION(:circle)');
    await expect(query(panel).getByRole('alert')).toHaveCount(0);
    await expect(found).not.toHaveText('40 found');
  });

  await test.step('an expression is checked before it is used, and its error is underlined', async () => {
    await writeWhere(panel, 'visit.exposre_time > 25');
    await expect(query(panel).locator('.cm-lintRange-error')).toHaveText('visit.exposre_time');
    await lab.keyboard.press('Enter');
    await expect(query(panel).getByRole('alert')).toContainText("Unrecognized field 'exposre_time'");
    await writeWhere(panel, 'visit.exposure_time > 25');
    await lab.keyboard.press('Enter');
    await expect(code(panel)).toContainText('visit.exposure_time > 25');
    await expect(query(panel).getByRole('alert')).toHaveCount(0);
  });

  await test.step('it looks as it should in both themes', async () => {
    for (const theme of ['Light', 'Dark'] as const) {
      await useTheme(lab, `JupyterLab ${theme}`);
      await expect(code(panel)).toBeVisible();
      await lab.screenshot({ path: join(IMAGES, `query-${theme.toLowerCase()}.png`) });
    }
    await useTheme(lab, 'JupyterLab Light');
  });

  await test.step('dragged into a notebook and run, the query finds as many', async () => {
    await expect(found).toHaveText(/^\d+ found$/);
    const number = parseInt((await found.textContent())!, 10);
    expect(number).toBeGreaterThan(0);
    await code(panel).scrollIntoViewIfNeeded();
    const below = await cells(lab).nth(1).boundingBox();
    await drag(lab, code(panel), { x: below!.x + 200, y: below!.y + 2 });
    await expect(cells(lab)).toHaveCount(3);
    expect((await sources(lab))[1]).toMatch(/visit_image_refs = butler\.query_datasets\(\n/);
    expect(await runQuery(lab)).toBe(number);
  });

  await test.step('cleared, all is there again', async () => {
    await query(panel).getByRole('button', { name: 'Clear filters' }).click();
    await expect(found).toHaveText('120 found');
    await expect(panel.locator('.pb-ListFoot')).toHaveText('120 datasets');
  });
});

test('the list is ordered by its columns, and all that is found is chosen as a query', async ({ lab }) => {
  await newNotebook(lab, ['# one']);
  const panel = await openPanel(lab);
  await widenSidebar(lab, 420);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  const head = panel.getByRole('columnheader', { name: 'detector' });

  await test.step('a press on a heading orders by it, another turns it round', async () => {
    await head.getByRole('button').click();
    await expect(head).toHaveAttribute('aria-sort', 'ascending');
    await head.getByRole('button').click();
    await expect(head).toHaveAttribute('aria-sort', 'descending');
    await expect(code(panel)).toContainText('order_by=["-detector"]');
  });

  await test.step('an order by a field of a dimension, with a limit', async () => {
    const order = query(panel).getByLabel('order by');
    await order.fill('-visit.timespan.begin');
    await order.press('Enter');
    await expect(head).toHaveAttribute('aria-sort', 'none');
    const limit = query(panel).getByLabel('limit');
    await limit.fill('7');
    await limit.press('Enter');
    await expect(query(panel).locator('.pb-Query-count')).toHaveText('7 found');
    await expect(datasets(panel)).toHaveCount(7);
  });

  await test.step('completion offers fields of dimensions', async () => {
    const editor = query(panel).getByRole('textbox', { name: 'where' });
    await editor.click();
    await lab.keyboard.type('visit.exp');
    const offered = lab.locator('.cm-tooltip-autocomplete').getByRole('option', { name: /visit\.exposure_time/ });
    // Not Enter: the editor ignores keys that come just as the list opens, as they were meant for the text.
    await offered.click();
    await expect(editor).toContainText('visit.exposure_time');
    await lab.keyboard.press('Escape');
  });

  await test.step('the code that is inserted by its button gives the same number', async () => {
    await query(panel).getByRole('button', { name: 'Insert' }).click();
    await expect(cells(lab)).toHaveCount(2);
    expect(await runQuery(lab)).toBe(7);
  });
});

test('a filter that finds nothing says so and offers the way back, by keyboard alone', async ({ lab }) => {
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'deep_coadd');
  const patch = query(panel).getByRole('combobox', { name: 'patch' });
  await patch.focus();
  await patch.fill('99');
  await expect(query(panel).getByRole('status').filter({ hasText: 'No value begins with 99.' })).toBeVisible();
  await patch.press('Enter');
  await expect(query(panel).locator('.pb-Query-count')).toHaveText('0 found');
  await expect(panel.getByText('Nothing matches the filters.')).toBeVisible();
  const clear = query(panel).getByRole('button', { name: 'Clear filters' });
  await clear.focus();
  await lab.keyboard.press('Enter');
  await expect(datasets(panel).first()).toBeVisible();
});
