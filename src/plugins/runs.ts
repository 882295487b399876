/**
 * The plugin of runs: pipelines with their progress below the jobs, their reports and logs as documents.
 */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, ICommandPalette, type MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { SidePanel } from '@jupyterlab/ui-components';
import type { PanelLayout } from '@lumino/widgets';

import { type IRunKey, type PipelineRun, type RunFailure, RunsClient } from '../api';
import { butlerIcon } from '../parts';
import { Followed, RunsStrip } from '../runs';
import type { ReportView } from '../runs/report';
import { IButler, IChanges } from '../tokens';
import { trans } from '../trans';
import { showDocument } from './documents';

const SHOW_RUNS = 'python-butler:show-runs';
const OPEN_REPORT = 'python-butler:open-run-report';
const SHOW_IN_PANEL = 'python-butler:show-in-panel';

/** Runs of pipelines in the panel, and their reports. */
export const runsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'python-butler:runs',
  description: 'Shows runs of pipelines, how far they are and what failed.',
  autoStart: true,
  requires: [IButler, IChanges],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    butler: IButler,
    changes: IChanges,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): void => {
    const { commands, shell } = app;
    const client = new RunsClient(butler.transport);
    const runs = new Followed(signal => client.list(signal));
    const tracker = new WidgetTracker<MainAreaWidget<ReportView>>({ namespace: 'python-butler-runs' });
    const copyText = (text: string): void => Clipboard.copyToSystem(text);

    const showOutputs = ({ label, output_run: collection }: PipelineRun): void =>
      void commands.execute(SHOW_IN_PANEL, { kind: 'personal', label, collection });

    const showLog = async (key: IRunKey, failure: RunFailure): Promise<void> => {
      const { logId, logWidget } = await import('../runs/log');
      const id = logId(failure.quantum);
      const shown = [...shell.widgets('main'), ...shell.widgets('down')].find(widget => widget.id === id);
      showDocument(shell, shown ?? logWidget(client, key, failure, butlerIcon, copyText));
    };

    const showReport = async (key: IRunKey): Promise<void> => {
      const { reportId, reportWidget } = await import('../runs/report');
      const shown = tracker.find(({ id }) => id === reportId(key));
      if (shown) {
        showDocument(shell, shown);
        return;
      }
      const actions = {
        showOutputs,
        showLog: (_: PipelineRun, failure: RunFailure) => void showLog(key, failure),
        copyText
      };
      const widget = reportWidget(client, key, actions, butlerIcon);
      const { model } = widget.content;
      const doubt = (): void => model.doubt();
      changes.runsChanged.connect(doubt);
      changes.follow(widget, true);
      widget.disposed.connect(() => {
        changes.runsChanged.disconnect(doubt);
        changes.follow(widget, false);
      });
      void tracker.add(widget);
      showDocument(shell, widget);
    };

    const strip = new RunsStrip(
      runs,
      { showReport: ({ label, id }) => void commands.execute(OPEN_REPORT, { label, id }), showOutputs },
      seen => {
        runs.seen = seen;
        changes.follow(runs, seen);
      }
    );
    changes.runsChanged.connect(() => runs.doubt());
    const panel = [...shell.widgets('left')].find(({ id }) => id === 'python-butler');
    if (panel instanceof SidePanel) {
      // Below the jobs, with a height of its own.
      (panel.layout as PanelLayout).addWidget(strip);
    }

    commands.addCommand(SHOW_RUNS, {
      label: trans.__('Show Butler pipeline runs'),
      execute: () => {
        shell.activateById('python-butler');
        strip.reveal();
      },
      describedBy: { args: { type: 'object', properties: {} } }
    });
    commands.addCommand(OPEN_REPORT, {
      label: trans.__('Open report of a pipeline run'),
      execute: async ({ label, id }) => {
        if (typeof label === 'string' && typeof id === 'string') {
          await showReport({ label, id });
        }
      },
      describedBy: { args: REPORT_ARGS }
    });
    palette?.addItem({ command: SHOW_RUNS, category: 'Butler' });
    void restorer?.restore(tracker, {
      command: OPEN_REPORT,
      args: ({ content }) => ({ ...content.key }),
      name: ({ id }) => id
    });
  }
};

const REPORT_ARGS = {
  type: 'object',
  required: ['label', 'id'],
  properties: {
    label: { type: 'string', description: 'Label of the repository that the run writes to.' },
    id: { type: 'string', description: 'Identifier of the run, as in run.json in its directory.' }
  }
} as const;
