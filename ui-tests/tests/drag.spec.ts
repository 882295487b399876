// Where a dragged dataset may be dropped, what it becomes there, and how it is taken back.
import type { Locator, Page } from '@playwright/test';
import type { NotebookPanel } from '@jupyterlab/notebook';

import { cells, character, drag, newNotebook, runActiveCell, sources } from '../lab';
import { CHAIN, chooseType, datasets, OFFICIAL, openPanel } from '../panel';
import { expect, test } from '../platform';

const GET = /butler\.get\("visit_image", instrument="LSSTCam", detector=\d+, visit=\d+\)/;
const CONSTRUCTOR = 'from lsst.daf.butler import Butler\nbutler = Butler("dp2", collections="dp2")\n';

/** The first visit image's row. */
async function visitImage(page: Page): Promise<Locator> {
  const panel = await openPanel(page);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  return datasets(panel).first();
}

async function focusedCell(page: Page): Promise<{ index: number; mode: string; selected: number; inside: boolean }> {
  return page.evaluate(() => {
    const { content } = window.jupyterapp.shell.currentWidget as NotebookPanel;
    return {
      index: content.activeCellIndex,
      mode: content.mode,
      selected: content.widgets.filter(cell => content.isSelected(cell)).length,
      inside: content.node.contains(document.activeElement)
    };
  });
}

function line(page: Page, text: string): Locator {
  return page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) .cm-line', { hasText: text });
}

