import type { FootprintSet, IFootprint } from './footprints';
import { type ISkyView, SkyProjection, viewOf, wholeView } from './projection';
import { positionOf } from './vectors';

/** Wider results, in radians, are seen on the whole sky. */
const SPREAD = 0.9;

/** Pixels that what is to be seen is away from the edge of the map. */
const MARGIN = 20;

/** The view of footprints, as large as possible; as it was if there are none. */
export function fitted(set: FootprintSet, footprints: readonly IFootprint[], view: ISkyView): ISkyView {
  const cap = set.cap(footprints);
  if (!cap) {
    return view;
  }
  const { width, height } = view;
  const centre = positionOf(cap.centre);
  return cap.radius > SPREAD
    ? wholeView(width, height, { ra: centre.ra, dec: 0 })
    : viewOf(centre, cap.radius * 1.1, width, height);
}

/** The view with footprints in it: the same if they are, else moved, or zoomed out if need be. */
export function including(set: FootprintSet, footprints: readonly IFootprint[], view: ISkyView): ISkyView {
  const cap = set.cap(footprints);
  if (!cap || view.width === 0) {
    return view;
  }
  const projection = new SkyProjection(view);
  const isSeen = ({ centre }: IFootprint): boolean =>
    projection.mayShow(centre, 0) && projection.holds(projection.project(centre), MARGIN);
  if (footprints.every(isSeen)) {
    return view;
  }
  return !projection.isWhole && cap.radius * 2.2 < projection.radius
    ? { ...view, centre: positionOf(cap.centre) }
    : fitted(set, footprints, view);
}
