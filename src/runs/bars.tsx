import type { ReactElement } from 'react';

import type { TaskProgress } from '../api';
import { exactNumber } from '../model';
import { taskLine } from './words';

/** How far a task is: what succeeded, what failed, and what is being executed. */
export function TaskBar({ task }: { readonly task: TaskProgress }): ReactElement {
  const { total } = task;
  const part = (count: number): string => `${total > 0 ? (100 * count) / total : 0}%`;
  return (
    <div
      className="pb-TaskBar"
      role="progressbar"
      aria-label={task.task}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={task.succeeded}
      aria-valuetext={taskLine(task)}
      title={taskLine(task)}
    >
      <div className="pb-mod-succeeded" style={{ width: part(task.succeeded) }} />
      <div className="pb-mod-failed" style={{ width: part(task.failed + task.nothing + task.skipped) }} />
      <div className="pb-mod-running" style={{ width: part(task.running) }} />
    </div>
  );
}

/** A bar for each task, with its name and numbers. */
export function TaskBars({ tasks }: { readonly tasks: readonly TaskProgress[] }): ReactElement {
  return (
    <ul className="pb-TaskBars">
      {tasks.map(task => (
        <li key={task.task}>
          <span className="pb-TaskBars-name" title={task.task}>
            {task.task}
          </span>
          <TaskBar task={task} />
          <span className="pb-TaskBars-count">
            {exactNumber(task.succeeded)}/{exactNumber(task.total)}
          </span>
        </li>
      ))}
    </ul>
  );
}
