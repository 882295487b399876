import type { ReactElement } from 'react';

import type { JobPlan, JobRequest, PlanGroup, PlanRoom } from '../api';
import {
  cancelledNotice,
  counted,
  errorNotice,
  exactNumber,
  exactSize,
  type INotice,
  shortSize,
  supersededNotice,
  waitingNotice
} from '../model';
import { Notice } from '../parts';
import { trans } from '../trans';
import type { PlanState } from './plan';
import { meaningOf, nothingLine, planLine, progressLine, resultWord, thereLine } from './words';

export interface IPlanViewProps {
  readonly state: PlanState;
  readonly onRetry: () => void;
  readonly onCopy: (text: string) => void;
}

/** What a job would do, as far as it is known. */
export function PlanView({ state, ...actions }: IPlanViewProps): ReactElement {
  return (
    <div className="pb-Plan" role="status" aria-live="polite">
      <Content state={state} {...actions} />
    </div>
  );
}

function Content({ state, onRetry, onCopy }: IPlanViewProps): ReactElement {
  switch (state.status) {
    case 'unasked':
      return <p className="pb-mod-faint">{trans.__('Say above what is meant.')}</p>;
    case 'asking':
      return <Notice notice={askingNotice(state)} />;
    case 'superseded':
      return <Notice notice={supersededNotice()} onRetry={onRetry} />;
    case 'failed':
      return <Notice notice={errorNotice(state.error)} onRetry={onRetry} onCopy={onCopy} />;
    case 'planned':
      return <Plan plan={state.plan} request={state.request} />;
  }
}

function askingNotice(state: PlanState & { status: 'asking' }): INotice {
  if (state.busyUntil !== null) {
    return waitingNotice(state.busyUntil);
  }
  const message =
    state.progress === null ? trans.__('Finding out what there is …') : `${progressLine(state.progress)} …`;
  return { ...cancelledNotice(''), state: 'loading', message, retry: null };
}

/** Whether the job can be begun. */
export function canBegin(plan: JobPlan): boolean {
  return plan.new > 0 && plan.room?.fits !== false;
}

function Plan({ plan, request }: { readonly plan: JobPlan; readonly request: JobRequest }): ReactElement {
  const { action, label } = plan;
  return (
    <>
      <p className="pb-Plan-line" title={exactSize(plan.bytes)}>
        {plan.new > 0 ? planLine(plan) : nothingLine(plan)}
      </p>
      {plan.new > 0 && <p>{meaningOf(action, label, request.purge)}</p>}
      <ul className="pb-Plan-facts">
        {plan.creates_satellite && plan.new > 0 && (
          <li>
            {trans.__(
              'You have no personal repository of %1 yet: it is created in %2.',
              label,
              plan.location
            )}
          </li>
        )}
        {plan.reference_first > 0 && (
          <li>
            {trans._n(
              '%1 of them is referenced first.',
              '%1 of them are referenced first.',
              plan.reference_first
            )}
          </li>
        )}
        {plan.unknown > 0 && (
          <li>{trans._n('The size of %1 is not known.', 'The sizes of %1 are not known.', plan.unknown)}</li>
        )}
        {plan.there > 0 && plan.new > 0 && <li>{thereLine(action, plan.there)}</li>}
        {plan.problems.map(({ status, reason, datasets }) => (
          <li key={`${status} ${reason}`} className="pb-mod-warn">
            {exactNumber(datasets)} {resultWord(action, status)}: {reason}
          </li>
        ))}
        {plan.kept.map(({ reason, datasets }) => (
          <li key={reason}>{trans.__('Kept: %1, %2.', counted(datasets, 'dataset'), reason)}</li>
        ))}
        {plan.room && plan.new > 0 && <Room room={plan.room} />}
      </ul>
      {plan.groups.length > 0 && <Groups plan={plan} />}
      {plan.irreversible && plan.new > 0 && (
        <p className="pb-Plan-warning">
          <strong>{trans.__('Nothing brings them back.')}</strong>
        </p>
      )}
    </>
  );
}

/** Whether it fits, and where. */
function Room({ room }: { readonly room: PlanRoom }): ReactElement {
  const { needed, free, fits, place, location, quota } = room;
  const where = place === 'cache' ? trans.__('the cache in %1', location) : trans.__('%1', location);
  if (free === null) {
    return <li>{trans.__('How much room there is in %1 is not known.', where)}</li>;
  }
  const line =
    place === 'cache'
      ? trans.__('%1 of the %2 that %3 holds.', shortSize(needed), shortSize(free), where)
      : trans.__('%1 of the %2 that are free in %3.', shortSize(needed), shortSize(free), where);
  return (
    <li className={fits === false ? 'pb-mod-warn' : undefined}>
      {fits === false ? `${trans.__('It does not fit.')} ` : ''}
      {line}
      {quota !== null && ` ${trans.__('Your quota is %1.', shortSize(quota))}`}
    </li>
  );
}

/** What would be removed, by run and type. */
function Groups({ plan }: { readonly plan: JobPlan }): ReactElement {
  return (
    <div className="pb-Plan-groups" tabIndex={0} role="group" aria-label={trans.__('What is meant')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Run')}</th>
            <th scope="col">{trans.__('Dataset type')}</th>
            <th scope="col" className="pb-mod-number">
              {trans.__('Datasets')}
            </th>
            <th scope="col" className="pb-mod-number">
              {trans.__('Size')}
            </th>
            <th scope="col" title={trans.__('When they were registered, in TAI')}>
              {trans.__('From – to (TAI)')}
            </th>
          </tr>
        </thead>
        <tbody>
          {plan.groups.map(group => (
            <tr key={`${group.run} ${group.dataset_type}`}>
              <td>{group.run}</td>
              <td>{group.dataset_type}</td>
              <td className="pb-mod-number">{exactNumber(group.datasets)}</td>
              <td className="pb-mod-number" title={exactSize(group.bytes)}>
                {shortSize(group.bytes)}
              </td>
              <td>{period(group)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {plan.more_groups > 0 && (
        <p className="pb-mod-faint">{trans._n('and %1 more', 'and %1 more', plan.more_groups)}</p>
      )}
    </div>
  );
}

function period({ oldest, newest }: PlanGroup): string {
  const [from, to] = [oldest?.slice(0, 10), newest?.slice(0, 10)];
  return from === undefined || from === to ? (to ?? '') : `${from} – ${to ?? ''}`;
}
