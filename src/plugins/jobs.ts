/**
 * The plugin of jobs: references, copies, prefetching, retiring and pruning, from the panel's menus.
 */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification, showErrorMessage } from '@jupyterlab/apputils';
import { SidePanel } from '@jupyterlab/ui-components';
import type { PanelLayout } from '@lumino/widgets';

import { type Job, JobsClient, reportOf } from '../api';
import {
  addJobCommands,
  ChangeFeed,
  HeldMarks,
  JobCommandIDs,
  jobLine,
  jobName,
  JobsModel,
  JobsStrip,
  PresenceMarks
} from '../jobs';
import { butlerIcon } from '../parts';
import { IButler, IChanges } from '../tokens';
import { trans } from '../trans';
import { showDocument } from './documents';

/** Jobs that took longer are told of when they end. */
const LONG = 5_000;

/** Jobs at the bottom of the panel, and what begins them. */
export const jobsPlugin: JupyterFrontEndPlugin<IChanges> = {
  id: 'python-butler:jobs',
  description: 'References, copies and prunes datasets of personal Butler repositories.',
  autoStart: true,
  requires: [IButler],
  optional: [ICommandPalette],
  provides: IChanges,
  activate: (app: JupyterFrontEnd, butler: IButler, palette: ICommandPalette | null): IChanges => {
    const { commands, shell } = app;
    const { model } = butler;
    const client = new JobsClient(butler.transport);
    const jobs = new JobsModel(client);
    const feed = new ChangeFeed(client, jobs, model.watch);
    const marks = new PresenceMarks(client);
    model.datasets.marks = marks;
    const held = new HeldMarks(client);
    model.tree.held = held;
    model.watch.changed.connect((_, labels) => {
      marks.forget(labels);
      held.forget(labels);
    });

    const followers = new Set<object>();
    const follow = (): void => {
      feed.wanted = !document.hidden && (followers.size > 0 || jobs.active);
    };
    const changes: IChanges = {
      runsChanged: feed.runsChanged,
      follow: (who, isFollowing) => {
        if (isFollowing) {
          followers.add(who);
        } else {
          followers.delete(who);
        }
        follow();
      }
    };
    document.addEventListener('visibilitychange', follow);
    jobs.stateChanged.connect(follow);

    const showResults = async (job: Job): Promise<void> => {
      const id = `python-butler-results-${job.id}`;
      const { resultsWidget } = await import('../jobs/results');
      const shown = [...shell.widgets('main'), ...shell.widgets('down')].find(widget => widget.id === id);
      showDocument(shell, shown ?? resultsWidget(client, job, butlerIcon));
    };
    const strip = new JobsStrip(jobs, { showResults: job => void showResults(job) }, seen =>
      changes.follow(jobs, seen)
    );
    const panel = [...shell.widgets('left')].find(({ id }) => id === 'python-butler');
    if (panel instanceof SidePanel) {
      // Below the sections, with a height of its own.
      (panel.layout as PanelLayout).addWidget(strip);
    }

    jobs.ended.connect((_, job) => {
      if (job.began !== null && Date.now() - Date.parse(job.began) > LONG) {
        tell(job, () => void showResults(job));
      }
    });

    const begin = async (ask: () => Promise<Parameters<JobsModel['start']>[0] | null>): Promise<void> => {
      try {
        const agreed = await ask();
        if (agreed) {
          await jobs.start(agreed);
          strip.reveal();
        }
      } catch (reason) {
        const { message, next_step: nextStep } = reportOf(reason);
        await showErrorMessage(trans.__('The job could not be begun'), `${message} ${nextStep}`);
      }
    };
    addJobCommands(commands, model, {
      begin: request => begin(async () => (await import('../jobs/confirm')).confirmJob(client, request)),
      prune: label => {
        const labels = model.tree.repositories
          .filter(({ kind, state }) => kind === 'personal' && state === 'connected')
          .map(each => each.label);
        const chosen = label ?? model.datasets.target?.repository.label;
        const first = labels.find(each => each === chosen) ?? labels[0];
        return begin(async () =>
          first === undefined ? null : (await import('../jobs/confirm')).confirmPrune(client, first, labels)
        );
      },
      rowOfMenu: () =>
        app.contextMenuHitTest(node => 'id' in node.dataset && node.matches('.pb-TreeRow'))?.dataset.id ??
        null,
      showJobs: () => {
        shell.activateById('python-butler');
        strip.reveal();
      }
    });
    Object.values(JobCommandIDs).forEach(command => palette?.addItem({ command, category: 'Butler' }));
    return changes;
  }
};

/** Say that a job has ended to somebody who may be elsewhere. */
function tell(job: Job, showResults: () => void): void {
  const isFine = job.state === 'done' && !job.counts.missing && !job.counts.refused;
  const kind = job.state === 'failed' ? 'error' : isFine ? 'success' : 'warning';
  const hasResults = Object.keys(job.counts).length > 0;
  Notification.emit(`${jobName(job)}: ${jobLine(job)}`, kind, {
    autoClose: isFine ? 8_000 : false,
    ...(hasResults ? { actions: [{ label: trans.__('Results'), callback: showResults }] } : {})
  });
}
