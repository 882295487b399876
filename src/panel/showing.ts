import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { type ButlerModel, filterFrom, type IPlace, type IView } from '../model';
import { trans } from '../trans';
import { placeIn } from './tree';

/** Identifiers of the commands that show something in the panel, or tell others how to. */
export const ShowCommandIDs = {
  show: 'python-butler:show-in-panel',
  copyLink: 'python-butler:copy-link',
  toggleFavourite: 'python-butler:toggle-favourite',
  forgetRecent: 'python-butler:forget-recent'
} as const;

/** What these commands have done by others. */
export interface IShowTargets {
  openPanel(): void;
  copyLink(view: IView): void;
  /** The row of the tree below the pointer when its menu was opened, or null. */
  rowOfMenu(): string | null;
  /** Tell a person why something could not be shown. */
  tell(message: string): void;
}

/** Make what is shown a command, so that other rooms, menus and links reach it. */
export function addShowCommands(commands: CommandRegistry, model: ButlerModel, targets: IShowTargets): void {
  commands.addCommand(ShowCommandIDs.show, {
    label: trans.__('Show in Butler panel'),
    isEnabled: args => viewFrom(args) !== null,
    execute: async args => {
      const view = viewFrom(args);
      if (view) {
        targets.openPanel();
        await showOrTell(model, view, targets.tell);
      }
    },
    describedBy: { args: VIEW_ARGS }
  });
  commands.addCommand(ShowCommandIDs.copyLink, {
    label: trans.__('Copy link to this view'),
    caption: trans.__('An address that opens JupyterLab with what the panel shows now'),
    isEnabled: () => model.view !== null,
    execute: () => {
      const { view } = model;
      if (view) {
        targets.copyLink(view);
      }
    },
    describedBy: { args: NO_ARGS }
  });
  const placeOfMenu = (): IPlace | null => {
    const id = targets.rowOfMenu() ?? model.tree.view.active;
    const row = id === null ? undefined : model.tree.rows.at(model.tree.rows.indexOf(id));
    return row ? placeIn(row) : null;
  };
  commands.addCommand(ShowCommandIDs.toggleFavourite, {
    label: () => {
      const place = placeOfMenu();
      return place && model.places.isStarred(place)
        ? trans.__('Remove from favourites')
        : trans.__('Add to favourites');
    },
    isEnabled: () => placeOfMenu() !== null,
    // A menu's selector cannot name several kinds of rows.
    isVisible: () => placeOfMenu() !== null,
    execute: () => {
      const place = placeOfMenu();
      if (place) {
        model.places.toggle(place);
      }
    },
    describedBy: { args: NO_ARGS }
  });
  commands.addCommand(ShowCommandIDs.forgetRecent, {
    label: trans.__('Forget what was opened in the Butler panel'),
    isEnabled: () => model.places.recent.length > 0,
    execute: () => model.places.forgetRecent(),
    describedBy: { args: NO_ARGS }
  });
}

/** Show something, or say why that is not possible. */
export async function showOrTell(
  model: ButlerModel,
  view: IView,
  tell: (message: string) => void
): Promise<void> {
  try {
    await model.show(view, { focus: true });
  } catch (reason) {
    tell(reason instanceof Error ? reason.message : String(reason));
  }
}

/** What the arguments of the command name, or null if they name nothing. */
function viewFrom(args: ReadonlyPartialJSONObject): IView | null {
  const { kind, label, collection, datasetType, id, filter } = args;
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const name = text(label);
  if ((kind !== 'official' && kind !== 'personal') || name === undefined) {
    return null;
  }
  const dataset = text(id);
  return {
    kind,
    label: name,
    collection: text(collection),
    datasetType: text(datasetType),
    filter: filterFrom(filter),
    ids: dataset === undefined ? [] : [dataset]
  };
}

const NO_ARGS = { type: 'object', properties: {} } as const;

const VIEW_ARGS = {
  type: 'object',
  required: ['kind', 'label'],
  properties: {
    kind: { type: 'string', enum: ['official', 'personal'], description: 'Whose repository it is.' },
    label: { type: 'string', description: 'Label of the repository.' },
    collection: { type: 'string', description: 'Name of a collection.' },
    datasetType: { type: 'string', description: 'Name of a dataset type in the collection.' },
    filter: { type: 'object', description: 'What narrows the list, as the server has it.' },
    id: { type: 'string', description: 'Identifier of a dataset, which tells the rest.' }
  }
} as const;
