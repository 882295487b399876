/**
 * The plugin that leads to things in the panel: links, the command for other rooms, and remembered places.
 */

import { IRouter, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette, Notification } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { JSONValue } from '@lumino/coreutils';
import { Debouncer } from '@lumino/polling';

import { type Places, viewOf } from '../model';
import { addShowCommands, CommandIDs, ShowCommandIDs, showOrTell } from '../panel';
import { IButler } from '../tokens';
import { trans } from '../trans';
import { addressOf, viewAt } from './address';

/** Milliseconds after which what changed is saved. */
const PAUSE = 1000;

export const browsePlugin: JupyterFrontEndPlugin<void> = {
  id: 'python-butler:places',
  description: 'Links to what the Butler panel shows, and a person’s favourite and recent places in it.',
  autoStart: true,
  requires: [IButler],
  optional: [IRouter, ICommandPalette, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    { model }: IButler,
    router: IRouter | null,
    palette: ICommandPalette | null,
    settingRegistry: ISettingRegistry | null
  ): void => {
    const { commands } = app;
    const openPanel = (): void => void commands.execute(CommandIDs.openPanel);
    const tell = (message: string): void => void Notification.warning(message, { autoClose: 10_000 });

    addShowCommands(commands, model, {
      openPanel,
      tell,
      copyLink: view => {
        Clipboard.copyToSystem(addressOf(view));
        Notification.success(trans.__('The link is on the clipboard.'), { autoClose: 3_000 });
      },
      rowOfMenu: () =>
        app.contextMenuHitTest(node => 'id' in node.dataset && node.matches('.pb-TreeRow'))?.dataset.id ??
        null
    });
    for (const command of [
      ShowCommandIDs.copyLink,
      ShowCommandIDs.toggleFavourite,
      ShowCommandIDs.forgetRecent
    ]) {
      palette?.addItem({ command, category: trans.__('Butler') });
    }

    // A citation in this JupyterLab needs no further tab of the browser.
    document.addEventListener(
      'click',
      event => {
        const link = event.target instanceof Element ? event.target.closest('a[href*="butler="]') : null;
        const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
        const view = link instanceof HTMLAnchorElement && isPlain ? viewAt(link.href) : null;
        if (view) {
          event.preventDefault();
          event.stopPropagation();
          openPanel();
          void showOrTell(model, view, tell);
        }
      },
      true
    );

    if (settingRegistry) {
      void keepPlaces(model.places, settingRegistry).catch(() => undefined);
    }

    const text = router ? URLExt.queryStringToObject(router.current.search ?? '').butler : undefined;
    if (router && text !== undefined) {
      void app.restored.then(() => {
        // Once only: who reloads the page wants to be where he is then.
        const { path, hash } = router.current;
        const query = URLExt.queryStringToObject(router.current.search ?? '');
        delete query.butler;
        router.navigate(`${path}${URLExt.objectToQueryString(query)}${hash}`, { skipRouting: true });
        const view = viewOf(text);
        if (view === null) {
          tell(trans.__('The link to the Butler panel cannot be read.'));
          return;
        }
        openPanel();
        void showOrTell(model, view, tell);
      });
    }
  }
};

/**
 * Keep a person's places in the settings, which are the person's in every workspace and every browser; the
 * state database belongs to one workspace.
 */
async function keepPlaces(places: Places, settingRegistry: ISettingRegistry): Promise<void> {
  const settings = await settingRegistry.load(browsePlugin.id);
  const apply = (): void =>
    places.restore(settings.get('favourites').composite, settings.get('recent').composite);
  const save = async (): Promise<void> => {
    const kept: Readonly<Record<string, unknown>> = { favourites: places.favourites, recent: places.recent };
    for (const [key, value] of Object.entries(kept)) {
      if (JSON.stringify(settings.get(key).composite) !== JSON.stringify(value)) {
        await settings.set(key, value as JSONValue);
      }
    }
  };
  const saver = new Debouncer(save, PAUSE);
  apply();
  places.changed.connect(() => void saver.invoke().catch(() => undefined));
  settings.changed.connect(() => {
    const favourites = settings.get('favourites').composite;
    // Our own change comes back too; only another's is news.
    if (JSON.stringify(favourites) !== JSON.stringify(places.favourites)) {
      places.restore(favourites, places.recent);
    }
  });
}
