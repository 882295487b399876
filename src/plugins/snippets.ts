/**
 * The plugin of snippets that are not our own.
 */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { readTemplates, SnippetRegistry } from '../insert';
import { ISnippetRegistry } from '../tokens';

/** Where the settings are: with those of the panel. */
const SETTINGS = 'python-butler:plugin';

/** Takes snippets from other extensions, and reads those of the settings. */
export const snippetsPlugin: JupyterFrontEndPlugin<ISnippetRegistry> = {
  id: 'python-butler:snippets',
  description: 'Takes further ways of writing Butler datasets as code, from settings and other extensions.',
  autoStart: true,
  optional: [ISettingRegistry],
  provides: ISnippetRegistry,
  activate: (app: JupyterFrontEnd, settingRegistry: ISettingRegistry | null): ISnippetRegistry => {
    const registry = new SnippetRegistry();
    let told = '';
    settingRegistry
      ?.load(SETTINGS)
      .then(settings => {
        const apply = (): void => {
          const { snippets, problems } = readTemplates(settings.get('snippets').composite);
          registry.personal = snippets;
          // The settings editor saves while one types: the same complaint comes once.
          const text = problems.join('\n');
          if (text !== told && text !== '') {
            // Before the page is restored nobody shows notifications.
            void app.restored.then(() => Notification.warning(text, { autoClose: 15_000 }));
          }
          told = text;
        };
        settings.changed.connect(apply);
        apply();
      })
      // Without settings there are no personal snippets.
      .catch(() => undefined);
    return registry;
  }
};
