import { geoContains, type GeoGeometryObjects } from 'd3-geo';

import type { Footprint, FootprintDataset } from '../api';
import { angleBetween, cross, dot, unit, type Vector, vectorOf } from './vectors';

/** A region on the sky, and the datasets that are there. */
export interface IFootprint {
  readonly index: number;
  /** Values of the region's dimensions, by name. */
  readonly values: Readonly<Record<string, string | number>>;
  /** Corners of each of its polygons. */
  readonly rings: readonly (readonly Vector[])[];
  /** Middle and radius, in radians, of a cap that holds it. */
  readonly centre: Vector;
  readonly radius: number;
  /** Whether each of its polygons is on one side of all its own sides. */
  readonly isConvex: boolean;
  readonly approximate: boolean;
  /** Identifiers of its datasets in the order of the list. */
  readonly datasets: string[];
}

/** Dimensions that all regions share, and whose names nobody needs to read on a map. */
const UNSAID = ['instrument', 'skymap'];

/**
 * All footprints of a result, which grow as they come.
 *
 * Twenty thousand are looked through in less than a tenth of a millisecond to find those at a place: a cap
 * around each leaves few to be looked at closely.
 */
export class FootprintSet {
  constructor(private readonly _dimensions: readonly string[]) {}

  get all(): readonly IFootprint[] {
    return this._all;
  }

  /** How many datasets they have. */
  get datasetCount(): number {
    return this._places.size;
  }

  add(regions: readonly Footprint[], datasets: readonly FootprintDataset[]): void {
    for (const region of regions) {
      this._all.push(this._footprint(region));
    }
    for (const { id, region } of datasets) {
      const footprint = this._all[region];
      if (footprint && !this._places.has(id)) {
        footprint.datasets.push(id);
        this._places.set(id, region);
      }
    }
  }

  /** The footprint of a dataset, or null if it has none here. */
  of(dataset: string): IFootprint | null {
    return this._all[this._places.get(dataset) ?? -1] ?? null;
  }

  /** The footprints that hold a direction, in order. */
  at(direction: Vector): IFootprint[] {
    return this.near(direction, 0).filter(footprint => contains(footprint, direction));
  }

  /** The footprints whose caps come within so many radians of a direction. */
  near(direction: Vector, margin: number): IFootprint[] {
    return this._all.filter(
      ({ centre, radius }) => dot(centre, direction) >= Math.cos(Math.min(Math.PI, radius + margin)) - 1e-15
    );
  }

  /** A cap that holds all of them, or null if there are none. */
  cap(of: readonly IFootprint[] = this._all): { readonly centre: Vector; readonly radius: number } | null {
    return of.length === 0
      ? null
      : capAround(
          of.map(({ centre }) => centre),
          of.map(({ radius }) => radius)
        );
  }

  private _footprint({ values, rings, approximate }: Footprint): IFootprint {
    const corners = rings.map(ring => ring.map(([ra, dec]) => vectorOf({ ra, dec })));
    return {
      index: this._all.length,
      values: Object.fromEntries(this._dimensions.map((name, at) => [name, values[at] ?? ''])),
      rings: corners,
      ...capAround(corners.flat()),
      isConvex: corners.every(isConvex),
      approximate,
      datasets: []
    };
  }

  private readonly _all: IFootprint[] = [];
  private readonly _places = new Map<string, number>();
}

/** What a footprint is called: the values that tell it from others. */
export function nameOf({ values }: IFootprint): string {
  const said = Object.entries(values).filter(([name]) => !UNSAID.includes(name));
  return (said.length > 0 ? said : Object.entries(values)).map(pair => pair.join(' ')).join(' · ');
}

/** Whether a direction is inside a footprint. */
export function contains(footprint: IFootprint, direction: Vector): boolean {
  return footprint.isConvex
    ? footprint.rings.some(ring => isInside(ring, direction))
    : geoContains(geometryOf(footprint), degrees(direction));
}

/** A footprint as d3 takes it: the other way round, closed, east to the right. */
export function geometryOf({ rings }: IFootprint): GeoGeometryObjects {
  const coordinates = rings.map(ring => {
    const back = [...ring].reverse().map(degrees);
    return [[...back, back[0] ?? [0, 0]]];
  });
  return { type: 'MultiPolygon', coordinates };
}

function degrees([x, y, z]: Vector): [number, number] {
  return [(Math.atan2(y, x) * 180) / Math.PI, (Math.atan2(z, Math.hypot(x, y)) * 180) / Math.PI];
}

/** Rings go counter-clockwise as seen from outside: inside is left of every side. */
function isInside(ring: readonly Vector[], direction: Vector): boolean {
  return ring.every((corner, at) => dot(cross(corner, following(ring, at)), direction) >= -1e-15);
}

function isConvex(ring: readonly Vector[]): boolean {
  return ring.every((corner, at) => {
    const side = cross(corner, following(ring, at));
    return ring.every(other => dot(side, other) >= -1e-12);
  });
}

function following(ring: readonly Vector[], at: number): Vector {
  return ring[(at + 1) % ring.length] ?? [0, 0, 0];
}

function capAround(
  directions: readonly Vector[],
  margins: readonly number[] = []
): { centre: Vector; radius: number } {
  const sum: [number, number, number] = [0, 0, 0];
  for (const [x, y, z] of directions) {
    sum[0] += x;
    sum[1] += y;
    sum[2] += z;
  }
  const centre = unit(sum);
  const radius = directions.reduce(
    (most, direction, at) => Math.max(most, angleBetween(centre, direction) + (margins[at] ?? 0)),
    0
  );
  return { centre, radius: Math.min(Math.PI, radius) };
}
