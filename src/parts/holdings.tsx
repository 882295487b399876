import type { ReactElement } from 'react';

import type { HoldingCollection } from '../api';
import {
  cancelledNotice,
  errorNotice,
  type IHoldings,
  loadingNotice,
  supersededNotice,
  waitingNotice
} from '../model';
import { trans } from '../trans';
import { Path } from './fields';
import { COLLECTION_ICONS } from './icons';
import { Notice } from './notice';

export interface IHoldingProps {
  readonly collection: HoldingCollection;
  /** Show it in the panel. */
  onShow(name: string): void;
}

/** A collection that holds a dataset, in a list of class `pb-Holdings`. */
export function Holding({ collection, onShow }: IHoldingProps): ReactElement {
  const { name, type, validity } = collection;
  const icon = COLLECTION_ICONS[type];
  return (
    <li className="pb-Holding">
      <icon.react tag="span" className="pb-Icon" aria-hidden="true" />
      <span className="pb-Holding-text">
        <button
          type="button"
          className="pb-Link"
          title={trans.__('Show in the panel')}
          onClick={() => onShow(name)}
        >
          <Path name={name} />
        </button>
        <span className="pb-mod-faint">{collectionWord(type)}</span>
        {validity.map(({ begin, end }) => (
          <span key={`${begin} ${end}`} className="pb-Holding-validity">
            {begin === null && end === null
              ? trans.__('always valid')
              : trans.__('valid %1 to %2 TAI', begin ?? trans.__('any time'), end ?? trans.__('any time'))}
          </span>
        ))}
      </span>
    </li>
  );
}

export interface IHoldingsStatusProps {
  readonly holdings: IHoldings;
  onRetry(): void;
  onCancel(): void;
  onCopy(text: string): void;
}

/** How far the search for such collections has come, if it has not come to its end. */
export function HoldingsStatus(props: IHoldingsStatusProps): ReactElement | null {
  const { holdings, onRetry, onCancel, onCopy } = props;
  const { status, busyUntil, error } = holdings;
  const what = trans.__('the collections that hold it');
  switch (status) {
    case 'unasked':
    case 'loading':
      return (
        <Notice
          notice={busyUntil === null ? loadingNotice(what) : waitingNotice(busyUntil)}
          onCancel={onCancel}
        />
      );
    case 'cancelled':
      return <Notice notice={cancelledNotice(what)} onRetry={onRetry} />;
    case 'superseded':
      return <Notice notice={supersededNotice()} onRetry={onRetry} />;
    case 'failed':
      return error && <Notice notice={errorNotice(error)} onRetry={onRetry} onCopy={onCopy} />;
    case 'complete':
      return null;
  }
}

function collectionWord(type: HoldingCollection['type']): string {
  switch (type) {
    case 'RUN':
      return trans.__('run');
    case 'CHAINED':
      return trans.__('chain');
    case 'TAGGED':
      return trans.__('tagged');
    case 'CALIBRATION':
      return trans.__('calibration');
  }
}
