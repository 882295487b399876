import { caretDownIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import { trans } from '../trans';

export interface IInsertButtonProps {
  /** What pressing it does. */
  readonly title: string;
  readonly disabled?: boolean;
  readonly onInsert: () => void;
  /** Offer the forms in which it can be inserted, beside this element. */
  readonly onChoose: (anchor: HTMLElement) => void;
}

/** Inserts the form most often wanted; its other half offers all of them. */
export function InsertButton({ title, disabled, onInsert, onChoose }: IInsertButtonProps): ReactElement {
  return (
    <span className="pb-SplitButton">
      <button
        type="button"
        className="pb-Button pb-mod-accept"
        disabled={disabled}
        title={title}
        onClick={onInsert}
      >
        {trans.__('Insert')}
      </button>
      <button
        type="button"
        className="pb-Button pb-mod-accept"
        title={trans.__('Choose what to insert')}
        aria-label={trans.__('Choose what to insert')}
        aria-haspopup="menu"
        onClick={event => onChoose(event.currentTarget)}
      >
        <caretDownIcon.react tag="span" aria-hidden="true" />
      </button>
    </span>
  );
}
