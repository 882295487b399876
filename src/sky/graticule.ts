import type { MultiLineString } from 'geojson';

import { meridianLabel, parallelLabel, type RightAscensionUnit } from './coordinates';
import { type Point, SkyProjection } from './projection';
import { cross, DEGREE, positionOf, unit, type Vector, vectorOf } from './vectors';

/** Lines of equal coordinates, and what is written at them. */
export interface IGraticule {
  readonly lines: MultiLineString;
  readonly labels: readonly { readonly text: string; readonly at: Point; readonly side: 'bottom' | 'left' }[];
}

/** Pixels that lines should be apart. */
const APART = 110;

const SECOND = 1 / 3600;
const MINUTE = 1 / 60;

const DECLINATIONS = [
  30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 1e-5
];
const DEGREES = [30, ...DECLINATIONS.slice(1)];
const HOURS = [2, 1, 30 * MINUTE, 10 * MINUTE, 5 * MINUTE, 2 * MINUTE, MINUTE].concat(
  [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.01, 0.001].map(seconds => seconds * SECOND)
);

const NORTH_GALACTIC_POLE = { ra: 192.85948, dec: 27.12825 };
const NORTH_ECLIPTIC_POLE = { ra: 270, dec: 66.560709 };

/** The plane of the Galaxy, and that of the Earth's orbit (J2000). */
export const GALACTIC_PLANE = greatCircle(vectorOf(NORTH_GALACTIC_POLE));
export const ECLIPTIC = greatCircle(vectorOf(NORTH_ECLIPTIC_POLE));

/** The lines that suit a map. */
export function graticule(projection: SkyProjection, unitOfRa: RightAscensionUnit): IGraticule {
  const { scale, centre } = projection.view;
  const apart = APART / scale / DEGREE;
  const declinations = stepFor(DECLINATIONS, apart);
  const stretch = projection.isWhole ? 1 : Math.max(0.02, Math.cos(centre.dec * DEGREE));
  const meridians =
    unitOfRa === 'hours' ? stepFor(HOURS, apart / stretch / 15) * 15 : stepFor(DEGREES, apart / stretch);
  const range = extent(projection);
  const ras = multiples(range.ra, meridians).filter(ra => ra < range.ra[0] + 360 - 1e-9);
  const decs = multiples(range.dec, declinations);
  const [south, north] = range.dec;
  const lines: [number, number][][] = [
    ...ras.map(ra => along(n => [ra, south + (north - south) * n])),
    ...decs.flatMap(dec =>
      Math.abs(dec) < 90 ? [along(n => [range.ra[0] + (range.ra[1] - range.ra[0]) * n, dec])] : []
    )
  ];
  return {
    lines: { type: 'MultiLineString', coordinates: lines },
    labels: projection.isWhole
      ? labelsOfWhole(projection, ras, decs, meridians, declinations, unitOfRa)
      : labelsOfPart(projection, meridians, declinations, unitOfRa)
  };
}

/** The largest step that is not larger than asked for, or the smallest there is. */
function stepFor(steps: readonly number[], largest: number): number {
  return steps.find(step => step <= largest * 1.5) ?? steps.at(-1) ?? 1;
}

/** Right ascensions, growing beyond 360 if need be, and declinations that can be seen. */
function extent(projection: SkyProjection): { ra: [number, number]; dec: [number, number] } {
  const { width, height, centre } = projection.view;
  const whole: { ra: [number, number]; dec: [number, number] } = { ra: [0, 360], dec: [-90, 90] };
  if (projection.isWhole) {
    return whole;
  }
  const seen: { ra: number; dec: number }[] = [];
  for (let step = 0; step <= 16; step++) {
    const [x, y] = [(width * step) / 16, (height * step) / 16];
    for (const at of [
      [x, 0],
      [x, height],
      [0, y],
      [width, y]
    ] as Point[]) {
      const direction = projection.invert(at);
      if (!direction) {
        return whole;
      }
      seen.push(positionOf(direction));
    }
  }
  const turned = seen.map(({ ra }) => centre.ra + ((((ra - centre.ra) % 360) + 540) % 360) - 180);
  const decs = seen.map(({ dec }) => dec);
  const poles = [90, -90].filter(dec => projection.holds(projection.project(vectorOf({ ra: 0, dec }))));
  const inView = poles.filter(dec => Math.abs(dec - centre.dec) < 90);
  const dec: [number, number] = [Math.min(...decs, ...inView), Math.max(...decs, ...inView)];
  return inView.length > 0 ? { ra: whole.ra, dec } : { ra: [Math.min(...turned), Math.max(...turned)], dec };
}

