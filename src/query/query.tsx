import { type ReactElement, useState } from 'react';

import type { QueryProblem, QueryShape } from '../api';
import {
  cancelledNotice,
  errorNotice,
  exactCount,
  type INotice,
  type Loadable,
  loadingNotice,
  NO_FILTER,
  nothingChosenNotice,
  shortCount
} from '../model';
import { Notice } from '../parts';
import { trans } from '../trans';
import type { IQueryActions } from './actions';
import { CallLine } from './call';
import { Facet } from './facet';
import { Field } from './field';
import type { QueryModel } from './model';
import { readPosition, readRadius, writePosition, writeRadius } from './position';
import { WhereField } from './where';

export interface IQueryProps {
  /** It is rendered anew for each of its changes. */
  readonly model: QueryModel;
  readonly actions: IQueryActions;
}

/** Everything that narrows the list, how many datasets that leaves, and the call that it is. */
export function Query({ model, actions }: IQueryProps): ReactElement {
  const { target, shape } = model;
  if (!target) {
    return <Notice notice={nothingChosenNotice('query')} />;
  }
  return (
    <div className="pb-Query" role="search" aria-label={trans.__('Query')}>
      {shape.status === 'loaded' ? (
        <Fields key={model.cleared} model={model} shape={shape.value} />
      ) : (
        <Notice
          notice={noticeOf(shape, target.datasetType.name)}
          onRetry={() => model.retryShape()}
          onCancel={() => model.cancelShape()}
          onCopy={text => actions.copyText(text)}
        />
      )}
      {/* What keeps the fields from being shown mostly keeps datasets from being counted: once is enough. */}
      {(shape.status === 'loaded' || model.count.status !== 'failed') && (
        <Outcome model={model} actions={actions} />
      )}
      <CallLine model={model} actions={actions} />
    </div>
  );
}

function noticeOf(shape: Exclude<Loadable<QueryShape>, { status: 'loaded' }>, name: string): INotice {
  switch (shape.status) {
    case 'failed':
      return errorNotice(shape.error, shape.retryAt);
    case 'cancelled':
      return cancelledNotice(name);
    default:
      return loadingNotice(name);
  }
}

function Fields({ model, shape }: { readonly model: QueryModel; readonly shape: QueryShape }): ReactElement {
  const { draft: filter, problems } = model;
  const apply = (change: Partial<typeof NO_FILTER>): void => void model.apply(change);
  return (
    <>
      <div className="pb-Query-facets">
        {shape.facets.map(dimension => (
          <Facet
            key={dimension.name}
            dimension={dimension}
            chosen={filter.data_id[dimension.name] ?? []}
            list={model.target}
            values={(prefix, signal) => model.values(dimension.name, prefix, signal)}
            onChange={values => apply({ data_id: { ...filter.data_id, [dimension.name]: [...values] } })}
          />
        ))}
      </div>
      <Problem problems={problems} field="data_id" />
      {shape.region !== null && <Near model={model} />}
      {shape.timespan !== null && <Time model={model} />}
      <WhereField model={model} />
      <div className="pb-Query-row">
        <Field
          label={trans.__('order by')}
          value={filter.order_by.join(', ')}
          placeholder={trans.__('data ID')}
          help={trans.__('Dimensions or fields such as visit.exposure_time; - before one turns it round.')}
          problem={problemOf(problems, 'order_by')}
          onCommit={text => apply({ order_by: text.split(/[\s,]+/).filter(Boolean) })}
        />
        <Limit model={model} />
      </div>
    </>
  );
}

