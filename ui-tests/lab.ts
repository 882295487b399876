// What the tests do in JupyterLab that a page alone does not offer: notebooks through their shared model.
import { expect, type Locator, type Page } from '@playwright/test';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { NotebookPanel } from '@jupyterlab/notebook';

declare global {
  interface Window {
    /** Exposed by the demonstration when it is started with --control. */
    jupyterapp: JupyterFrontEnd;
  }
}

/** Open JupyterLab in an empty workspace and wait until it is restored. */
export async function openLab(page: Page, url: string): Promise<void> {
  const empty = new URL(url);
  // Otherwise JupyterLab restores what the test before had open.
  empty.searchParams.set('reset', '');
  await page.goto(empty.href);
  await page.waitForFunction(() => 'jupyterapp' in window);
  await page.evaluate(async () => {
    await window.jupyterapp.started;
    await window.jupyterapp.restored;
  });
  // JupyterLab moves the focus to it about a second after it is restored; typing before would be lost.
  await expect(page.locator('.jp-Launcher, .jp-NotebookPanel').first()).toBeVisible();
}

/** Load the page anew, in the same workspace. */
export async function reload(page: Page): Promise<void> {
  const address = new URL(page.url());
  address.search = '';
  await page.goto(address.href);
  await page.waitForFunction(() => 'jupyterapp' in window);
  await page.evaluate(async () => {
    await window.jupyterapp.started;
    await window.jupyterapp.restored;
  });
}

/** Make a notebook whose code cells hold the given sources, and wait for its kernel. */
export async function newNotebook(page: Page, sources: string[]): Promise<void> {
  await page.evaluate(async cells => {
    const app = window.jupyterapp;
    const panel = (await app.commands.execute('notebook:create-new', {
      kernelName: 'python3',
      activate: true
    })) as NotebookPanel;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session?.kernel?.info;
    const notebook = panel.context.model.sharedModel;
    notebook.deleteCellRange(0, notebook.cells.length);
    notebook.insertCells(
      0,
      cells.map(source => ({ cell_type: 'code', source }))
    );
    panel.content.activeCellIndex = 0;
  }, sources);
  await expect(cells(page)).toHaveCount(sources.length);
}

/** The cells of the notebook in front. */
export function cells(page: Page): Locator {
  return page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell');
}

/** Wait until a notebook is in front: one that code is inserted into comes there by itself. */
async function notebookInFront(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const widget = window.jupyterapp.shell.currentWidget as Partial<NotebookPanel> | null;
    return widget?.content?.activeCellIndex !== undefined && widget.context?.isReady === true;
  });
}

/** Sources of all cells of the notebook in front. */
export async function sources(page: Page): Promise<string[]> {
  await notebookInFront(page);
  return page.evaluate(() => {
    const panel = window.jupyterapp.shell.currentWidget as NotebookPanel;
    return panel.context.model.sharedModel.cells.map(cell => cell.getSource());
  });
}

/** Run the active cell and wait for its outputs' text; fails if the cell raised. */
export async function runActiveCell(page: Page): Promise<string> {
  await notebookInFront(page);
  return page.evaluate(async () => {
    const app = window.jupyterapp;
    const panel = app.shell.currentWidget as NotebookPanel;
    const index = panel.content.activeCellIndex;
    await app.commands.execute('notebook:run-cell');
    const cell = panel.context.model.sharedModel.cells[index]!.toJSON();
    const outputs = (cell.cell_type === 'code' ? cell.outputs : []) as {
      output_type: string;
      text?: string | string[];
      ename?: string;
      evalue?: string;
      data?: Record<string, string | string[]>;
    }[];
    const join = (text: string | string[] | undefined): string =>
      Array.isArray(text) ? text.join('') : (text ?? '');
    const failed = outputs.find(output => output.output_type === 'error');
    if (failed) {
      throw new Error(`${failed.ename}: ${failed.evalue}`);
    }
    return outputs.map(output => join(output.text) + join(output.data?.['text/plain'])).join('\n');
  });
}

/** The left edge of a character of a line of code, counted from 0. */
export async function character(line: Locator, index: number): Promise<{ x: number; y: number }> {
  return line.evaluate((node, at) => {
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    let left = at;
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      const length = text.textContent?.length ?? 0;
      if (left < length) {
        const range = document.createRange();
        range.setStart(text, left);
        range.setEnd(text, left + 1);
        const { x, y, height } = range.getBoundingClientRect();
        return { x: x + 1, y: y + height / 2 };
      }
      left -= length;
    }
    throw new Error('The line is shorter.');
  }, index);
}

/** Drag with real mouse events, in steps, since JupyterLab starts a drag only after some way. */
export async function drag(page: Page, from: Locator, to: { x: number; y: number }): Promise<void> {
  await from.scrollIntoViewIfNeeded();
  const box = await from.boundingBox();
  if (box === null) {
    throw new Error('What is to be dragged is not visible.');
  }
  const start = { x: box.x + Math.min(60, box.width / 2), y: box.y + box.height / 2 };
  await page.mouse.move(start.x, start.y);
  await page.mouse.down();
  await page.mouse.move(start.x + 10, start.y + 10, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 12 });
  // The last small move makes the target under the pointer the one that JupyterLab has marked.
  await page.mouse.move(to.x + 1, to.y, { steps: 2 });
  await page.mouse.up();
}

/** Pull the edge of the left sidebar until it is so many pixels wide. */
export async function widenSidebar(page: Page, width: number): Promise<void> {
  const left = await page.locator('#jp-left-stack').boundingBox();
  const edge = { x: left!.x + left!.width + 2, y: 500 };
  await page.mouse.move(edge.x, edge.y);
  await page.mouse.down();
  await page.mouse.move(left!.x + width, edge.y, { steps: 5 });
  await page.mouse.up();
}

/** Switch between JupyterLab's own themes. */
export async function useTheme(
  page: Page,
  theme: 'JupyterLab Light' | 'JupyterLab Dark' | 'JupyterLab Dark High Contrast'
): Promise<void> {
  await page.evaluate(async name => {
    await window.jupyterapp.commands.execute('apputils:change-theme', { theme: name });
  }, theme);
  await expect(page.locator('body')).toHaveAttribute('data-jp-theme-name', theme);
  // JupyterLab lays its start screen over everything meanwhile, and fades it out.
  await expect(page.locator('#jupyterlab-splash')).toHaveCount(0);
}
