/**
 * Letting a person choose, where something was dropped, in which form it is inserted.
 */

import { CommandRegistry } from '@lumino/commands';

import { snippetMenu } from '../parts';
import type { ISnippet } from './snippets';

const CHOOSE = 'choose';

/**
 * Open a menu at a point of the page.
 *
 * @returns the identifier of the chosen snippet, or null if the menu was closed without a choice.
 */
export function chooseSnippet(
  snippets: readonly ISnippet[],
  point: { readonly x: number; readonly y: number }
): Promise<string | null> {
  return new Promise(resolve => {
    // A registry of its own: this is an answer to a question, not a command for the palette.
    const commands = new CommandRegistry();
    commands.addCommand(CHOOSE, {
      label: ({ label }) => label as string,
      execute: ({ snippet }) => resolve(snippet as string)
    });
    const menu = snippetMenu(commands, CHOOSE, snippets);
    menu.aboutToClose.connect(() => {
      // The menu closes before it executes what was chosen.
      setTimeout(() => {
        resolve(null);
        menu.dispose();
      });
    });
    menu.open(point.x, point.y);
  });
}
