/**
 * Where documents go: into the main area, or below the one document that Notebook 7 has room for.
 */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Widget } from '@lumino/widgets';

/** Show a document in front, wherever this application has room for it. */
export function showDocument(
  shell: JupyterFrontEnd.IShell,
  widget: Widget,
  options: { readonly mode?: 'split-bottom' } = {}
): void {
  if (!widget.isAttached) {
    shell.add(widget, 'main', { ...options, type: 'Butler' });
    // Notebook 7 takes no second document, and says nothing.
    if (widget.parent === null) {
      // Where it would be given no height.
      widget.addClass('pb-mod-below');
      shell.add(widget, 'down', { type: 'Butler' });
    }
  }
  shell.activateById(widget.id);
}
