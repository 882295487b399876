/**
 * What a person reads of jobs: one place for the words of each action, state and result.
 */

import type { Job, JobAction, JobPhase, JobPlan, JobProgress, JobResultStatus } from '../api';
import { exactNumber, shortSize } from '../model';
import { trans } from '../trans';

/** Name of the action in a menu; the three dots say that it asks before. */
export function menuLabel(action: JobAction): string {
  switch (action) {
    case 'reference':
      return trans.__('Reference in my repository …');
    case 'pin':
      return trans.__('Pin: keep a copy …');
    case 'prefetch':
      return trans.__('Prefetch files into the cache …');
    case 'unpin':
      return trans.__('Unpin: remove the copy …');
    case 'forget':
      return trans.__('Forget the reference …');
    case 'retire':
      return trans.__('Retire version …');
    case 'prune':
      return trans.__('Prune old datasets of mine …');
  }
}

/** The same for all that was found. */
export function menuLabelForAll(action: JobAction): string {
  switch (action) {
    case 'reference':
      return trans.__('Reference all found …');
    case 'pin':
      return trans.__('Pin all found …');
    case 'prefetch':
      return trans.__('Prefetch all found …');
    case 'unpin':
      return trans.__('Unpin all found …');
    case 'forget':
      return trans.__('Forget all found …');
    default:
      return menuLabel(action);
  }
}

/** Name of the action as the title of a dialog. */
export function titleOf(action: JobAction): string {
  switch (action) {
    case 'reference':
      return trans.__('Reference datasets');
    case 'pin':
      return trans.__('Pin datasets');
    case 'prefetch':
      return trans.__('Prefetch files');
    case 'unpin':
      return trans.__('Unpin datasets');
    case 'forget':
      return trans.__('Forget references');
    case 'retire':
      return trans.__('Retire versions');
    case 'prune':
      return trans.__('Prune datasets');
  }
}

/** What the action means, in a sentence or two. */
export function meaningOf(action: JobAction, label: string, purge: boolean): string {
  switch (action) {
    case 'reference':
      return trans.__(
        'They become part of your personal repository of %1. No file is copied: each is read from the official server when it is needed.',
        label
      );
    case 'pin':
      return trans.__(
        'Their files are copied into your personal repository of %1, so that they are read without any server.',
        label
      );
    case 'prefetch':
      return trans.__(
        'Their files are fetched into the cache that your kernels share. It is bounded: what is not used makes room.'
      );
    case 'unpin':
      return trans.__(
        'Their copies are removed from your personal repository of %1; they stay in it by reference.',
        label
      );
    case 'forget':
      return trans.__(
        'The references are taken out of your personal repository of %1. Nothing official is changed, and they can be referenced again.',
        label
      );
    case 'retire':
      return purge
        ? trans.__('These versions are deleted for good. Nothing brings them back.')
        : trans.__(
            'Searches and load() find these versions no longer. They keep their numbers, and can be loaded by them.'
          );
    case 'prune':
      return trans.__(
        'Old datasets of your own are removed with their files. References and official datasets are not touched.'
      );
  }
}

/** The button that begins it. */
export function acceptLabel(plan: JobPlan): string {
  const { action } = plan;
  switch (action) {
    case 'reference':
      return trans._n('Reference %1 dataset', 'Reference %1 datasets', plan.new);
    case 'pin':
      return trans._n('Pin %1 dataset', 'Pin %1 datasets', plan.new);
    case 'prefetch':
      return trans._n('Prefetch %1 dataset', 'Prefetch %1 datasets', plan.new);
    case 'unpin':
      return trans._n('Unpin %1 dataset', 'Unpin %1 datasets', plan.new);
    case 'forget':
      return trans._n('Forget %1 reference', 'Forget %1 references', plan.new);
    case 'retire':
      return plan.irreversible
        ? trans._n('Delete %1 version', 'Delete %1 versions', plan.new)
        : trans._n('Retire %1 version', 'Retire %1 versions', plan.new);
    case 'prune':
      return trans._n('Remove %1 dataset', 'Remove %1 datasets', plan.new);
  }
}

/** What a plan would do, in one line. */
export function planLine(plan: JobPlan): string {
  const size = shortSize(plan.bytes);
  const count = exactNumber(plan.new);
  switch (plan.action) {
    case 'retire':
      return trans._n(
        '%1 version, with %2 datasets of %3.',
        '%1 versions, with %2 datasets of %3.',
        plan.new,
        exactNumber(plan.datasets),
        size
      );
    case 'reference':
      return trans._n(
        '%1 dataset, whose files on the official server have %2.',
        '%1 datasets, whose files on the official server have %2.',
        plan.new,
        size
      );
    default:
      return plan.new === 1 ? trans.__('1 dataset, %1.', size) : trans.__('%1 datasets, %2.', count, size);
  }
}

/** Why there is nothing to do. */
export function nothingLine(plan: JobPlan): string {
  if (plan.there > 0 && plan.there === plan.datasets) {
    return trans._n(
      'Nothing is to be done: the dataset is so already.',
      'Nothing is to be done: all %1 datasets are so already.',
      plan.there
    );
  }
  return trans.__('There is nothing to be done.');
}

