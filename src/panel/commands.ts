import { refreshIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { ButlerModel, IDatasetSelection } from '../model';
import { butlerIcon, type ISnippetChoice, snippetMenu } from '../parts';
import { trans } from '../trans';
import { returnFocus } from './keys';

/** Identifiers of the panel's commands. */
export const CommandIDs = {
  openPanel: 'python-butler:open-panel',
  refresh: 'python-butler:refresh',
  retry: 'python-butler:retry',
  cancel: 'python-butler:cancel',
  insert: 'python-butler:insert-in-notebook',
  insertAs: 'python-butler:insert-as',
  copyCode: 'python-butler:copy-code',
  copyReference: 'python-butler:copy-reference'
} as const;

/** What the commands have done by others. */
export interface ICommandTargets {
  openPanel(): void;
  insert(selection: IDatasetSelection, snippet?: string): Promise<unknown>;
  /** Let a person choose in which form to insert. */
  insertAs(selection: IDatasetSelection): void;
  copyCode(selection: IDatasetSelection): void;
  copyReference(selection: IDatasetSelection): void;
}

/** Make every action of the panel a command, so that the palette, menus and shortcuts reach it. */
export function addCommands(commands: CommandRegistry, model: ButlerModel, targets: ICommandTargets): void {
  const aboutSelection = (
    id: string,
    label: () => string,
    execute: (selection: IDatasetSelection, args: ReadonlyPartialJSONObject) => unknown
  ): void => {
    commands.addCommand(id, {
      label: args => (typeof args.label === 'string' ? args.label : label()),
      isEnabled: () => model.datasets.selection !== null,
      execute: args => {
        const { selection } = model.datasets;
        return selection ? execute(selection, args) : undefined;
      },
      describedBy: { args: INSERT_ARGS }
    });
  };

  commands.addCommand(CommandIDs.openPanel, {
    label: () => trans.__('Show Butler panel'),
    icon: butlerIcon,
    execute: () => targets.openPanel(),
    describedBy: { args: NO_ARGS }
  });
  commands.addCommand(CommandIDs.refresh, {
    label: () => trans.__('Refresh Butler panel'),
    icon: refreshIcon,
    execute: () => model.refresh(),
    describedBy: { args: NO_ARGS }
  });
  commands.addCommand(CommandIDs.retry, {
    label: () => trans.__('Retry what the Butler panel could not load'),
    execute: () => model.retry(),
    describedBy: { args: NO_ARGS }
  });
  commands.addCommand(CommandIDs.cancel, {
    label: () => trans.__('Stop what the Butler panel is loading'),
    execute: () => model.cancel(),
    describedBy: { args: NO_ARGS }
  });
  aboutSelection(
    CommandIDs.insert,
    () => trans.__('Insert in notebook'),
    (selection, { snippet }) => targets.insert(selection, typeof snippet === 'string' ? snippet : undefined)
  );
  aboutSelection(
    CommandIDs.insertAs,
    () => trans.__('Insert as …'),
    selection => targets.insertAs(selection)
  );
  aboutSelection(
    CommandIDs.copyCode,
    () => trans.__('Copy code'),
    selection => targets.copyCode(selection)
  );
  aboutSelection(
    CommandIDs.copyReference,
    () => trans.__('Copy reference'),
    selection => targets.copyReference(selection)
  );
}

/** Open a menu of the ways to insert below an element; by default the chosen datasets. */
export function openInsertMenu(
  commands: CommandRegistry,
  choices: readonly ISnippetChoice[],
  anchor: Element,
  command: string = CommandIDs.insert
): void {
  const { left, bottom } = anchor.getBoundingClientRect();
  snippetMenu(commands, command, choices).open(left, bottom);
  returnFocus(anchor);
}

const NO_ARGS = { type: 'object', properties: {} } as const;

const INSERT_ARGS = {
  type: 'object',
  properties: {
    snippet: { type: 'string', description: 'Identifier of the way to insert; the usual one if not given.' },
    label: { type: 'string', description: 'The words in a menu.' }
  }
} as const;
