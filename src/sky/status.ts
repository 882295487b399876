import { exactNumber } from '../model';
import { trans } from '../trans';
import type { FootprintSet } from './footprints';
import type { SkyState } from './model';

/** How much is on the map, and what is not. */
export function summary(footprints: FootprintSet, state: SkyState, chosen: number): string {
  const [regions, datasets] = [footprints.all.length, footprints.datasetCount];
  if (regions === 0) {
    return '';
  }
  const parts = [
    trans._n(
      '%2 footprint of %3 datasets',
      '%2 footprints of %3 datasets',
      regions,
      exactNumber(regions),
      exactNumber(datasets)
    )
  ];
  if (state.status === 'complete' && state.capped) {
    parts.push(trans.__('only the first of the list are shown; narrow the query to see others'));
  }
  if (state.status === 'complete' && state.withoutRegion > 0) {
    parts.push(
      trans._n(
        '%2 dataset has no region in its dimension records',
        '%2 datasets have no region in their dimension records',
        state.withoutRegion,
        exactNumber(state.withoutRegion)
      )
    );
  }
  if (footprints.all.some(({ approximate }) => approximate)) {
    parts.push(trans.__('some outlines are approximate'));
  }
  if (chosen > 0) {
    parts.push(trans._n('%1 chosen', '%1 chosen', chosen));
  }
  return parts.join(' · ');
}
