import { describe, expect, it } from 'vitest';

import { FootprintSet } from '../footprints';
import { startGesture } from '../gestures';
import {
  drawnCircle,
  footprintsAt,
  footprintsInside,
  footprintsInView,
  isInside,
  middleCircle
} from '../pointing';
import { type ISkyView, SkyProjection } from '../projection';
import { fitted, including } from '../seeing';
import { angleBetween, DEGREE, vectorOf } from '../vectors';

/** Squares of two tenths of a degree around RA 10, 11, 12, … on the equator. */
function squares(count: number): FootprintSet {
  const set = new FootprintSet(['tract']);
  const regions = Array.from({ length: count }, (_, at) => {
    const ra = 10 + at;
    const ring = [
      [ra - 0.1, -0.1],
      [ra + 0.1, -0.1],
      [ra + 0.1, 0.1],
      [ra - 0.1, 0.1]
    ] as [number, number][];
    return { values: [at], rings: [ring], approximate: false };
  });
  set.add(
    regions,
    regions.map((_, region) => ({ id: `id-${region}`, values: [], region }))
  );
  return set;
}

const view: ISkyView = { centre: { ra: 11, dec: 0 }, scale: 200 / (2 * DEGREE), width: 400, height: 300 };
const indexes = (footprints: readonly { index: number }[]): number[] => footprints.map(({ index }) => index);

describe('pointing', () => {
  it('takes the footprint below the pointer, or the nearest within reach', () => {
    const set = squares(3);
    expect(indexes(footprintsAt(set, view, [200, 150]))).toEqual([1]);
    // The square ends ten pixels from its middle.
    expect(indexes(footprintsAt(set, view, [200, 163]))).toEqual([1]);
    expect(indexes(footprintsAt(set, view, [200, 200]))).toEqual([]);
  });

  it('lists what is in view from the middle outwards', () => {
    const aside = { ...view, centre: { ra: 12.2, dec: 0 } };
    expect(indexes(footprintsInView(squares(6), aside, 10))).toEqual([2, 3, 1, 4]);
  });

  it('orders no more of what is in view than are listed', () => {
    const aside = { ...view, centre: { ra: 13.2, dec: 0 } };
    expect(indexes(footprintsInView(squares(6), aside, 2))).toEqual([3, 4, 2, 5]);
    expect(indexes(footprintsInView(squares(6), aside, 0))).toEqual([2, 3, 4, 5]);
  });

  it('takes what a line goes around, in its order', () => {
    const set = squares(3);
    // East is left: the second and third are around the middle and to the left.
    const line = [
      [50, 100],
      [250, 100],
      [250, 200],
      [50, 200]
    ] as const;
    expect(indexes(footprintsInside(line, set, view))).toEqual([1, 2]);
  });

  it('knows the inside of a line that turns back', () => {
    const line = [
      [0, 0],
      [30, 0],
      [30, 30],
      [20, 30],
      [20, 10],
      [10, 10],
      [10, 30],
      [0, 30]
    ] as const;
    expect(isInside(line, [5, 20])).toBe(true);
    expect(isInside(line, [15, 20])).toBe(false);
    expect(isInside(line, [25, 20])).toBe(true);
    expect(isInside([], [0, 0])).toBe(false);
  });

  it('draws circles of as many degrees as it looks', () => {
    const gesture = startGesture('circle', [200, 150], view);
    gesture.move([300, 150]);
    const circle = drawnCircle(gesture)!;
    expect(circle.radius).toBeCloseTo(1, 3);
    expect(angleBetween(vectorOf(circle), vectorOf({ ra: 11, dec: 0 }))).toBeLessThan(1e-6);
    expect(middleCircle(view).radius).toBeCloseTo(0.6, 3);
  });
});

describe('seeing', () => {
  const seen = (set: FootprintSet, of: ISkyView): boolean[] =>
    set.all.map(({ centre }) => {
      const projection = new SkyProjection(of);
      return projection.mayShow(centre, 0) && projection.holds(projection.project(centre));
    });

  it('fits footprints that are near each other, and shows the whole sky for others', () => {
    const near = squares(3);
    expect(seen(near, fitted(near, near.all, { ...view, centre: { ra: 200, dec: 50 } }))).toEqual([
      true,
      true,
      true
    ]);
    const wide = squares(120);
    expect(new SkyProjection(fitted(wide, wide.all, view)).isWhole).toBe(true);
  });

  it('moves only for what is out of view', () => {
    const set = squares(6);
    expect(including(set, set.all.slice(1, 2), view)).toBe(view);
    expect(including(set, [], view)).toBe(view);
    const moved = including(set, set.all.slice(5), view);
    expect(moved.scale).toBe(view.scale);
    expect(moved.centre.ra).toBeCloseTo(15, 6);
  });
});