test.describe('a dragged dataset', () => {
  test('becomes the selected cell between two cells, and runs with Shift+Enter', async ({ lab }) => {
    await newNotebook(lab, ['# one', '# two']);
    const row = await visitImage(lab);
    const below = await cells(lab).nth(1).boundingBox();
    await drag(lab, row, { x: below!.x + 200, y: below!.y + 2 });
    await expect(cells(lab)).toHaveCount(3);
    expect((await sources(lab))[1]).toMatch(/visit_image\.bbox\.shape$/);
    await expect.poll(() => focusedCell(lab)).toEqual({ index: 1, mode: 'command', selected: 0, inside: true });
    await lab.keyboard.press('Shift+Enter');
    await expect(cells(lab).nth(1).locator('.jp-OutputArea-output')).toContainText(/\d+/, { timeout: 60_000 });
    await expect(cells(lab).nth(1)).not.toContainText('Error');
  });

  test('becomes the last cell below all cells', async ({ lab }) => {
    await newNotebook(lab, ['# one']);
    const row = await visitImage(lab);
    const last = await cells(lab).last().boundingBox();
    await drag(lab, row, { x: last!.x + 200, y: last!.y + last!.height + 80 });
    await expect(cells(lab)).toHaveCount(2);
    await expect.poll(() => focusedCell(lab)).toMatchObject({ index: 1, mode: 'command', inside: true });
  });

  test('becomes an expression in an editor, with the constructor once at the top of the cell', async ({ lab }) => {
    await newNotebook(lab, ['%%time\na = 1\nlen([])']);
    const row = await visitImage(lab);
    await drag(lab, row, await character(line(lab, 'len([])'), 5));
    await expect.poll(async () => (await sources(lab))[0]).toMatch(/len\(\[butler/);
    const [source] = await sources(lab);
    expect(source!.startsWith(`%%time\n${CONSTRUCTOR}a = 1\nlen([`)).toBe(true);
    expect(source).toMatch(GET);
    await expect(lab.locator('.jp-Notebook .jp-mod-dropTarget')).toHaveCount(0);
    await expect.poll(() => focusedCell(lab)).toMatchObject({ index: 0, mode: 'edit', inside: true });

    await test.step('the next one reuses the butler', async () => {
      await drag(lab, row, await character(line(lab, 'len(['), 5));
      await expect.poll(async () => (await sources(lab))[0]!.match(/butler\.get/g)).toHaveLength(2);
      expect((await sources(lab))[0]!.split(CONSTRUCTOR)).toHaveLength(2);
    });
  });

  test('is taken back by one undo in the editor', async ({ lab }) => {
    await newNotebook(lab, ['len([])']);
    const row = await visitImage(lab);
    await drag(lab, row, await character(line(lab, 'len([])'), 5));
    await expect.poll(async () => (await sources(lab))[0]).toMatch(/^from lsst\.daf\.butler/);
    await expect.poll(() => focusedCell(lab)).toMatchObject({ index: 0, mode: 'edit', inside: true });
    await lab.keyboard.press('ControlOrMeta+z');
    await expect.poll(() => sources(lab)).toEqual(['len([])']);
  });

  test('is an expression that runs', async ({ lab }) => {
    await newNotebook(lab, ['print(.bbox.shape)']);
    const row = await visitImage(lab);
    await drag(lab, row, await character(line(lab, 'print(.bbox'), 6));
    await expect.poll(async () => (await sources(lab))[0]).toMatch(GET);
    expect(await runActiveCell(lab)).toMatch(/\d+/);
  });

  for (const [kind, constructor] of [
    ['official', 'from lsst.daf.butler import Butler\nmine = Butler("dp2", collections="dp2")'],
    ['satellite', 'import python_butler\nmine = python_butler.open("dp2", collections="dp2")']
  ] as const) {
    test(`uses the ${kind} butler that the kernel has, even if no cell says so`, async ({ lab }) => {
      await newNotebook(lab, [constructor]);
      await runActiveCell(lab);
      await lab.evaluate(() => {
        const { content } = window.jupyterapp.shell.currentWidget as NotebookPanel;
        content.model!.sharedModel.cells[0]!.setSource('len([])');
      });
      const row = await visitImage(lab);
      await drag(lab, row, await character(line(lab, 'len([])'), 5));
      await expect
        .poll(async () => (await sources(lab))[0])
        .toMatch(/^len\(\[mine\.get\("visit_image".*visit=\d+\)\]\)$/);
    });
  }

  test('becomes a citation in a Markdown cell', async ({ lab }) => {
    await newNotebook(lab, ['# one']);
    await lab.evaluate(() => {
      const { content } = window.jupyterapp.shell.currentWidget as NotebookPanel;
      content.model!.sharedModel.insertCell(1, { cell_type: 'markdown', source: 'See .' });
      content.activeCellIndex = 1;
      content.mode = 'edit';
    });
    const row = await visitImage(lab);
    await drag(lab, row, await character(line(lab, 'See .'), 4));
    await expect
      .poll(async () => (await sources(lab))[1])
      .toMatch(
        /^See `visit_image` \(instrument `LSSTCam`, .*\), run `.*` of `dp2`, \[`ivo:\/\/.*`\]\(\/lab\?butler=\S+\)\.$/
      );

    await test.step('whose link leads to the dataset in the panel', async () => {
      const id = await row.getAttribute('data-dataset');
      await expect.poll(() => focusedCell(lab)).toMatchObject({ index: 1, mode: 'edit', inside: true });
      await lab.keyboard.press('Shift+Enter');
      const panel = await openPanel(lab);
      await lab.locator('.jp-RenderedMarkdown a', { hasText: 'ivo://' }).click();
      await expect(datasets(panel)).toHaveCount(1);
      await expect(datasets(panel).first()).toHaveAttribute('data-dataset', id!);
      await expect(datasets(panel).first()).toHaveAttribute('aria-selected', 'true');
      expect(lab.context().pages()).toHaveLength(1);
    });
  });

  test('changes nothing after Escape', async ({ lab }) => {
    await newNotebook(lab, ['# one']);
    const row = await visitImage(lab);
    const from = await row.boundingBox();
    const to = await cells(lab).first().boundingBox();
    await lab.mouse.move(from!.x + 40, from!.y + from!.height / 2);
    await lab.mouse.down();
    await lab.mouse.move(from!.x + 60, from!.y + 20, { steps: 4 });
    await expect(lab.locator('.pb-DragChip')).toContainText('visit_image');
    await lab.mouse.move(to!.x + 100, to!.y + to!.height / 2, { steps: 8 });
    await lab.keyboard.press('Escape');
    await lab.mouse.up();
    await expect(lab.locator('.pb-DragChip')).toHaveCount(0);
    expect(await sources(lab)).toEqual(['# one']);
  });

  test('becomes complete code in a text file and in a console', async ({ lab }) => {
    const row = await visitImage(lab);
    await lab.evaluate(async () => {
      await window.jupyterapp.commands.execute('fileeditor:create-new', { fileExt: 'py' });
    });
    const file = lab.locator('.jp-FileEditor:visible .jp-CodeMirrorEditor, .jp-FileEditor.jp-CodeMirrorEditor:visible');
    const editor = (await file.first().boundingBox())!;
    await drag(lab, row, { x: editor.x + 80, y: editor.y + 12 });
    await expect(lab.locator('.jp-FileEditor:visible')).toContainText('visit_image.bbox.shape');

    await lab.evaluate(async () => {
      await window.jupyterapp.commands.execute('console:create', { kernelPreference: { name: 'python3' } });
    });
    const prompt = lab.locator('.jp-CodeConsole-promptCell .jp-CodeMirrorEditor');
    // What the kernel says of itself comes above the prompt, and moves it.
    await expect(lab.locator('.jp-CodeConsole-banner')).toContainText('Python');
    await expect(prompt).toBeVisible();
    const box = (await prompt.boundingBox())!;
    await drag(lab, row, { x: box.x + 40, y: box.y + box.height / 2 });
    await expect(lab.locator('.jp-CodeConsole-promptCell')).toContainText('visit_image.bbox.shape');
  });
});

test('without a notebook, inserting says so and offers the clipboard', async ({ lab }) => {
  await lab.evaluate(async () => {
    await window.jupyterapp.commands.execute('application:close-all');
  });
  const row = await visitImage(lab);
  await row.focus();
  await lab.keyboard.press('Control+Enter');
  await expect(lab.locator('.Toastify__toast', { hasText: 'No notebook is open' })).toContainText('Copy code');
});
