/**
 * The plugin of the dataset viewer: datasets as documents of the main area.
 */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { type CollectionType, type DatasetDetails, type Repository, ViewerClient } from '../api';
import { insertInNotebook, snippetsFor } from '../insert';
import type { IDatasetSelection } from '../model';
import { openInsertMenu } from '../panel';
import { butlerIcon } from '../parts';
import { IButler } from '../tokens';
import { trans } from '../trans';
import { showDocument } from './documents';
import { DatasetViewer, type IDatasetKey, type IViewerActions, ViewerModel } from '../viewer';

const OPEN = 'python-butler:open-dataset';
const INSERT = 'python-butler:insert-opened-dataset';
const SHOW_IN_PANEL = 'python-butler:show-in-panel';

/** Which dataset to show, and in which collection it was found. */
interface IOpenArgs extends IDatasetKey {
  readonly collection: { readonly name: string; readonly type: CollectionType } | null;
}

/** Opens datasets, and restores those that were open. */
export const viewerPlugin: JupyterFrontEndPlugin<void> = {
  id: 'python-butler:viewer',
  description: 'Shows a dataset, what is in it and where it comes from.',
  autoStart: true,
  requires: [IButler],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    butler: IButler,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): void => {
    const { commands, shell } = app;
    const { model, transport, workspace } = butler;
    const client = new ViewerClient(transport);
    const tracker = new WidgetTracker<MainAreaWidget<DatasetViewer>>({ namespace: 'python-butler-datasets' });
    /** How each viewer came about: what restores it. */
    const origins = new WeakMap<ViewerModel, IOpenArgs>();

    const selectionOf = (
      details: DatasetDetails,
      { kind, label, collection }: IOpenArgs
    ): IDatasetSelection => ({
      repository: model.tree.find({ kind, label }) ?? unseen(kind, label),
      collection: {
        name: collection?.name ?? details.run,
        type: collection?.type ?? 'RUN',
        doc: '',
        children: null
      },
      datasetType: details.dataset_type,
      datasets: [{ id: details.id, data_id: requiredOf(details), run: details.run }]
    });

    const make = (args: IOpenArgs): MainAreaWidget<DatasetViewer> => {
      const id = widgetId(args);
      const open = tracker.find(widget => widget.id === id);
      if (open) {
        return open;
      }
      const viewed = new ViewerModel({ kind: args.kind, label: args.label, id: args.id }, client);
      origins.set(viewed, args);
      const actions: IViewerActions = {
        insert: (details, snippet, choice) =>
          void insertInNotebook(selectionOf(details, args), workspace, {
            ...(snippet === undefined ? {} : { snippet }),
            ...(choice === undefined ? {} : { choice })
          }),
        openInsertMenu: (anchor, details) =>
          openInsertMenu(
            commands,
            snippetsFor(selectionOf(details, args), workspace.snippets()),
            anchor,
            INSERT
          ),
        open: key => void commands.execute(OPEN, { ...key }),
        showCollection: collection => {
          if (commands.hasCommand(SHOW_IN_PANEL)) {
            void commands.execute(SHOW_IN_PANEL, { kind: args.kind, label: args.label, collection });
          }
        },
        offers: action => args.kind === 'official' && commands.hasCommand(`python-butler:${action}`),
        run: (action, { id: dataset, dataset_type }) =>
          void commands.execute(`python-butler:${action}`, {
            kind: args.kind,
            label: args.label,
            id: dataset,
            datasetType: dataset_type.name
          }),
        copyText: text => Clipboard.copyToSystem(text)
      };
      const widget = new MainAreaWidget({ content: new DatasetViewer(viewed, transport, actions) });
      widget.id = id;
      widget.addClass('pb-ViewerPanel');
      void tracker.add(widget);
      return widget;
    };

    commands.addCommand(OPEN, {
      label: args => (typeof args.menu === 'string' ? args.menu : trans.__('Open dataset')),
      caption: trans.__('Show the dataset, what is in it and where it comes from'),
      icon: butlerIcon,
      isEnabled: args => argsOf(args) !== null || model.datasets.selection !== null,
      execute: args => {
        const wanted = argsOf(args) ?? argsOfSelection(model.datasets.selection);
        if (!wanted) {
          return undefined;
        }
        const widget = make(wanted);
        if (typeof args.tab === 'string') {
          widget.content.model.show(args.tab);
        }
        showDocument(shell, widget);
        return widget;
      },
      describedBy: { args: OPEN_ARGS }
    });

    commands.addCommand(INSERT, {
      label: args =>
        typeof args.label === 'string' ? args.label : trans.__('Insert opened dataset in notebook'),
      isEnabled: () => tracker.currentWidget?.content.model.details.status === 'loaded',
      execute: ({ snippet }) => {
        const viewed = tracker.currentWidget?.content.model;
        const origin = viewed && origins.get(viewed);
        if (origin && viewed.details.status === 'loaded') {
          return insertInNotebook(
            selectionOf(viewed.details.value, origin),
            workspace,
            typeof snippet === 'string' ? { snippet } : {}
          );
        }
        return undefined;
      },
      describedBy: { args: INSERT_ARGS }
    });

    // What is dropped on the dock, beside documents.
    workspace.viewerOf = selection => {
      const args = argsOfSelection(selection);
      return args && make(args);
    };

    model.watch.changed.connect((_, labels) => {
      tracker.forEach(({ content }) => {
        const { key, graph } = content.model;
        if (labels.includes(key.label)) {
          if (key.kind === 'personal') {
            content.model.refresh();
          } else {
            // What was made from it may be more now.
            graph.refresh();
          }
        }
      });
    });

    palette?.addItem({ command: OPEN, category: 'Butler' });
    palette?.addItem({ command: INSERT, category: 'Butler' });
    void restorer?.restore(tracker, {
      command: OPEN,
      args: ({ content }) => ({ ...origins.get(content.model) }),
      name: ({ id }) => id
    });
  }
};

