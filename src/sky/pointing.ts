import type { SkyCircle } from '../api';
import type { FootprintSet, IFootprint } from './footprints';
import type { IGesture } from './gestures';
import { type ISkyView, type Point, SkyProjection } from './projection';
import { angleBetween, DEGREE, positionOf } from './vectors';

/** Pixels around the pointer within which the nearest footprint counts, if none is right below it. */
const REACH = 6;

/** Largest radius of a circle, in degrees. */
const WIDEST = 90;

/** The footprints at a place on the screen; if there are none, the nearest if it is near. */
export function footprintsAt(footprints: FootprintSet, view: ISkyView, place: Point): readonly IFootprint[] {
  const direction = new SkyProjection(view).invert(place);
  if (!direction) {
    return [];
  }
  const exact = footprints.at(direction);
  if (exact.length > 0) {
    return exact;
  }
  const reach = REACH / view.scale;
  const near = footprints
    .near(direction, reach)
    .map(footprint => ({ footprint, away: angleBetween(footprint.centre, direction) }))
    .filter(({ footprint, away }) => away - footprint.radius <= reach)
    .sort((a, b) => a.away - b.away);
  return near.slice(0, 1).map(({ footprint }) => footprint);
}

/**
 * The footprints that can be seen.
 *
 * @param nearest - How many come first, from the middle outwards; the others follow in their own order.
 */
export function footprintsInView(
  footprints: FootprintSet,
  view: ISkyView,
  nearest: number
): readonly IFootprint[] {
  const { width, height } = view;
  if (width === 0) {
    return [];
  }
  const projection = new SkyProjection(view);
  const seen: { readonly footprint: IFootprint; readonly away: number }[] = [];
  for (const footprint of footprints.all) {
    if (projection.mayShow(footprint.centre, footprint.radius)) {
      const at = projection.project(footprint.centre);
      if (projection.holds(at)) {
        seen.push({ footprint, away: Math.hypot(at[0] - width / 2, at[1] - height / 2) });
      }
    }
  }
  // Sorting all of twenty thousand would hold the page; plain numbers are sorted much faster.
  const edge =
    nearest < seen.length
      ? (Float64Array.from(seen, ({ away }) => away).sort()[nearest - 1] ?? -1)
      : Infinity;
  const near = seen.filter(({ away }) => away <= edge).sort((a, b) => a.away - b.away);
  const far = seen.filter(({ away }) => away > edge);
  return [...near, ...far].map(({ footprint }) => footprint);
}

/** The footprints in view whose middle is inside a line that was drawn, in their own order. */
export function footprintsInside(
  line: readonly Point[],
  footprints: FootprintSet,
  view: ISkyView
): readonly IFootprint[] {
  const projection = new SkyProjection(view);
  return footprintsInView(footprints, view, 0)
    .filter(({ centre }) => isInside(line, projection.project(centre)))
    .sort((a, b) => a.index - b.index);
}

/** The circle that keys begin with, in the middle of the map. */
export function middleCircle({ centre, height, width, scale }: ISkyView): SkyCircle {
  return { ...centre, radius: Math.min(WIDEST, Math.min(width, height) / 5 / scale / DEGREE) };
}

/** The circle around where the pointer was pressed, to where it is; null if that is beside the sky. */
export function drawnCircle({ view, from, to }: IGesture): SkyCircle | null {
  const projection = new SkyProjection(view);
  const [middle, edge] = [projection.invert(from), projection.invert(to)];
  return middle && edge
    ? { ...positionOf(middle), radius: Math.min(WIDEST, angleBetween(middle, edge) / DEGREE) }
    : null;
}

/** The same circle, so many times larger. */
export function scaledCircle(circle: SkyCircle, factor: number): SkyCircle {
  return { ...circle, radius: Math.min(WIDEST, circle.radius * factor) };
}

/** Whether a place is inside a closed line: a ray to the right crosses it an odd number of times. */
export function isInside(line: readonly Point[], [x, y]: Point): boolean {
  let inside = false;
  line.forEach(([ax, ay], at) => {
    const [bx, by] = line.at(at - 1) ?? [ax, ay];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) {
      inside = !inside;
    }
  });
  return inside;
}