/** A position and how far around it. */
function Near({ model }: { readonly model: QueryModel }): ReactElement {
  const { near } = model.filter;
  const [place, setPlace] = useState<string | null>(null);
  const [radius, setRadius] = useState<string | null>(null);
  const [problem, setProblem] = useState<{ place?: string; radius?: string }>({});
  const placeText = near ? writePosition(near) : '';
  const radiusText = near ? writeRadius(near.radius) : (radius ?? '0.1°');

  const commit = (newPlace: string, newRadius: string): void => {
    if (newPlace === '') {
      setProblem({});
      setPlace(null);
      void model.apply({ near: null });
      return;
    }
    const at = readPosition(newPlace);
    const around = readRadius(newRadius);
    if (typeof at === 'string' || typeof around === 'string') {
      setPlace(newPlace);
      setProblem({
        ...(typeof at === 'string' ? { place: at } : {}),
        ...(typeof around === 'string' ? { radius: around } : {})
      });
      return;
    }
    setProblem({});
    setPlace(null);
    void model.apply({ near: { ...at, radius: around } });
  };

  return (
    <div className="pb-Query-row">
      <Field
        label={trans.__('near')}
        value={place ?? placeText}
        placeholder="53.0 -28.1"
        help={trans.__('Right ascension and declination (ICRS), in degrees or like 03:32:24 -28:06:00.')}
        problem={problem.place ?? problemOf(model.problems, 'near')}
        onCommit={text => commit(text, radiusText)}
      />
      <Field
        label={trans.__('radius')}
        value={radiusText}
        isShort
        help={trans.__('Degrees, or like 6\' or 20"; 0 for the position itself.')}
        problem={problem.radius ?? ''}
        onCommit={text => {
          setRadius(text);
          if (near || place) {
            commit(place ?? placeText, text);
          }
        }}
      />
    </div>
  );
}

/** When it was observed. */
function Time({ model }: { readonly model: QueryModel }): ReactElement {
  const { time } = model.draft;
  const problem = problemOf(model.problems, 'time');
  const help = trans.__('International Atomic Time (TAI), such as 2025-12-03 or 2025-12-03T01:00:00.');
  const commit = (change: { begin?: string | null; end?: string | null }): void =>
    void model.apply({ time: { begin: time?.begin ?? null, end: time?.end ?? null, ...change } });
  return (
    <div className="pb-Query-row">
      <Field
        label={trans.__('from (TAI)')}
        value={time?.begin ?? ''}
        placeholder="2025-12-03"
        help={help}
        problem={problem}
        onCommit={text => commit({ begin: text || null })}
      />
      <Field
        label={trans.__('to (TAI)')}
        value={time?.end ?? ''}
        help={help}
        onCommit={text => commit({ end: text || null })}
      />
    </div>
  );
}

function Limit({ model }: { readonly model: QueryModel }): ReactElement {
  const [problem, setProblem] = useState('');
  const { limit } = model.filter;
  return (
    <Field
      label={trans.__('limit')}
      value={limit === null ? '' : String(limit)}
      placeholder={trans.__('none')}
      isShort
      problem={problem}
      onCommit={text => {
        const isNumber = text === '' || /^[1-9]\d{0,8}$/.test(text);
        setProblem(isNumber ? '' : trans.__('A limit is a whole number from 1.'));
        if (isNumber) {
          void model.apply({ limit: text === '' ? null : Number(text) });
        }
      }}
    />
  );
}

/** How many datasets there are. */
function Outcome({ model, actions }: IQueryProps): ReactElement {
  const { count } = model;
  const clear = model.isNarrow && (
    <button type="button" className="pb-Link" onClick={() => model.clear()}>
      {trans.__('Clear filters')}
    </button>
  );
  if (count.status === 'failed') {
    return (
      <div className="pb-Query-outcome">
        <Notice
          notice={errorNotice(count.error, count.retryAt)}
          onRetry={() => model.retryCount()}
          onCancel={() => model.cancelCount()}
          onCopy={text => actions.copyText(text)}
        />
        {clear}
      </div>
    );
  }
  return (
    <div className="pb-Query-outcome">
      <span role="status" className="pb-Query-count">
        {count.status === 'loaded' ? (
          <span title={exactCount(count.value)}>{trans.__('%1 found', shortCount(count.value))}</span>
        ) : count.status === 'loading' ? (
          trans.__('Counting …')
        ) : count.status === 'cancelled' ? (
          trans.__('Not counted.')
        ) : null}
      </span>
      {count.status === 'loading' && (
        <button type="button" className="pb-Link" onClick={() => model.cancelCount()}>
          {trans.__('Stop')}
        </button>
      )}
      {count.status === 'cancelled' && (
        <button type="button" className="pb-Link" onClick={() => model.retryCount()}>
          {trans.__('Count')}
        </button>
      )}
      {clear}
    </div>
  );
}

function Problem({
  problems,
  field
}: {
  readonly problems: readonly QueryProblem[];
  readonly field: QueryProblem['field'];
}): ReactElement | null {
  const message = problemOf(problems, field);
  return message ? (
    <div className="pb-QueryField-problem" role="alert">
      {message}
    </div>
  ) : null;
}

function problemOf(problems: readonly QueryProblem[], field: QueryProblem['field']): string {
  return problems.find(problem => problem.field === field)?.message ?? '';
}
