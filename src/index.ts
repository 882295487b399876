/**
 * Plugins, and nothing else: what JupyterLab starts, and how the rooms are wired together.
 */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Panel } from '@lumino/widgets';

import { butlerIcon } from './panel/icons';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'python-butler:plugin',
  description: 'A sidebar that browses Butler repositories.',
  autoStart: true,
  activate: (app: JupyterFrontEnd): void => {
    const panel = new Panel();
    panel.id = 'python-butler';
    panel.addClass('pb-Panel');
    panel.title.icon = butlerIcon;
    panel.title.caption = 'Butler';
    app.shell.add(panel, 'left', { rank: 350, type: 'Butler' });
  }
};

export default plugin;