/** How many are as they should be without doing anything. */
export function thereLine(action: JobAction, count: number): string {
  switch (action) {
    case 'reference':
      return trans._n('%1 is in it already.', '%1 are in it already.', count);
    case 'pin':
      return trans._n('%1 has its file in it already.', '%1 have their files in it already.', count);
    case 'prefetch':
      return trans._n('%1 is at hand already.', '%1 are at hand already.', count);
    case 'unpin':
      return trans._n('%1 is a reference already.', '%1 are references already.', count);
    case 'retire':
      return trans._n('%1 is retired already.', '%1 are retired already.', count);
    default:
      return trans._n('%1 needs nothing.', '%1 need nothing.', count);
  }
}

/** The name of a job in a list. */
export function jobName(job: Job): string {
  const what = job.dataset_type ?? job.label;
  switch (job.action) {
    case 'reference':
      return trans.__('Reference %1', what);
    case 'pin':
      return trans.__('Pin %1', what);
    case 'prefetch':
      return trans.__('Prefetch %1', what);
    case 'unpin':
      return trans.__('Unpin %1', what);
    case 'forget':
      return trans.__('Forget %1', what);
    case 'retire':
      return trans.__('Retire versions in my %1', what);
    case 'prune':
      return trans.__('Prune my %1', what);
  }
}

/** What a running job is doing. */
export function phaseWords(phase: JobPhase): string {
  switch (phase) {
    case 'starting':
      return trans.__('Starting');
    case 'finding':
      return trans.__('Finding the datasets');
    case 'creating':
      return trans.__('Creating your personal repository');
    case 'looking':
      return trans.__('Finding out how much there is');
    case 'referencing':
      return trans.__('Referencing');
    case 'copying':
      return trans.__('Copying files');
    case 'fetching':
      return trans.__('Fetching files');
    case 'removing':
      return trans.__('Removing');
    case 'checking':
      return trans.__('Looking what became of them');
  }
}

/** How far it is, with an estimate where there is one. */
export function progressLine(progress: JobProgress): string {
  const { phase, done, total, seconds_left: left } = progress;
  const parts = [phaseWords(phase)];
  if (total !== null && total > 0) {
    parts.push(trans.__('%1 of %2', exactNumber(done), exactNumber(total)));
  } else if (done > 0) {
    parts.push(exactNumber(done));
  }
  if (left !== null && done > 0 && left >= 1) {
    parts.push(trans.__('about %1 left', duration(left)));
  }
  return parts.join(' · ');
}

/** A time as a person says it: `12 s`, `3 min`, `1 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 99.5) {
    return trans.__('%1 s', Math.round(seconds));
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 60
    ? trans.__('%1 min', minutes)
    : trans.__('%1 h %2 min', Math.floor(minutes / 60), minutes % 60);
}

/** What became of one dataset. */
export function resultWord(action: JobAction, status: JobResultStatus): string {
  switch (status) {
    case 'done':
      return DONE[action]();
    case 'there':
      return trans.__('already there');
    case 'missing':
      return trans.__('missing');
    case 'refused':
      return trans.__('refused');
    case 'left':
      return trans.__('not done');
  }
}

const DONE: Readonly<Record<JobAction, () => string>> = {
  reference: () => trans.__('referenced'),
  pin: () => trans.__('pinned'),
  prefetch: () => trans.__('fetched'),
  unpin: () => trans.__('unpinned'),
  forget: () => trans.__('forgotten'),
  retire: () => trans.__('retired'),
  prune: () => trans.__('removed')
};

/** The order in which results are counted up. */
export const STATUSES: readonly JobResultStatus[] = ['done', 'there', 'missing', 'refused', 'left'];

/** What became of the datasets of a job: `12 referenced, 3 already there`. */
export function countsLine(job: Job): string {
  const parts = STATUSES.filter(status => (job.counts[status] ?? 0) > 0).map(status =>
    trans.__('%1 %2', exactNumber(job.counts[status] ?? 0), resultWord(job.action, status))
  );
  const size = job.bytes > 0 ? ` · ${shortSize(job.bytes)}` : '';
  return parts.length > 0 ? parts.join(', ') + size : '';
}

/** How a job stands, in one line. */
export function jobLine(job: Job): string {
  const counts = countsLine(job);
  switch (job.state) {
    case 'waiting':
      return job.ahead > 0
        ? trans._n('Waits for %1 other job', 'Waits for %1 other jobs', job.ahead)
        : trans.__('Waits');
    case 'running':
      return job.progress === null ? trans.__('Starting') : progressLine(job.progress);
    case 'stopping':
      return trans.__('Stopping …');
    case 'done':
      return counts || trans.__('There was nothing to be done.');
    case 'stopped':
      return counts ? trans.__('Stopped: %1', counts) : trans.__('Stopped');
    case 'failed':
      return counts ? trans.__('Failed: %1', counts) : trans.__('Failed');
    case 'interrupted':
      return trans.__('Interrupted: the Butler service ended before it. What was done stays.');
  }
}

/** Whether nothing more happens by itself. */
export function hasEnded({ state }: Job): boolean {
  return state === 'done' || state === 'stopped' || state === 'failed' || state === 'interrupted';
}
