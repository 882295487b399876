/** Runs as the backend tells of them. */

import type { PipelineRun, TaskProgress } from '../../api';

export function task(name: string, total: number, change: Partial<TaskProgress> = {}): TaskProgress {
  const known = {
    succeeded: 0,
    no_work: 0,
    failed: 0,
    nothing: 0,
    skipped: 0,
    running: 0,
    interrupted: 0,
    ...change
  };
  const { succeeded, failed, nothing, skipped, running, interrupted } = known;
  const waiting = total - succeeded - failed - nothing - skipped - running - interrupted;
  return { task: name, total, ...known, waiting };
}

export function run(change: Partial<PipelineRun> = {}): PipelineRun {
  return {
    id: 'a',
    label: 'dp2',
    name: 'mysources',
    directory: '/home/me/run one',
    pipeline: 'pipeline.yaml',
    output: 'u/me/mysources',
    output_run: 'u/me/mysources/20260101T000000Z',
    created: '2026-01-01T00:00:00Z',
    site: null,
    working: false,
    collected: 'nothing',
    tasks: [task('detect', 3)],
    problem: null,
    ...change
  };
}
