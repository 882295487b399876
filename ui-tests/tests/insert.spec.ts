// Code menus that a person extends, what inserted cells say of themselves, and words while one writes.
import type { Page } from '@playwright/test';
import type { NotebookPanel } from '@jupyterlab/notebook';

import { cells, character, drag, newNotebook, runActiveCell, sources } from '../lab';
import { CHAIN, chooseType, datasets, OFFICIAL, openPanel } from '../panel';
import { expect, test } from '../platform';

const BUTLER = 'from lsst.daf.butler import Butler\nbutler = Butler("dp2", collections="dp2")';

/** What the cells of the notebook in front say of the data in them. */
async function notes(page: Page): Promise<unknown[]> {
  return page.evaluate(() => {
    const panel = window.jupyterapp.shell.currentWidget as NotebookPanel;
    return panel.context.model.sharedModel.cells.map(cell => cell.getMetadata('python_butler') ?? null);
  });
}

/** Set a setting of the panel. */
async function set(page: Page, name: string, value: unknown): Promise<void> {
  await page.evaluate(
    async ([key, setting]) => {
      const { serviceManager } = window.jupyterapp;
      await serviceManager.settings.save('python-butler:plugin', JSON.stringify({ [key as string]: setting }));
    },
    [name, value]
  );
}

/** Write a cell's source and put the cursor at the bar in it. */
async function write(page: Page, index: number, text: string): Promise<void> {
  await page.evaluate(
    ([at, source]) => {
      const { content } = window.jupyterapp.shell.currentWidget as NotebookPanel;
      content.activeCellIndex = at as number;
      content.mode = 'edit';
      const editor = content.activeCell!.editor!;
      const whole = source as string;
      editor.model.sharedModel.setSource(whole.replace('|', ''));
      editor.setCursorPosition(editor.getPositionAt(whole.indexOf('|'))!);
      editor.focus();
    },
    [index, text]
  );
}

test('a snippet of the settings stands in the menu, and what it inserts runs', async ({ lab }) => {
  await set(lab, 'snippets', [
    { label: 'Print the type', storageClass: 'Visit*', code: '${name} = ${get}\nprint("my", type(${name}).__name__)' },
    { label: 'Broken', code: '${gte}' }
  ]);
  await lab.reload();
  await lab.waitForFunction(() => 'jupyterapp' in window);
  await lab.evaluate(() => window.jupyterapp.restored);

  await test.step('one that cannot be used says why', async () => {
    await expect(lab.locator('.Toastify__toast', { hasText: '“Broken” cannot be used' })).toContainText('${gte}');
  });

  await newNotebook(lab, ['# one']);
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  await datasets(panel).first().click();
  await lab.evaluate(() => window.jupyterapp.commands.execute('python-butler:insert-as'));
  await lab.locator('.lm-Menu-item', { hasText: 'My snippets' }).hover();
  await lab.locator('.lm-Menu-item', { hasText: 'Print the type' }).click();
  await expect(cells(lab)).toHaveCount(2);
  expect(await runActiveCell(lab)).toContain('my VisitImage');

  await test.step('Shift asks for the form where a dataset is dropped', async () => {
    const last = (await cells(lab).last().boundingBox())!;
    await lab.keyboard.down('Shift');
    await drag(lab, datasets(panel).first(), { x: last.x + 200, y: last.y + last.height + 60 });
    await lab.keyboard.up('Shift');
    await lab.locator('.lm-Menu-item', { hasText: 'Deferred handle' }).click();
    await expect(cells(lab)).toHaveCount(3);
    expect((await sources(lab))[2]).toContain('getDeferred');
  });
  await set(lab, 'snippets', []);
});

test('inserted cells say what data is in them, and one undo takes that back', async ({ lab }) => {
  await newNotebook(lab, ['len([])']);
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  const row = datasets(panel).first();
  const note = {
    repository: { kind: 'official', label: 'dp2' },
    collection: 'dp2',
    dataset_type: 'visit_image',
    query: null
  };

  await test.step('a cell of its own', async () => {
    await row.focus();
    await lab.keyboard.press('Control+Enter');
    await expect(cells(lab)).toHaveCount(2);
    expect((await notes(lab))[1]).toMatchObject({ ...note, datasets: [expect.stringMatching(/^[0-9a-f-]{36}$/)] });
    await lab.evaluate(() => window.jupyterapp.commands.execute('notebook:undo-cell-action'));
    await expect(cells(lab)).toHaveCount(1);
  });

  await test.step('an expression in a cell', async () => {
    const line = cells(lab).first().locator('.cm-line', { hasText: 'len([])' });
    await drag(lab, row, await character(line, 5));
    await expect.poll(async () => (await notes(lab))[0]).toMatchObject(note);
    // Keys go where the focus is, which comes a moment after the text.
    await expect(cells(lab).first().locator('.cm-editor.cm-focused')).toBeVisible();
    await lab.keyboard.press('ControlOrMeta+z');
    await expect.poll(() => sources(lab)).toEqual(['len([])']);
    expect(await notes(lab)).toEqual([null]);
  });
});

test('names complete in calls of a butler, and typing goes on when nobody answers', async ({ lab, platform }) => {
  await newNotebook(lab, [BUTLER, '']);
  const offered = lab.locator('.jp-Completer:not(.lm-mod-hidden) .jp-Completer-item');
  const complete = async (text: string, expected: string): Promise<void> => {
    await test.step(text, async () => {
      // What is not known yet comes when it is there, or with the next request.
      await expect(async () => {
        await lab.keyboard.press('Escape');
        await write(lab, 1, text);
        await lab.keyboard.press('Tab');
        await expect(offered.filter({ hasText: expected }).first()).toBeVisible({ timeout: 3_000 });
      }).toPass({ timeout: 60_000 });
    });
  };
  await complete('butler.get("vis|")', 'visit_image');
  await complete('butler.get("visit_image", vi|)', 'visit=');
  await complete('butler.get("visit_image", instrument="|")', 'LSSTCam');
  await complete('butler.query_datasets("visit_image", where="visit.exp|")', 'visit.exposure_time');
  await complete('Butler("|")', 'dp2');

  await test.step('what is chosen is written', async () => {
    await complete('butler.get("visit_im|")', 'visit_image');
    await offered.filter({ hasText: 'visit_image' }).first().click();
    await expect.poll(async () => (await sources(lab))[1]).toBe('butler.get("visit_image")');
  });

  await test.step('typing is not held up by a server that is down', async () => {
    await platform.tell('stop-server');
    await lab.keyboard.press('Escape');
    await write(lab, 1, '|');
    await lab.keyboard.type('butler.get("diff');
    await lab.keyboard.press('Tab');
    await lab.keyboard.type('erence');
    await expect.poll(async () => (await sources(lab))[1]).toMatch(/^butler\.get\("difference/);
    await platform.tell('start-server');
  });
});
