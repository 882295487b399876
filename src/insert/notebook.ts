/**
 * Putting code into notebooks, so that one undo takes it out again.
 */

import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import type { ICodeCell } from '@jupyterlab/nbformat';
import {
  NotebookActions,
  type INotebookTracker,
  type Notebook,
  type NotebookPanel
} from '@jupyterlab/notebook';
import { UUID } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';

import { addCellNote, CELL_METADATA, type ICellNote, type IDatasetSelection, type IView } from '../model';
import { readNames, type IButlerVariable } from '../python/butlers';
import { askKernel } from '../python/kernel';
import { isPython, magicLength } from '../python/tokens';
import { trans } from '../trans';
import { citationFor, referencesFor } from './citation';
import { cellFor, expressionFor, type ICodeOptions, type IExpression } from './code';
import { noteFor } from './note';
import type { ISnippet } from './snippets';
import type { IPlace } from './source';

/** What this room needs of JupyterLab. */
export interface IWorkspace {
  readonly notebooks: INotebookTracker;
  /** Bring a widget of the main area to the front. */
  activate(id: string): void;
  /**
   * The setting: whether official data, too, is to be read through `python_butler`; undefined if the
   * notebook decides.
   */
  preferPythonButler(): boolean | undefined;
  /** The address, for a notebook's text, that shows something in the panel. */
  addressOf(view: IView): string;
  /** Makes what shows a dataset that is dropped beside documents; set by whoever can. */
  viewerOf?: (selection: IDatasetSelection) => Widget | null;
  /** Snippets that are not our own. */
  snippets(): readonly ISnippet[];
}

/** Options as the settings and other extensions have them, but for those that are given. */
export function optionsOf<T extends ICodeOptions>(workspace: IWorkspace, options: T): T & ICodeOptions {
  return {
    preferPythonButler: workspace.preferPythonButler(),
    others: workspace.snippets(),
    ...options
  };
}

/** What to insert, and in which form. */
export interface IInsertOptions extends ICodeOptions {
  /** A cell below the active one (the default), or an expression at the cursor. */
  readonly form?: 'cell' | 'expression';
}

/**
 * Insert code into the notebook last used; without one, say so and offer the clipboard.
 *
 * @returns whether anything was inserted.
 */
export async function insertInNotebook(
  selection: IDatasetSelection,
  workspace: IWorkspace,
  options: IInsertOptions = {}
): Promise<boolean> {
  const panel = workspace.notebooks.currentWidget;
  if (!panel?.content.model || panel.content.model.readOnly) {
    const reason = panel
      ? trans.__('The notebook cannot be changed. The code can be copied instead.')
      : trans.__('No notebook is open. The code can be copied instead.');
    Notification.warning(reason, {
      autoClose: 10_000,
      actions: [
        {
          label: trans.__('Copy code'),
          displayType: 'accent',
          callback: () => copyCode(selection, workspace, options)
        }
      ]
    });
    return false;
  }
  const kernel = await askKernel(panel.sessionContext.session?.kernel);
  const chosen = optionsOf(workspace, options);
  const { content: notebook } = panel;
  const done =
    options.form === 'expression'
      ? insertAtCursor(notebook, selection, kernel, chosen, view => workspace.addressOf(view))
      : insertBelow(notebook, selection, kernel, chosen);
  if (done) {
    workspace.activate(panel.id);
  } else {
    tellUnknown(selection);
  }
  return done;
}

/** Put a complete cell, as text, on the clipboard. */
export function copyCode(
  selection: IDatasetSelection,
  workspace: IWorkspace,
  options: ICodeOptions = {}
): boolean {
  const code = cellFor(selection, undefined, optionsOf(workspace, options));
  if (code !== null) {
    Clipboard.copyToSystem(code);
  } else {
    tellUnknown(selection);
  }
  return code !== null;
}

/** Everything that is found is inserted as a query, for which the backend has to tell it first. */
function tellUnknown({ whole }: IDatasetSelection): void {
  if (whole === null) {
    const message = trans.__('The query is not known yet. Try again in a moment, or look at it under Query.');
    Notification.warning(message, { autoClose: 10_000 });
  }
}

/** Put the datasets' identifiers on the clipboard, one a line. */
export function copyReference(selection: IDatasetSelection): void {
  Clipboard.copyToSystem(referencesFor(selection));
}

