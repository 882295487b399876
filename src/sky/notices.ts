import {
  errorNotice,
  type INotice,
  loadingNotice,
  cancelledNotice,
  nothingChosenNotice,
  waitingNotice
} from '../model';
import { trans } from '../trans';
import type { SkyModel } from './model';

/** What a person reads instead of, or above, the footprints; null if all is well. */
export function skyNotice({ state, target, footprints }: SkyModel): INotice | null {
  const what = trans.__('footprints');
  const none = { retry: null, retryAt: null, error: null };
  switch (state.status) {
    case 'closed':
      return nothingChosenNotice('type');
    case 'loading':
      return state.busyUntil === null ? loadingNotice(what) : waitingNotice(state.busyUntil);
    case 'cancelled':
      return cancelledNotice(what);
    case 'failed':
      return errorNotice(state.error);
    case 'nowhere':
      return {
        ...none,
        state: 'empty',
        message: trans.__('%1 has no place on the sky.', target?.datasetType.name ?? ''),
        nextStep:
          state.dimensions.length > 0
            ? trans.__('None of its dimensions (%1) has a region.', state.dimensions.join(', '))
            : trans.__('It has no dimensions.')
      };
    case 'complete':
      if (footprints.all.length > 0) {
        return null;
      }
      return {
        ...none,
        state: 'empty',
        message: trans.__('There is nothing to show on the sky.'),
        nextStep:
          state.withoutRegion > 0
            ? trans._n(
                'The dimension records of %1 dataset have no region.',
                'The dimension records of %1 datasets have no region.',
                state.withoutRegion
              )
            : trans.__('The list is empty.')
      };
  }
}
