import { geoAzimuthalEqualArea, type GeoProjection } from 'd3-geo';
import { geoHammer } from 'd3-geo-projection';

import { DEGREE, dot, type ISkyPosition, type Vector } from './vectors';

/** A place on the screen, in pixels from the upper left corner of the map. */
export type Point = readonly [number, number];

/** What of the sky is seen, and how large. North is up, right ascension grows to the left. */
export interface ISkyView {
  readonly centre: ISkyPosition;
  /** Pixels for a radian, in the centre. */
  readonly scale: number;
  readonly width: number;
  readonly height: number;
}

/** A view at least so wide, in radians, shows the whole sky at once. */
const WIDE = 2.1;

/** Width and height of the whole sky for a scale of one. */
const WHOLE = { width: 4 * Math.SQRT2, height: 2 * Math.SQRT2 } as const;

/** Widest angle from the centre, in radians, that the corners of a map without the whole sky can have. */
const FARTHEST = 2.8;

/** Seconds of arc across the map at the largest scale. */
const NARROWEST = 2;

/**
 * Puts the sky on the screen and back: the whole sky in Hammer's projection, parts of it in the zenithal
 * equal-area one, which it is derived from, so that nothing jumps in between.
 *
 * Footprints come by the ten thousand, so directions are projected here without trigonometry; lines that
 * have to be cut and bent are drawn by d3's equal of the same projection.
 */
export class SkyProjection {
  constructor(readonly view: ISkyView) {
    const { centre, scale, width, height } = view;
    const [a, d] = [centre.ra * DEGREE, centre.dec * DEGREE];
    this.centre = [Math.cos(d) * Math.cos(a), Math.cos(d) * Math.sin(a), Math.sin(d)];
    this._east = [-Math.sin(a), Math.cos(a), 0];
    this._north = [-Math.sin(d) * Math.cos(a), -Math.sin(d) * Math.sin(a), Math.cos(d)];
    this._middle = [width / 2, height / 2];
    this.isWhole = isWhole(view);
    const halfDiagonal = Math.hypot(width, height) / 2 / scale;
    this.radius = this.isWhole ? Math.PI : Math.min(FARTHEST, 2 * Math.asin(Math.min(1, halfDiagonal / 2)));
  }

  /** The direction in the middle of the map. */
  readonly centre: Vector;

  /** Whether all the sky can be seen, in one oval. */
  readonly isWhole: boolean;

  /** How far from the centre the corners are, in radians. */
  readonly radius: number;

  /** Where a direction is on the screen, which may be outside the map. */
  project(direction: Vector): Point {
    const x = dot(direction, this.centre);
    const y = dot(direction, this._east);
    const z = dot(direction, this._north);
    return this.isWhole ? this._hammer(x, y, z) : this._zenithal(x, y, z);
  }

  /** The direction at a place on the screen, or null beside the sky. */
  invert([left, top]: Point): Vector | null {
    const { scale } = this.view;
    const [X, Y] = [(this._middle[0] - left) / scale, (this._middle[1] - top) / scale];
    const seen = this.isWhole ? unhammer(X, Y) : unzenithal(X, Y);
    if (!seen) {
      return null;
    }
    const [x, y, z] = seen;
    const [c, e, n] = [this.centre, this._east, this._north];
    return [x * c[0] + y * e[0] + z * n[0], x * c[1] + y * e[1] + z * n[1], x * c[2] + y * e[2] + z * n[2]];
  }

  /** Whether a cap of the sky may reach into the map. */
  mayShow(direction: Vector, radius: number): boolean {
    return this.isWhole || dot(direction, this.centre) >= Math.cos(Math.min(Math.PI, this.radius + radius));
  }

  /** Whether a place on the screen is within the map, by some pixels at least. */
  holds([left, top]: Point, margin = 0): boolean {
    const { width, height } = this.view;
    return left >= margin && left <= width - margin && top >= margin && top <= height - margin;
  }

  /**
   * Whether the outline between two directions goes over the edge of the whole sky, where the map is cut;
   * or is so far behind in a part of it that it would be drawn across.
   */
  isCut(a: Vector, b: Vector): boolean {
    if (this.isWhole) {
      return (
        dot(a, this._east) * dot(b, this._east) <= 0 && (dot(a, this.centre) < 0 || dot(b, this.centre) < 0)
      );
    }
    return dot(a, this.centre) < -0.9 || dot(b, this.centre) < -0.9;
  }

