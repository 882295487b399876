import { refreshIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Menu } from '@lumino/widgets';

import type { ButlerModel, IDatasetSelection } from '../model';
import type { ISnippetChoice } from './actions';
import { butlerIcon } from './icons';

/** Identifiers of the panel's commands. */
export const CommandIDs = {
  openPanel: 'python-butler:open-panel',
  refresh: 'python-butler:refresh',
  retry: 'python-butler:retry',
  cancel: 'python-butler:cancel',
  insert: 'python-butler:insert-in-notebook',
  copyCode: 'python-butler:copy-code',
  copyReference: 'python-butler:copy-reference'
} as const;

/** What the commands have done by others. */
export interface ICommandTargets {
  openPanel(): void;
  insert(selection: IDatasetSelection, snippet?: string): Promise<unknown>;
  copyCode(selection: IDatasetSelection): void;
  copyReference(selection: IDatasetSelection): void;
}

/** Make every action of the panel a command, so that the palette, menus and shortcuts reach it. */
export function addCommands(commands: CommandRegistry, model: ButlerModel, targets: ICommandTargets): void {
  const aboutSelection = (
    id: string,
    label: string,
    execute: (selection: IDatasetSelection, args: ReadonlyPartialJSONObject) => unknown
  ): void => {
    commands.addCommand(id, {
      label: args => (typeof args.label === 'string' ? args.label : label),
      isEnabled: () => model.datasets.selection !== null,
      execute: args => {
        const { selection } = model.datasets;
        return selection ? execute(selection, args) : undefined;
      },
      describedBy: { args: INSERT_ARGS }
    });
  };

  commands.addCommand(CommandIDs.openPanel, {
    label: 'Show Butler panel',
    icon: butlerIcon,
    execute: () => targets.openPanel(),
    describedBy: { args: NO_ARGS }
  });
  commands.addCommand(CommandIDs.refresh, {
    label: 'Refresh Butler panel',
    icon: refreshIcon,
    execute: () => model.refresh(),
    describedBy: { args: NO_ARGS }
  });
  commands.addCommand(CommandIDs.retry, {
    label: 'Retry what the Butler panel could not load',
    execute: () => model.retry(),
    describedBy: { args: NO_ARGS }
  });
  commands.addCommand(CommandIDs.cancel, {
    label: 'Stop what the Butler panel is loading',
    execute: () => model.cancel(),
    describedBy: { args: NO_ARGS }
  });
  aboutSelection(CommandIDs.insert, 'Insert in notebook', (selection, { snippet }) =>
    targets.insert(selection, typeof snippet === 'string' ? snippet : undefined)
  );
  aboutSelection(CommandIDs.copyCode, 'Copy code', selection => targets.copyCode(selection));
  aboutSelection(CommandIDs.copyReference, 'Copy reference', selection => targets.copyReference(selection));
}

/** A menu of the ways to insert, those of one group together under its heading. */
export function insertMenu(commands: CommandRegistry, choices: readonly ISnippetChoice[]): Menu {
  const menu = new Menu({ commands });
  const groups = new Map<string, Menu>();
  for (const { id, label, group } of choices) {
    let place = menu;
    if (group !== undefined) {
      let submenu = groups.get(group);
      if (!submenu) {
        submenu = new Menu({ commands });
        submenu.title.label = group;
        groups.set(group, submenu);
        menu.addItem({ type: 'submenu', submenu });
      }
      place = submenu;
    }
    place.addItem({ command: CommandIDs.insert, args: { snippet: id, label } });
  }
  return menu;
}

const NO_ARGS = { type: 'object', properties: {} } as const;

const INSERT_ARGS = {
  type: 'object',
  properties: {
    snippet: { type: 'string', description: 'Identifier of the way to insert; the usual one if not given.' },
    label: { type: 'string', description: 'The words in a menu.' }
  }
} as const;
