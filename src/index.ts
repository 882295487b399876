/**
 * The plugins that JupyterLab starts. Each has a file of its own in `plugins/`, which wires rooms together.
 */

import { browsePlugin } from './plugins/browse';
import { completePlugin } from './plugins/complete';
import { notebookPlugin } from './plugins/notebook';
import { jobsPlugin } from './plugins/jobs';
import { panelPlugin } from './plugins/panel';
import { runsPlugin } from './plugins/runs';
import { skyPlugin } from './plugins/sky';
import { snippetsPlugin } from './plugins/snippets';
import { viewerPlugin } from './plugins/viewer';

export { IButler, ISnippetRegistry } from './tokens';

export default [
  browsePlugin,
  completePlugin,
  notebookPlugin,
  panelPlugin,
  skyPlugin,
  snippetsPlugin,
  viewerPlugin,
  jobsPlugin,
  runsPlugin
];
