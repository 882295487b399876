import { geoArea } from 'd3-geo';
import { describe, expect, it } from 'vitest';

import type { Footprint } from '../../api';
import { contains, FootprintSet, geometryOf, nameOf } from '../footprints';
import { vectorOf } from '../vectors';

/** Counter-clockwise as seen from outside, as the backend gives them. */
function square(ra: number, dec: number, half: number, visit = 1): Footprint {
  const ring: [number, number][] = [
    [ra - half, dec - half],
    [ra + half, dec - half],
    [ra + half, dec + half],
    [ra - half, dec + half]
  ];
  return { values: ['LSSTCam', visit], rings: [ring], approximate: false };
}

const POLE: Footprint = {
  values: ['LSSTCam', 9],
  rings: [
    [
      [0, 85],
      [120, 85],
      [240, 85]
    ]
  ],
  approximate: false
};

function setOf(...regions: Footprint[]): FootprintSet {
  const set = new FootprintSet(['instrument', 'visit']);
  set.add(
    regions,
    regions.map((_, region) => ({ id: `dataset ${region}`, values: [], region }))
  );
  return set;
}

const names = (set: FootprintSet, ra: number, dec: number): string[] =>
  set.at(vectorOf({ ra, dec })).map(nameOf);

describe('footprints at a place', () => {
  it('are all that hold it, in order, and no others', () => {
    const set = setOf(square(10, 0, 1, 1), square(10.5, 0, 1, 2), square(30, 0, 1, 3));
    expect(names(set, 10.2, 0)).toEqual(['visit 1', 'visit 2']);
    expect(names(set, 9.2, 0)).toEqual(['visit 1']);
    expect(names(set, 20, 0)).toEqual([]);
    // Within the cap around the first, but beyond its corner.
    expect(names(set, 8.95, 1.05)).toEqual([]);
  });

  it('are found across 0 h and at a pole', () => {
    const set = setOf(square(0, -30, 1, 1), POLE);
    expect(names(set, 359.5, -30)).toEqual(['visit 1']);
    expect(names(set, 0.5, -30)).toEqual(['visit 1']);
    expect(names(set, 77, 90)).toEqual(['visit 9']);
    expect(names(set, 60, 85)).toEqual([]);
  });

  it('are found in each of several polygons', () => {
    const union = { ...square(10, 0, 1), rings: [...square(10, 0, 1).rings, ...square(20, 0, 1).rings] };
    const set = setOf(union);
    expect([10, 15, 20].map(ra => names(set, ra, 0).length)).toEqual([1, 0, 1]);
  });

  it('are found in one with a corner that goes inwards', () => {
    const arrow: Footprint = {
      ...square(0, 0, 1),
      rings: [
        [
          [10, 0],
          [14, -3],
          [12, 0],
          [14, 3]
        ]
      ]
    };
    const [footprint] = setOf(arrow).all;
    expect(footprint?.isConvex).toBe(false);
    expect([11, 13].map(ra => contains(footprint!, vectorOf({ ra, dec: 0 })))).toEqual([true, false]);
  });
});

describe('a footprint', () => {
  it('covers the small side of its outline for d3, not the rest of the sky', () => {
    const [footprint] = setOf(square(40, 10, 1)).all;
    const whole = 4 * Math.PI;
    expect(geoArea(geometryOf(footprint!)) / whole).toBeLessThan(0.001);
  });

  it('is known by each of its datasets, once', () => {
    const set = new FootprintSet(['patch']);
    set.add([{ values: [4], rings: square(1, 1, 1).rings, approximate: false }], []);
    set.add(
      [],
      [
        { id: 'g', values: [], region: 0 },
        { id: 'r', values: [], region: 0 }
      ]
    );
    set.add([], [{ id: 'r', values: [], region: 0 }]);
    expect(set.of('r')?.datasets).toEqual(['g', 'r']);
    expect(set.datasetCount).toBe(2);
    expect(set.of('z')).toBeNull();
  });

  it('lies within the cap around all', () => {
    const set = setOf(square(359, 0, 1), square(3, 0, 1));
    const cap = set.cap()!;
    expect(Math.abs((Math.atan2(cap.centre[1], cap.centre[0]) * 180) / Math.PI - 1)).toBeLessThan(0.01);
    expect((cap.radius * 180) / Math.PI).toBeGreaterThan(3);
  });
});
