import { describe, expect, it } from 'vitest';

import {
  type ISkyView,
  isWhole,
  panned,
  type Point,
  SkyProjection,
  viewOf,
  wholeView,
  zoomed
} from '../projection';
import { angleBetween, DEGREE, type ISkyPosition, positionOf, vectorOf } from '../vectors';

const WIDTH = 800;
const HEIGHT = 500;

const VIEWS: [string, ISkyView][] = [
  ['the whole sky', wholeView(WIDTH, HEIGHT, { ra: 0, dec: 0 })],
  ['the whole sky, turned', wholeView(WIDTH, HEIGHT, { ra: 250, dec: -40 })],
  ['a field', viewOf({ ra: 53.2, dec: -28.1 }, 2 * DEGREE, WIDTH, HEIGHT)],
  ['a field over 0 h', viewOf({ ra: 0.1, dec: 12 }, 1 * DEGREE, WIDTH, HEIGHT)],
  ['a pole', viewOf({ ra: 77, dec: -90 }, 10 * DEGREE, WIDTH, HEIGHT)],
  ['a few arcseconds', viewOf({ ra: 187.5, dec: 45 }, DEGREE / 600, WIDTH, HEIGHT)]
];

/** Places all over the map. */
const PLACES: Point[] = [100, 250, 400, 555, 700].flatMap(x => [80, 200, 250, 420].map(y => [x, y] as Point));

describe.each(VIEWS)('a map of %s', (_, view) => {
  const projection = new SkyProjection(view);

  it('gives for every place a direction that is at that place', () => {
    const seen = PLACES.flatMap(place => {
      const direction = projection.invert(place);
      return direction ? [{ place, again: projection.project(direction) }] : [];
    });
    expect(seen.length).toBeGreaterThan(8);
    for (const { place, again } of seen) {
      expect(again[0]).toBeCloseTo(place[0], 5);
      expect(again[1]).toBeCloseTo(place[1], 5);
    }
  });

  it('puts everything where d3 puts it', () => {
    const d3 = projection.d3();
    for (const place of PLACES) {
      const direction = projection.invert(place);
      if (direction) {
        const { ra, dec } = positionOf(direction);
        const [x, y] = d3([ra, dec])!;
        expect(x).toBeCloseTo(place[0], 3);
        expect(y).toBeCloseTo(place[1], 3);
      }
    }
  });

  it('has its own centre in the middle, and holds what is near it', () => {
    const [x, y] = projection.project(vectorOf(view.centre));
    expect(x).toBeCloseTo(WIDTH / 2, 6);
    expect(y).toBeCloseTo(HEIGHT / 2, 6);
    expect(projection.mayShow(vectorOf(view.centre), 0)).toBe(true);
  });

  it('moves what is held to where it is dragged', () => {
    const held = projection.invert([400, 250])!;
    const [x, y] = new SkyProjection(panned(view, [400, 250], [430, 240])).project(held);
    // At a pole, where every direction is south, nothing could be held with north up.
    expect(Math.hypot(x - 430, y - 240)).toBeLessThan(Math.abs(view.centre.dec) === 90 ? 60 : 1);
  });
});

describe('directions on the map', () => {
  const at = (position: ISkyPosition): Point =>
    new SkyProjection(viewOf({ ra: 53, dec: -28 }, DEGREE, WIDTH, HEIGHT)).project(vectorOf(position));

  it('north is up and east is left, also across 0 h', () => {
    expect(at({ ra: 53, dec: -27.9 })[1]).toBeLessThan(HEIGHT / 2);
    expect(at({ ra: 53.1, dec: -28 })[0]).toBeLessThan(WIDTH / 2);
    const over = new SkyProjection(viewOf({ ra: 359.95, dec: 0 }, DEGREE, WIDTH, HEIGHT));
    expect(over.project(vectorOf({ ra: 0.05, dec: 0 }))[0]).toBeLessThan(WIDTH / 2);
  });

  it('beside the oval of the whole sky there is none', () => {
    expect(new SkyProjection(wholeView(WIDTH, HEIGHT, { ra: 0, dec: 0 })).invert([5, 5])).toBeNull();
  });
});

describe('zooming', () => {
  it.each([
    [1.3, VIEWS[2]![1]],
    [0.8, VIEWS[2]![1]],
    [30, VIEWS[0]![1]],
    [0.02, VIEWS[2]![1]]
  ])('by %d keeps what is under the pointer there, or nearly', (factor, view) => {
    const pointer: Point = [WIDTH / 2 + 60, HEIGHT / 2 - 40];
    const held = new SkyProjection(view).invert(pointer)!;
    const next = zoomed(view, factor, pointer);
    const now = new SkyProjection(next).project(held);
    expect(Math.hypot(now[0] - pointer[0], now[1] - pointer[1])).toBeLessThan(isWhole(next) ? 5 : 1);
  });

  it('ends at the whole sky and at two arcseconds', () => {
    const whole = wholeView(WIDTH, HEIGHT, { ra: 0, dec: 0 });
    expect(zoomed(whole, 0.1, [400, 250]).scale).toBe(whole.scale);
    const near = zoomed(whole, 1e12, [400, 250]);
    expect(near.width / near.scale / DEGREE).toBeCloseTo(2 / 3600, 9);
  });

  it('a view of a cap has the cap in it', () => {
    const centre = { ra: 10, dec: 60 };
    const projection = new SkyProjection(viewOf(centre, 3 * DEGREE, WIDTH, HEIGHT));
    for (const dec of [57.01, 62.99]) {
      const edge = vectorOf({ ra: 10, dec });
      expect(angleBetween(edge, vectorOf(centre)) / DEGREE).toBeCloseTo(2.99, 6);
      expect(projection.holds(projection.project(edge))).toBe(true);
    }
  });
});
