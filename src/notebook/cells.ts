import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Debouncer } from '@lumino/polling';

import { readCellNotes } from '../model';
import { type INotedCell, notedCells } from './notes';

/** The class of cells that say which datasets are in them: menus and styles go by it. */
export const NOTED = 'pb-mod-noted';

/** Milliseconds of rest after a change before cells are read again. */
const REST = 250;

/** The cells of a notebook that say which datasets are in them. */
export function cellsOf(panel: NotebookPanel): INotedCell[] {
  return notedCells([...(panel.content.model?.sharedModel.cells ?? [])]);
}

/**
 * Follow the notebooks: mark their noted cells, and tell when those of the current one may be others.
 *
 * Cells are read from the shared model, so that what collaborators insert counts as well.
 */
export function followNotebooks(
  tracker: INotebookTracker,
  changed: (panel: NotebookPanel | null) => void
): void {
  const follow = (panel: NotebookPanel): void => {
    const look = new Debouncer(() => {
      if (panel.isDisposed) {
        return;
      }
      for (const cell of panel.content.widgets) {
        cell.toggleClass(NOTED, readCellNotes(cell.model.sharedModel.getMetadata()).length > 0);
      }
      if (tracker.currentWidget === panel) {
        changed(panel);
      }
    }, REST);
    const soon = (): void => void look.invoke().catch(() => undefined);
    void panel.context.ready.then(() => {
      panel.content.model?.contentChanged.connect(soon);
      soon();
    });
    panel.content.activeCellChanged.connect(soon);
    panel.disposed.connect(() => look.dispose());
  };
  tracker.forEach(follow);
  tracker.widgetAdded.connect((_, panel) => follow(panel));
  tracker.currentChanged.connect((_, panel) => changed(panel));
}

/** Go to a cell, wherever it is by now. */
export async function goToCell(panel: NotebookPanel, { id }: INotedCell): Promise<void> {
  const notebook = panel.content;
  const index = notebook.widgets.findIndex(({ model }) => model.id === id);
  if (index >= 0) {
    notebook.deselectAll();
    notebook.activeCellIndex = index;
    notebook.mode = 'command';
    await notebook.scrollToItem(index, 'smart');
    notebook.activate();
  }
}
