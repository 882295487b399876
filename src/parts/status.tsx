import type { ReactElement } from 'react';

import { cancelledNotice, errorNotice, type Loadable, loadingNotice } from '../model';
import { Notice } from './notice';

export interface IStatusProps {
  readonly state: Loadable<unknown>;
  /** What it is, as in "Loading … ". */
  readonly what: string;
  onRetry(): void;
  onCancel(): void;
  onCopy?(text: string): void;
}

/** What stands in the place of something that is not loaded. */
export function Status({ state, what, onRetry, onCancel, onCopy }: IStatusProps): ReactElement | null {
  switch (state.status) {
    case 'unasked':
    case 'loading':
      return <Notice notice={loadingNotice(what)} onCancel={onCancel} />;
    case 'cancelled':
      return <Notice notice={cancelledNotice(what)} onRetry={onRetry} />;
    case 'failed':
      return (
        <Notice
          notice={errorNotice(state.error, state.retryAt)}
          onRetry={onRetry}
          onCancel={onCancel}
          {...(onCopy ? { onCopy } : {})}
        />
      );
    case 'loaded':
      return null;
  }
}
