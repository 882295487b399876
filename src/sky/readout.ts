import { trans } from '../trans';
import { inDegrees, inSixtieths } from './coordinates';
import { type IFootprint, nameOf } from './footprints';
import type { ISkyPosition } from './vectors';

/** A position and what is there, in a line. */
export function readout(position: ISkyPosition, pixel: number, there: readonly IFootprint[]): string {
  const place = `${inDegrees(position, pixel)}   ${inSixtieths(position, pixel)}   ICRS`;
  const [first] = there;
  if (!first) {
    return place;
  }
  const more = there.length > 1 ? trans._n(' and %1 more', ' and %1 more', there.length - 1) : '';
  return `${place}   ${nameOf(first)}${more}`;
}
