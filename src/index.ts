/**
 * Plugins, and nothing else: what JupyterLab starts, and how the rooms are wired together.
 */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';

import { ButlerClient } from './api';
import {
  copyCode,
  copyReference,
  insertInNotebook,
  type IWorkspace,
  snippetsFor,
  startDatasetDrag
} from './insert';
import { ButlerModel } from './model';
import {
  addCommands,
  ButlerPanel,
  CommandIDs,
  followKernels,
  openInsertMenu,
  type IPanelActions
} from './panel';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'python-butler:plugin',
  description: 'A sidebar that browses Butler repositories and brings their datasets into notebooks.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ILayoutRestorer, ISettingRegistry, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settingRegistry: ISettingRegistry | null,
    state: IStateDB | null
  ): void => {
    const { commands, shell } = app;
    const { serverSettings } = app.serviceManager;
    let butlerSource = 'auto';

    const model = new ButlerModel({ client: new ButlerClient({ serverSettings }), state });
    const workspace: IWorkspace = {
      notebooks,
      activate: id => shell.activateById(id),
      preferPythonButler: () => (butlerSource === 'auto' ? undefined : butlerSource === 'python_butler')
    };
    const execute = (id: string, args = {}): void => void commands.execute(id, args);
    const actions: IPanelActions = {
      insert: snippet => execute(CommandIDs.insert, snippet === undefined ? {} : { snippet }),
      copyCode: () => execute(CommandIDs.copyCode),
      copyReference: () => execute(CommandIDs.copyReference),
      copyText: text => Clipboard.copyToSystem(text),
      openInsertMenu: (anchor, selection) => openInsertMenu(commands, snippetsFor(selection), anchor),
      drag: (selection, { clientX, clientY }) =>
        void startDatasetDrag({ selection, clientX, clientY, source: panel }, workspace)
    };
    const panel = new ButlerPanel(model, actions);

    addCommands(commands, model, {
      openPanel: () => shell.activateById(panel.id),
      insert: (selection, snippet) =>
        insertInNotebook(selection, workspace, snippet === undefined ? {} : { snippet }),
      insertAs: selection => openInsertMenu(commands, snippetsFor(selection), panel.chosenElement),
      copyCode: selection => copyCode(selection, workspace),
      copyReference: selection => copyReference(selection)
    });
    Object.values(CommandIDs).forEach(command => palette?.addItem({ command, category: 'Butler' }));

    // The panel is there at once; what it remembers, and its settings, follow when they come.
    shell.add(panel, 'left', { rank: 350, type: 'Butler' });
    restorer?.add(panel, panel.id);
    void model.restore().then(() => panel.restore());
    followKernels(notebooks, () => model.watch.look());

    settingRegistry
      ?.load(plugin.id)
      .then(settings => {
        const apply = (): void => {
          butlerSource = settings.get('butlerSource').composite as string;
          model.datasets.pageSize = settings.get('pageSize').composite as number;
          model.watch.seconds = settings.get('pollSeconds').composite as number;
        };
        settings.changed.connect(apply);
        apply();
      })
      // Without its settings the panel works with the defaults.
      .catch(() => undefined);
  }
};

export default plugin;
