/**
 * The plugin of datasets that notebooks use.
 */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';

import { usedDatasets } from '../api';
import { type ICellNote, readCellNotes } from '../model';
import { cellsOf, followNotebooks, goToCell, UsedModel, UsedWidget } from '../notebook';
import { butlerIcon } from '../parts';
import { IButler } from '../tokens';
import { trans } from '../trans';

const SHOW_USED = 'python-butler:show-used';
const SHOW_CELL = 'python-butler:show-cell-in-panel';
const SHOW_IN_PANEL = 'python-butler:show-in-panel';

/** Which datasets are in the cells of a notebook. */
export const notebookPlugin: JupyterFrontEndPlugin<void> = {
  id: 'python-butler:notebook',
  description: 'Lists the datasets that the cells of a notebook use, and what became of them.',
  autoStart: true,
  requires: [IButler, INotebookTracker],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    { model: butler, transport }: IButler,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null
  ): void => {
    const { commands, shell } = app;
    const model = new UsedModel((question, signal) =>
      usedDatasets(transport, question.repository, question, signal)
    );
    let widget: UsedWidget | null = null;

    const showInPanel = (note: ICellNote, id: string | null): void => {
      const { repository, collection, dataset_type } = note;
      if (commands.hasCommand(SHOW_IN_PANEL)) {
        void commands.execute(SHOW_IN_PANEL, {
          ...repository,
          collection,
          datasetType: dataset_type,
          ...(id === null ? { filter: note.query?.filter ?? {} } : { id })
        });
      }
    };
    const activeNotes = (): ICellNote[] =>
      readCellNotes(notebooks.activeCell?.model.sharedModel.getMetadata());

    followNotebooks(notebooks, panel => {
      model.show(panel?.title.label ?? null, panel ? cellsOf(panel) : []);
      commands.notifyCommandChanged(SHOW_CELL);
    });
    butler.watch.changed.connect(() => model.refresh());

    commands.addCommand(SHOW_USED, {
      label: () => trans.__('Show datasets used by this notebook'),
      icon: butlerIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        if (!widget || widget.isDisposed) {
          widget = new UsedWidget(model, {
            goTo: cell => {
              const panel = notebooks.currentWidget;
              if (panel) {
                shell.activateById(panel.id);
                void goToCell(panel, cell);
              }
            },
            showInPanel,
            copyText: text => Clipboard.copyToSystem(text)
          });
          widget.disposed.connect(() => (model.visible = false));
          shell.add(widget, 'right', { rank: 900, type: 'Butler' });
        }
        shell.activateById(widget.id);
      }
    });
    commands.addCommand(SHOW_CELL, {
      label: () => trans.__('Show datasets of the cell in the Butler panel'),
      caption: () => trans.__('Show the datasets of this cell in the Butler panel'),
      icon: butlerIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => activeNotes().length > 0,
      isVisible: () => activeNotes().length > 0,
      execute: () => {
        const [note] = activeNotes();
        if (note) {
          showInPanel(note, note.datasets[0] ?? null);
        }
      }
    });
    palette?.addItem({ command: SHOW_USED, category: 'Butler' });
    palette?.addItem({ command: SHOW_CELL, category: 'Butler' });
  }
};
