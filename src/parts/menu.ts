import { MenuSvg } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

/** One way of writing datasets as code. */
export interface ISnippetChoice {
  readonly id: string;
  readonly label: string;
  readonly group?: string;
}

/**
 * A menu of the ways to write datasets as code, those of one group together under its heading.
 *
 * @param command - What is executed, with `snippet` and `label` of what was chosen.
 */
export function snippetMenu(
  commands: CommandRegistry,
  command: string,
  choices: readonly ISnippetChoice[]
): MenuSvg {
  const menu = new MenuSvg({ commands });
  const groups = new Map<string, MenuSvg>();
  for (const { id, label, group } of choices) {
    let place = menu;
    if (group !== undefined) {
      let submenu = groups.get(group);
      if (!submenu) {
        submenu = new MenuSvg({ commands });
        submenu.title.label = group;
        groups.set(group, submenu);
        menu.addItem({ type: 'submenu', submenu });
      }
      place = submenu;
    }
    place.addItem({ command, args: { snippet: id, label } });
  }
  return menu;
}
