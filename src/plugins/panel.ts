/**
 * The plugin of the sidebar.
 */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator } from '@jupyterlab/translation';

import { ButlerClient, QueryClient, Transport, ViewerClient, VocabularyClient } from '../api';
import {
  copyCode,
  copyReference,
  expressionFor,
  insertInNotebook,
  type IWorkspace,
  snippetsFor,
  startDatasetDrag
} from '../insert';
import { ButlerModel } from '../model';
import {
  addCommands,
  ButlerPanel,
  CommandIDs,
  followKernels,
  openInsertMenu,
  showOrTell,
  type IPanelActions
} from '../panel';
import { type IQueryActions, QueryModel, QuerySection } from '../query';
import { IButler, ISnippetRegistry } from '../tokens';
import { setTranslator, trans } from '../trans';
import { lastingAddressOf } from './address';

const SEARCH = 'python-butler:search';

/** The sidebar, and what the other plugins stand on. */
export const panelPlugin: JupyterFrontEndPlugin<IButler> = {
  id: 'python-butler:plugin',
  description: 'A sidebar that browses Butler repositories and brings their datasets into notebooks.',
  autoStart: true,
  requires: [INotebookTracker, ISnippetRegistry],
  optional: [ICommandPalette, ILayoutRestorer, ISettingRegistry, IStateDB, ITranslator],
  provides: IButler,
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    registry: ISnippetRegistry,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settingRegistry: ISettingRegistry | null,
    state: IStateDB | null,
    translator: ITranslator | null
  ): IButler => {
    setTranslator(translator);
    const { commands, shell } = app;
    const { serverSettings } = app.serviceManager;
    let butlerSource = 'auto';

    const transport = new Transport({ serverSettings });
    const client = new ButlerClient(transport);
    const model = new ButlerModel({ client, describer: new ViewerClient(transport), state });
    const workspace: IWorkspace = {
      notebooks,
      activate: id => shell.activateById(id),
      addressOf: lastingAddressOf,
      preferPythonButler: () => (butlerSource === 'auto' ? undefined : butlerSource === 'python_butler'),
      snippets: () => registry.snippets
    };
    const tell = (message: string): void => void Notification.warning(message, { autoClose: 10_000 });
    const execute = (id: string, args = {}): void => void commands.execute(id, args);
    const actions: IPanelActions = {
      insert: snippet => execute(CommandIDs.insert, snippet === undefined ? {} : { snippet }),
      open: tab => execute('python-butler:open-dataset', tab === undefined ? {} : { tab }),
      offers: action => commands.hasCommand(`python-butler:${action}`),
      run: action => execute(`python-butler:${action}`),
      copyCode: () => execute(CommandIDs.copyCode),
      copyReference: () => execute(CommandIDs.copyReference),
      copyText: text => Clipboard.copyToSystem(text),
      show: ({ datasetType, ...place }, ids) =>
        void showOrTell(model, { ...place, datasetType: datasetType ?? undefined, ids }, tell),
      openInsertMenu: (anchor, selection) =>
        openInsertMenu(commands, snippetsFor(selection, registry.snippets), anchor),
      drag: (selection, { clientX, clientY }) =>
        void startDatasetDrag({ selection, clientX, clientY, source: panel }, workspace)
    };
    const queryActions: IQueryActions = {
      codeOf: selection => expressionFor(selection)?.text ?? '',
      insert: selection => void insertInNotebook(selection, workspace),
      copyCode: selection => copyCode(selection, workspace),
      copyText: actions.copyText,
      drag: actions.drag
    };
    const query = new QueryModel(model.datasets, {
      client,
      queries: new QueryClient(transport),
      vocabulary: new VocabularyClient(transport)
    });
    const panel = new ButlerPanel(model, actions, new QuerySection(query, queryActions));

    addCommands(commands, model, {
      openPanel: () => shell.activateById(panel.id),
      insert: (selection, snippet) =>
        insertInNotebook(selection, workspace, snippet === undefined ? {} : { snippet }),
      insertAs: selection =>
        openInsertMenu(commands, snippetsFor(selection, registry.snippets), panel.chosenElement),
      copyCode: selection => copyCode(selection, workspace),
      copyReference: selection => copyReference(selection)
    });
    commands.addCommand(SEARCH, {
      label: trans.__('Search in Butler panel'),
      execute: () => {
        shell.activateById(panel.id);
        panel.focusSearch();
      },
      describedBy: { args: { type: 'object', properties: {} } }
    });
    palette?.addItem({ command: SEARCH, category: trans.__('Butler') });
    Object.values(CommandIDs).forEach(command => palette?.addItem({ command, category: trans.__('Butler') }));

    // The panel is there at once; what it remembers, and its settings, follow when they come.
    shell.add(panel, 'left', { rank: 350, type: 'Butler' });
    restorer?.add(panel, panel.id);
    void model.restore().then(() => panel.restore());
    followKernels(notebooks, () => model.watch.look());

    settingRegistry
      ?.load(panelPlugin.id)
      .then(settings => {
        const apply = (): void => {
          butlerSource = settings.get('butlerSource').composite as string;
          model.datasets.pageSize = settings.get('pageSize').composite as number;
          model.tree.grouped = settings.get('groupCollections').composite as boolean;
          model.watch.seconds = settings.get('pollSeconds').composite as number;
        };
        settings.changed.connect(apply);
        apply();
      })
      // Without its settings the panel works with the defaults.
      .catch(() => undefined);

    return { transport, client, model, workspace };
  }
};
