/**
 * Directions on the sky as unit vectors, ICRS: x to RA 0h, y to RA 6h on the equator, z to the north pole.
 */

/** A direction. */
export type Vector = readonly [number, number, number];

/** A position in degrees, ICRS. */
export interface ISkyPosition {
  /** From 0 to 360. */
  readonly ra: number;
  readonly dec: number;
}

export const DEGREE = Math.PI / 180;

/** The direction of a position. */
export function vectorOf({ ra, dec }: ISkyPosition): Vector {
  const [a, d] = [ra * DEGREE, dec * DEGREE];
  return [Math.cos(d) * Math.cos(a), Math.cos(d) * Math.sin(a), Math.sin(d)];
}

/** The position in a direction, which need not be of length one. */
export function positionOf([x, y, z]: Vector): ISkyPosition {
  const ra = Math.atan2(y, x) / DEGREE;
  return { ra: ra < 0 ? ra + 360 : ra, dec: Math.atan2(z, Math.hypot(x, y)) / DEGREE };
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** The same direction with length one; of nothing, nothing. */
export function unit(a: Vector): Vector {
  const length = Math.hypot(a[0], a[1], a[2]);
  return length === 0 ? a : [a[0] / length, a[1] / length, a[2] / length];
}

/** Angle between two directions in radians, right for small ones too. */
export function angleBetween(a: Vector, b: Vector): number {
  const across = cross(a, b);
  return Math.atan2(Math.hypot(across[0], across[1], across[2]), dot(a, b));
}
