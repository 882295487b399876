/**
 * Rows that stand where something else would.
 */

import { cancelledNotice, errorNotice, type INotice, loadingNotice } from '../notices';
import type { TreeRequest } from '../requests';
import type { Loadable } from '../resource';
import type { Draft } from './drafts';

/** Says how far what is asked for has come. */
export function pending(
  id: string,
  state: Exclude<Loadable<unknown>, { status: 'loaded' }>,
  what: string,
  request: TreeRequest
): Draft {
  switch (state.status) {
    case 'unasked':
    case 'loading':
      return noticeDraft(id, loadingNotice(what), null, request);
    case 'cancelled':
      return noticeDraft(id, cancelledNotice(what), request, null);
    case 'failed':
      return noticeDraft(id, errorNotice(state.error, state.retryAt), request, null);
  }
}

/** Says something. */
export function noticeDraft(
  id: string,
  notice: INotice,
  retry: TreeRequest | null,
  request: TreeRequest | null
): Draft {
  return { kind: 'notice', id: `${id}|:notice`, notice, retry, request, expanded: null };
}