/** What is known where a cell inserted at an index, or text at an offset in the cell there, would stand. */
export function placeIn(
  notebook: Notebook,
  index: number,
  kernel: readonly IButlerVariable[],
  offset = 0
): IPlace {
  const cells = notebook.model?.sharedModel.cells ?? [];
  const code = (part: typeof cells): string[] =>
    part.filter(cell => cell.cell_type === 'code').map(cell => cell.getSource());
  const before = code(cells.slice(0, index));
  const here = code(cells.slice(index, index + 1)).map(source => source.slice(0, offset));
  const above = readNames([...before, ...here]);
  // A name is in use wherever it is bound, but a butler only below its constructor.
  const all = readNames(code(cells));
  return { names: { ...above, taken: all.taken, usesPythonButler: all.usesPythonButler }, kernel };
}

/** A code cell for the shared model, which says what data is in it. */
export function codeCell(
  source: string,
  note: ICellNote
): Partial<ICodeCell> & { id: string; cell_type: 'code' } {
  const metadata = { [CELL_METADATA]: addCellNote({}, note) };
  return { id: UUID.uuid4(), cell_type: 'code', source, metadata };
}

/** Select a cell and focus it, so that Shift+Enter runs it. */
export async function selectCell(notebook: Notebook, index: number): Promise<void> {
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  notebook.mode = 'command';
  await notebook.scrollToItem(index, 'smart');
  await NotebookActions.focusActiveCell(notebook);
}

/** Put the cursor into a cell. */
export function editCell(notebook: Notebook, index: number): Promise<void> {
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  notebook.mode = 'edit';
  notebook.widgets[index]?.editor?.focus();
  return Promise.resolve();
}

/**
 * Insert an expression into a cell, with what it needs at the top of the cell and a note of what data it
 * brings, in one step.
 *
 * @param start - Where the expression goes; what stands between here and `end` is replaced.
 */
export function insertInCell(
  cell: Cell,
  start: number,
  end: number,
  { text, preamble }: IExpression,
  note: ICellNote
): void {
  const shared = cell.model.sharedModel;
  const source = shared.getSource();
  const top = magicLength(source);
  const line = top > 0 && !source.slice(0, top).endsWith('\n') ? `\n${preamble}` : preamble;
  const needed = preamble !== '' && isPython(source);
  // Above the preamble is only a cell magic, and nothing can be inserted into that.
  const from = needed ? Math.max(start, top) : start;
  shared.transact(() => {
    shared.updateSource(from, Math.max(from, end), text);
    if (needed) {
      shared.updateSource(top, top, line);
    }
    shared.setMetadata(CELL_METADATA, addCellNote(shared.getMetadata(), note));
  });
  const { editor } = cell;
  if (editor) {
    const position = editor.getPositionAt(from + text.length + (needed ? line.length : 0));
    if (position) {
      editor.setCursorPosition(position);
    }
  }
}

/** The text for a cell's editor: an expression in code, a citation elsewhere. */
export function expressionForCell(
  notebook: Notebook,
  index: number,
  offset: number,
  selection: IDatasetSelection,
  kernel: readonly IButlerVariable[],
  options: ICodeOptions,
  addressOf: IWorkspace['addressOf']
): IExpression | null {
  if (notebook.widgets[index]?.model.type !== 'code') {
    return { text: citationFor(selection, addressOf), preamble: '' };
  }
  return expressionFor(selection, placeIn(notebook, index, kernel, offset), options);
}

function insertBelow(
  notebook: Notebook,
  selection: IDatasetSelection,
  kernel: readonly IButlerVariable[],
  options: ICodeOptions
): boolean {
  const index = notebook.activeCellIndex + 1;
  const source = cellFor(selection, placeIn(notebook, index, kernel), options);
  if (source === null) {
    return false;
  }
  notebook.model?.sharedModel.insertCell(index, codeCell(source, noteFor(selection)));
  void selectCell(notebook, index);
  return true;
}

function insertAtCursor(
  notebook: Notebook,
  selection: IDatasetSelection,
  kernel: readonly IButlerVariable[],
  options: ICodeOptions,
  addressOf: IWorkspace['addressOf']
): boolean {
  const { activeCell: cell, activeCellIndex: index } = notebook;
  const editor = cell?.editor;
  if (!cell || !editor) {
    return false;
  }
  const range = editor.getSelection();
  const [start = 0, end = 0] = [range.start, range.end]
    .map(position => editor.getOffsetAt(position))
    .sort((a, b) => a - b);
  const expression = expressionForCell(notebook, index, start, selection, kernel, options, addressOf);
  if (!expression) {
    return false;
  }
  insertInCell(cell, start, end, expression, noteFor(selection));
  notebook.mode = 'edit';
  return true;
}

/** The notebook panels that can be seen now. */
export function visibleNotebooks(tracker: INotebookTracker): NotebookPanel[] {
  return tracker.filter(panel => panel.isVisible);
}