function widgetId({ kind, label, id }: IDatasetKey): string {
  return `python-butler-dataset-${kind}-${label}-${id}`;
}

/** The required dimensions of a data ID. */
function requiredOf({
  data_id,
  dataset_type
}: DatasetDetails): IDatasetSelection['datasets'][number]['data_id'] {
  return Object.fromEntries(
    Object.entries(data_id).filter(([name]) => dataset_type.dimensions.includes(name))
  );
}

function argsOf(args: ReadonlyPartialJSONObject): IOpenArgs | null {
  const { kind, label, id, collection } = args;
  if ((kind !== 'official' && kind !== 'personal') || typeof label !== 'string' || typeof id !== 'string') {
    return null;
  }
  const found = collection as IOpenArgs['collection'] | undefined;
  return { kind, label, id, collection: found && typeof found === 'object' ? found : null };
}

function argsOfSelection(selection: IDatasetSelection | null): IOpenArgs | null {
  const dataset = selection?.datasets[0];
  if (!selection || !dataset) {
    return null;
  }
  const { repository, collection } = selection;
  return {
    kind: repository.kind,
    label: repository.label,
    id: dataset.id,
    collection: { name: collection.name, type: collection.type }
  };
}

/** A repository that the panel has not listed yet. */
function unseen(kind: Repository['kind'], label: string): Repository {
  return {
    kind,
    label,
    state: 'connected',
    error: null,
    location: '',
    default_collections: [],
    writeable: false
  };
}

const OPEN_ARGS = {
  type: 'object',
  properties: {
    kind: { type: 'string', enum: ['official', 'personal'], description: 'Whose repository it is in.' },
    label: { type: 'string', description: 'Label of the repository.' },
    id: { type: 'string', description: 'Identifier of the dataset; without it, the chosen one is opened.' },
    collection: { type: 'object', description: 'Name and type of the collection it was found in.' },
    tab: { type: 'string', description: 'Which of its tabs to show, such as provenance.' }
  }
} as const;

const INSERT_ARGS = {
  type: 'object',
  properties: {
    snippet: { type: 'string', description: 'Identifier of the way to insert; the usual one if not given.' },
    label: { type: 'string', description: 'The words in a menu.' }
  }
} as const;
