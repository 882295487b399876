import type { ReactElement } from 'react';

import type { Provenance } from '../api';
import type { DetailsModel } from '../model';
import { Field, Holding, HoldingsStatus, Status } from '../parts';
import { trans } from '../trans';
import type { IPanelActions } from './actions';

/** Collections that are shown here; the viewer shows all. */
const SHOWN = 3;

export interface IOriginProps {
  readonly model: DetailsModel;
  readonly actions: IPanelActions;
}

/** Who made a dataset, in a line that leads to the rest of its provenance. */
export function MadeBy({ model, actions }: IOriginProps): ReactElement {
  const { maker } = model;
  return (
    <Field name={trans.__('made by')}>
      {maker.status === 'loaded' && (
        <>
          <Maker step={maker.value} />{' '}
          <button
            type="button"
            className="pb-Link"
            title={trans.__('Show where it comes from and what was made from it')}
            onClick={() => actions.open('provenance')}
          >
            {trans.__('Provenance')}
          </button>
        </>
      )}
      <Status
        state={maker}
        what={trans.__('who made it')}
        onRetry={() => model.retry()}
        onCancel={() => model.cancelMaker()}
        onCopy={text => actions.copyText(text)}
      />
    </Field>
  );
}

function Maker({ step }: { readonly step: Provenance }): ReactElement {
  const { words, isKnown } = madeBy(step);
  const { time = '', user = '' } = step.maker ?? {};
  const when = time === '' ? '' : trans.__('%1 UTC', time.replace('T', ' ').slice(0, 19));
  return (
    <span
      className={isKnown ? '' : 'pb-mod-faint'}
      title={[when, user === '' ? '' : trans.__('by %1', user)].filter(Boolean).join(' ')}
    >
      {words}
    </span>
  );
}

/** Who made a dataset, as far as that was recorded. */
export function madeBy({ maker, tasks }: Provenance): { readonly words: string; readonly isKnown: boolean } {
  const known = (words: string) => ({ words, isKnown: true });
  if (maker?.task) {
    return known(trans.__('task %1', maker.task));
  }
  if (maker?.notebook) {
    return known(trans.__('notebook %1', maker.notebook));
  }
  if (maker?.program) {
    return known(trans.__('program %1', maker.program));
  }
  if (maker?.user) {
    return known(maker.user);
  }
  // Without a record: whoever left traces for exactly this data ID, or for a part of it.
  const own = tasks.filter(task => task.same_dimensions);
  const traced = own.length > 0 ? own : tasks;
  const [only] = traced;
  if (only !== undefined && traced.length === 1) {
    return known(trans.__('task %1, by its traces', only.label));
  }
  return {
    words: traced.length > 1 ? trans.__('one of %1 tasks', traced.length) : trans.__('not recorded'),
    isKnown: false
  };
}

/** The collections that hold a dataset besides its run, which stands in a line of its own. */
export function Collections({ model, actions }: IOriginProps): ReactElement {
  const { holdings, selection } = model;
  const others = holdings.collections.filter(({ type }) => type !== 'RUN');
  const more = others.length - SHOWN;
  const show = (collection: string): void => {
    if (selection) {
      const { kind, label } = selection.repository;
      actions.show({ kind, label, collection, datasetType: null }, []);
    }
  };
  return (
    <Field name={trans.__('collections')}>
      {others.length > 0 && (
        <ul className="pb-Holdings">
          {others.slice(0, SHOWN).map(collection => (
            <Holding key={collection.name} collection={collection} onShow={show} />
          ))}
        </ul>
      )}
      {more > 0 && (
        <button
          type="button"
          className="pb-Link"
          title={trans.__('Show all in the viewer')}
          onClick={() => actions.open()}
        >
          {trans._n('and %1 more', 'and %1 more', more)}
        </button>
      )}
      {others.length === 0 && holdings.status === 'complete' && (
        <span className="pb-mod-faint">{trans.__('only its run')}</span>
      )}
      <HoldingsStatus
        holdings={holdings}
        onRetry={() => model.retry()}
        onCancel={() => model.cancelHoldings()}
        onCopy={text => actions.copyText(text)}
      />
    </Field>
  );
}
