/**
 * What a person reads of runs: one place for the words of each state.
 */

import type { PipelineRun, TaskProgress } from '../api';
import { exactNumber } from '../model';
import { trans } from '../trans';

/** States that quanta can be in, in the order in which they are told. */
export const QUANTUM_STATES = [
  'succeeded',
  'no_work',
  'failed',
  'nothing',
  'skipped',
  'running',
  'interrupted',
  'waiting'
] as const;

export type QuantumState = (typeof QUANTUM_STATES)[number];

/** A state of quanta, as the head of a column. */
export function stateWord(state: QuantumState): string {
  switch (state) {
    case 'succeeded':
      return trans.__('succeeded');
    case 'no_work':
      return trans.__('without work');
    case 'failed':
      return trans.__('failed');
    case 'nothing':
      return trans.__('did nothing');
    case 'skipped':
      return trans.__('skipped');
    case 'running':
      return trans.__('running');
    case 'interrupted':
      return trans.__('interrupted');
    case 'waiting':
      return trans.__('waiting');
  }
}

/** What a state of quanta means, for those who hover. */
export function stateMeaning(state: QuantumState): string {
  switch (state) {
    case 'no_work':
      return trans.__('Succeeded, since there was nothing to do for them');
    case 'nothing':
      return trans.__('Ended without an error and without outputs, which counts as failure');
    case 'skipped':
      return trans.__('Need the outputs of a quantum that failed');
    case 'interrupted':
      return trans.__('Were cut off; the next start executes them again');
    default:
      return '';
  }
}

/** How many quanta there are of all tasks, and in each state. */
export function countsOf(tasks: readonly TaskProgress[]): Record<'total' | QuantumState, number> {
  const sum = (name: 'total' | QuantumState): number => tasks.reduce((all, task) => all + task[name], 0);
  return {
    total: sum('total'),
    succeeded: sum('succeeded'),
    no_work: sum('no_work'),
    failed: sum('failed'),
    nothing: sum('nothing'),
    skipped: sum('skipped'),
    running: sum('running'),
    interrupted: sum('interrupted'),
    waiting: sum('waiting')
  };
}

/** How a run stands, in one of few words. */
export type RunState = 'prepared' | 'working' | 'succeeded' | 'failed' | 'stopped' | 'unknown';

export function stateOf({ tasks, working, problem }: PipelineRun): RunState {
  const counts = countsOf(tasks);
  if (working) {
    return 'working';
  }
  if (problem) {
    return 'unknown';
  }
  if (counts.succeeded === counts.total) {
    return 'succeeded';
  }
  if (counts.waiting === counts.total) {
    return 'prepared';
  }
  return counts.waiting + counts.interrupted > 0 ? 'stopped' : 'failed';
}

/** How a run stands: `Working · 12 of 30 succeeded, 1 failed`. */
export function runLine(run: PipelineRun): string {
  const counts = countsOf(run.tasks);
  const state = stateOf(run);
  const how = `${trans.__('%1 of %2 succeeded', exactNumber(counts.succeeded), exactNumber(counts.total))}${troubles(counts)}`;
  switch (state) {
    case 'unknown':
      return trans.__('Its files cannot be read');
    case 'prepared':
      return `${trans.__('Prepared, not started')} · ${trans._n('%1 quantum', '%1 quanta', counts.total)}`;
    case 'working':
      return `${workingWord(run, counts)} · ${how}`;
    case 'stopped':
      return `${trans.__('Not complete')} · ${how}${collectedPart(run)}`;
    case 'failed':
    case 'succeeded':
      return `${how}${collectedPart(run)}`;
  }
}

function workingWord({ site, problem }: PipelineRun, counts: ReturnType<typeof countsOf>): string {
  if (problem === null && counts.succeeded === counts.total) {
    return trans.__('Collecting');
  }
  return site === null ? trans.__('Working') : trans.__('Working on %1', site);
}

function troubles(counts: ReturnType<typeof countsOf>): string {
  return (['failed', 'nothing', 'skipped', 'interrupted'] as const)
    .filter(state => counts[state] > 0)
    .map(state => `, ${exactNumber(counts[state])} ${stateWord(state)}`)
    .join('');
}

function collectedPart({ collected }: PipelineRun): string {
  switch (collected) {
    case 'all':
      return ` · ${trans.__('collected')}`;
    case 'partly':
      return ` · ${trans.__('collected in part')}`;
    case 'nothing':
      return ` · ${trans.__('not collected')}`;
  }
}

/** How far one task is, for those who listen. */
export function taskLine(task: TaskProgress): string {
  return (
    trans.__('%1 of %2 succeeded', exactNumber(task.succeeded), exactNumber(task.total)) +
    troubles(countsOf([task]))
  );
}

/** All runs in a few words, beside the heading. */
export function summaryLine(runs: readonly PipelineRun[]): string {
  const working = runs.filter(run => run.working).length;
  const failed = runs.filter(run => stateOf(run) === 'failed').length;
  const parts = [
    ...(working > 0 ? [trans._n('%1 working', '%1 working', working)] : []),
    ...(failed > 0 ? [trans._n('%1 with failures', '%1 with failures', failed)] : [])
  ];
  return parts.length > 0 ? parts.join(' · ') : trans._n('%1 run', '%1 runs', runs.length);
}
