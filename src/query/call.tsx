import type { ReactElement } from 'react';

import { trans } from '../trans';
import type { IQueryActions } from './actions';
import type { QueryModel } from './model';
import { watchPull } from '../parts';

/** The call that the list is: to read, to drag, to copy, to insert. */
export function CallLine({
  model,
  actions
}: {
  readonly model: QueryModel;
  readonly actions: IQueryActions;
}): ReactElement | null {
  const { selection } = model;
  if (!selection) {
    return null;
  }
  return (
    <div className="pb-Call">
      <pre
        className="pb-Call-code"
        aria-label={trans.__('The query as Python')}
        title={trans.__('Drag into a notebook')}
        onPointerDown={event => {
          if (event.button === 0) {
            watchPull(event, at => {
              const { selection: now } = model;
              if (now) {
                actions.drag(now, at);
              }
            });
          }
        }}
      >
        <code>{actions.codeOf(selection)}</code>
        <span className="pb-Handle" aria-hidden="true">
          ⠿
        </span>
      </pre>
      <div className="pb-Call-actions">
        <button type="button" className="pb-Link" onClick={() => actions.insert(selection)}>
          {trans.__('Insert')}
        </button>
        <button type="button" className="pb-Link" onClick={() => actions.copyCode(selection)}>
          {trans.__('Copy code')}
        </button>
      </div>
    </div>
  );
}