  /** The same projection for d3, which cuts lines at the edge and bends them as they should be. */
  d3(): GeoProjection {
    const { centre, scale, width, height } = this.view;
    const projection = (this.isWhole ? geoHammer() : geoAzimuthalEqualArea())
      .rotate([-centre.ra, -centre.dec])
      .translate([width / 2, height / 2])
      .scale(scale)
      .reflectX(true)
      .precision(0.5);
    return this.isWhole
      ? projection
      : projection.clipExtent([
          [-CLIP, -CLIP],
          [width + CLIP, height + CLIP]
        ]);
  }

  private _hammer(x: number, y: number, z: number): Point {
    const flat = Math.hypot(x, y);
    const cosine = flat === 0 ? 1 : Math.max(-1, Math.min(1, x / flat));
    const half = Math.sqrt((1 + cosine) / 2);
    const across = Math.sign(y) * Math.sqrt((1 - cosine) / 2);
    const k = (this.view.scale * Math.SQRT2) / Math.sqrt(1 + flat * half);
    return [this._middle[0] - 2 * k * flat * across, this._middle[1] - k * z];
  }

  private _zenithal(x: number, y: number, z: number): Point {
    const k = this.view.scale * Math.sqrt(2 / Math.max(1e-12, 1 + x));
    return [this._middle[0] - k * y, this._middle[1] - k * z];
  }

  private readonly _east: Vector;
  private readonly _north: Vector;
  private readonly _middle: Point;
}

/** Pixels beyond the map to which lines are drawn. */
const CLIP = 20;

/** Whether a view shows the whole sky. */
export function isWhole({ scale, width }: ISkyView): boolean {
  return width / scale >= WIDE;
}

/** The scale at which the whole sky just fits. */
export function wholeScale(width: number, height: number): number {
  return 0.94 * Math.max(1, Math.min(width / WHOLE.width, height / WHOLE.height));
}

/** The whole sky. */
export function wholeView(width: number, height: number, centre: ISkyPosition): ISkyView {
  return { centre, width, height, scale: wholeScale(width, height) };
}

/** The view that has a cap of the sky in it. */
export function viewOf(centre: ISkyPosition, radius: number, width: number, height: number): ISkyView {
  const scale = (0.45 * Math.min(width, height)) / Math.max(radius, 1e-6);
  return limited({ centre, width, height, scale });
}

/** Move what is at one place on the screen to another, as far as north stays up. */
export function panned(view: ISkyView, from: Point, to: Point): ISkyView {
  const held = new SkyProjection(view).invert(from);
  let next = shifted(view, to[0] - from[0], to[1] - from[1]);
  // Meridians are neither straight nor parallel: what is left over becomes small soon, except at a pole.
  for (let step = 0; held && step < 3; step++) {
    const [x, y] = new SkyProjection(next).project(held);
    next = shifted(next, to[0] - x, to[1] - y);
  }
  return next;
}

/** Show everything so many times larger; what is at this place on the screen stays there. */
export function zoomed(view: ISkyView, factor: number, at: Point): ISkyView {
  const next = limited({ ...view, scale: view.scale * factor });
  const held = new SkyProjection(view).invert(at);
  if (!held) {
    return next;
  }
  return panned(next, new SkyProjection(next).project(held), at);
}

/** The same view of a map of another size. */
export function resized(view: ISkyView, width: number, height: number): ISkyView {
  return limited({ ...view, width, height });
}

function shifted(view: ISkyView, right: number, down: number): ISkyView {
  const { centre, scale } = view;
  const dec = centre.dec + down / scale / DEGREE;
  const stretch = Math.max(0.1, Math.cos(centre.dec * DEGREE));
  const ra = centre.ra + right / scale / DEGREE / stretch;
  return { ...view, centre: { ra: ((ra % 360) + 360) % 360, dec: Math.max(-90, Math.min(90, dec)) } };
}

function limited(view: ISkyView): ISkyView {
  const { width, height, scale } = view;
  const largest = width / ((NARROWEST / 3600) * DEGREE);
  return { ...view, scale: Math.max(wholeScale(width, height), Math.min(largest, scale)) };
}

function unzenithal(X: number, Y: number): Vector | null {
  const square = X * X + Y * Y;
  if (square > 4) {
    return null;
  }
  const k = Math.sqrt(1 - square / 4);
  return [1 - square / 2, X * k, Y * k];
}

function unhammer(X: number, Y: number): Vector | null {
  const half = unzenithal(X / 2, Y);
  if (!half || half[0] < 0) {
    return null;
  }
  const [x, y, z] = half;
  const flat = Math.hypot(x, y);
  return flat === 0 ? [0, 0, z] : [(x * x - y * y) / flat, (2 * x * y) / flat, z];
}
