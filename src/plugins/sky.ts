/**
 * The plugin of the sky map.
 */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';

import { footprints } from '../api';
import { rested } from '../model';
import { butlerIcon } from '../parts';
import { loadSky, type SkyWidget } from '../sky';
import { IButler } from '../tokens';
import { trans } from '../trans';
import { showDocument } from './documents';

const SHOW_SKY = 'python-butler:show-sky';

/** The sky map, in the main area. */
export const skyPlugin: JupyterFrontEndPlugin<void> = {
  id: 'python-butler:sky',
  description: 'A map of where on the sky the datasets are that the Butler panel lists.',
  autoStart: true,
  requires: [IButler],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    { model, transport }: IButler,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): void => {
    const { commands, shell } = app;
    const tracker = new WidgetTracker<MainAreaWidget<SkyWidget>>({ namespace: 'python-butler-sky' });

    const make = async (): Promise<MainAreaWidget<SkyWidget>> => {
      const { SkyModel, SkyWidget } = await loadSky();
      const source = {
        footprints: (query: Parameters<typeof footprints>[1], signal: AbortSignal) =>
          footprints(transport, query, signal)
      };
      const content = new SkyWidget(new SkyModel(model, source), {
        open: () => {
          if (commands.hasCommand('python-butler:open-dataset')) {
            void commands.execute('python-butler:open-dataset');
          }
        },
        copyText: text => Clipboard.copyToSystem(text)
      });
      const widget = new MainAreaWidget({ content });
      widget.id = 'python-butler-sky';
      widget.title.label = trans.__('Sky');
      widget.title.caption = trans.__('Where the listed datasets are on the sky');
      widget.title.icon = butlerIcon;
      widget.title.closable = true;
      await tracker.add(widget);
      return widget;
    };

    let making: Promise<MainAreaWidget<SkyWidget>> | null = null;
    commands.addCommand(SHOW_SKY, {
      label: () => trans.__('Show datasets on the sky'),
      caption: () => trans.__('A map of the footprints of what the Butler panel lists'),
      icon: butlerIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        let widget = tracker.currentWidget;
        if (!widget || widget.isDisposed) {
          making ??= make().finally(() => (making = null));
          widget = await making;
          // Loading its code took a while; what JupyterLab does to show it takes another.
          await rested();
        }
        showDocument(shell, widget, { mode: 'split-bottom' });
      }
    });
    palette?.addItem({ command: SHOW_SKY, category: 'Butler' });
    if (restorer) {
      void restorer.restore(tracker, { command: SHOW_SKY, name: () => 'sky' });
    }
  }
};