function multiples([from, to]: [number, number], step: number): number[] {
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: Math.min(400, Math.max(0, last - first + 1)) }, (_, n) => (first + n) * step);
}

function along(at: (part: number) => [number, number]): [number, number][] {
  return Array.from({ length: 37 }, (_, n) => at(n / 36));
}

/** On the whole sky, along the equator and down the middle. */
function labelsOfWhole(
  projection: SkyProjection,
  ras: readonly number[],
  decs: readonly number[],
  meridians: number,
  declinations: number,
  unitOfRa: RightAscensionUnit
): IGraticule['labels'] {
  const { ra } = projection.view.centre;
  return [
    ...ras.map(value => ({
      text: meridianLabel(value, meridians, unitOfRa),
      at: projection.project(vectorOf({ ra: value, dec: 0 })),
      side: 'bottom' as const
    })),
    ...decs
      .filter(dec => dec !== 0 && Math.abs(dec) < 90)
      .map(dec => ({
        text: parallelLabel(dec, declinations),
        at: projection.project(vectorOf({ ra, dec })),
        side: 'left' as const
      }))
  ].filter(({ at }) => projection.holds(at));
}

/** On a part of it, where the lines meet the lower and the left edge. */
function labelsOfPart(
  projection: SkyProjection,
  meridians: number,
  declinations: number,
  unitOfRa: RightAscensionUnit
): IGraticule['labels'] {
  const { width, height } = projection.view;
  const below = crossings(
    n => [width * n, height],
    at => positionOf(projection.invert(at) ?? projection.centre).ra,
    meridians,
    true
  ).map(({ value, at }) => ({
    text: meridianLabel(value, meridians, unitOfRa),
    at,
    side: 'bottom' as const
  }));
  const beside = crossings(
    n => [0, height * n],
    at => positionOf(projection.invert(at) ?? projection.centre).dec,
    declinations,
    false
  ).map(({ value, at }) => ({ text: parallelLabel(value, declinations), at, side: 'left' as const }));
  return [...apartFrom(below, 0, 60), ...apartFrom(beside, 1, 18)].filter(({ at: [x, y] }) =>
    x > 24 ? x < width - 24 : y > 12 && y < height - 24
  );
}

/** Where along an edge a coordinate is a multiple of a step. */
function crossings(
  place: (part: number) => Point,
  coordinate: (at: Point) => number,
  step: number,
  wraps: boolean
): { readonly value: number; readonly at: Point }[] {
  const parts = 200;
  const found: { value: number; at: Point }[] = [];
  let before = coordinate(place(0));
  for (let n = 1; n <= parts; n++) {
    let now = coordinate(place(n / parts));
    if (wraps) {
      now += 360 * Math.round((before - now) / 360);
    }
    const [low, high] = [Math.min(before, now), Math.max(before, now)];
    // Near a pole several lie between two places; the first is enough there.
    const value = Math.ceil(low / step - 1e-9) * step;
    if (value <= high && high > low && high - low < 10 * step) {
      const part = (n - 1 + (value - before) / (now - before)) / parts;
      found.push({ value, at: place(part) });
    }
    before = now;
  }
  return found;
}

function apartFrom<T extends { readonly at: Point }>(labels: readonly T[], axis: 0 | 1, pixels: number): T[] {
  const kept: T[] = [];
  for (const label of labels) {
    const last = kept.at(-1);
    if (!last || Math.abs(label.at[axis] - last.at[axis]) >= pixels) {
      kept.push(label);
    }
  }
  return kept;
}

function greatCircle(pole: Vector): MultiLineString {
  const first = unit(cross(pole, [0, 0, 1]));
  const second = cross(pole, first);
  const line = Array.from({ length: 181 }, (_, n): [number, number] => {
    const [c, s] = [Math.cos(2 * n * DEGREE), Math.sin(2 * n * DEGREE)];
    const { ra, dec } = positionOf([
      c * first[0] + s * second[0],
      c * first[1] + s * second[1],
      c * first[2] + s * second[2]
    ]);
    return [ra, dec];
  });
  return { type: 'MultiLineString', coordinates: [line] };
}
