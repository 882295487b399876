/**
 * Where pixels are on the sky; the backend says by which polynomials.
 */

import type { ImageSky } from '../../api';
import type { IPoint } from './view';

export interface ISkyPoint {
  /** ICRS, degrees. */
  readonly ra: number;
  readonly dec: number;
}

const DEGREE = Math.PI / 180;

/** The position of a pixel. */
export function toSky(sky: ImageSky, { x, y }: IPoint): ISkyPoint {
  const [xi, eta] = toPlane(sky, x, y);
  const dec0 = sky.dec * DEGREE;
  const depth = Math.cos(dec0) - eta * Math.sin(dec0);
  const ra = sky.ra + Math.atan2(xi, depth) / DEGREE;
  const dec = Math.atan2(Math.sin(dec0) + eta * Math.cos(dec0), Math.hypot(xi, depth)) / DEGREE;
  return { ra: ((ra % 360) + 360) % 360, dec };
}

/** On the plane that touches the sky in the middle of the image; radians to the east and to the north. */
function toPlane(sky: ImageSky, x: number, y: number): [number, number] {
  const us = polynomials((x - sky.x_center) / sky.x_half, sky.xi.length);
  const vs = polynomials((y - sky.y_center) / sky.y_half, sky.xi.length);
  const sum = (factors: number[][]): number =>
    factors.reduce(
      (all, row, i) => all + (us[i] ?? 0) * row.reduce((part, factor, j) => part + factor * (vs[j] ?? 0), 0),
      0
    );
  return [sum(sky.xi), sum(sky.eta)];
}

/** Chebyshev's, from the zeroth on. */
function polynomials(at: number, count: number): number[] {
  const values = [1, at];
  for (let degree = 2; degree < count; degree++) {
    values.push(2 * at * (values[degree - 1] ?? 0) - (values[degree - 2] ?? 0));
  }
  return values;
}

/** Directions on the screen, as angles counter-clockwise from the right, at a pixel. */
export function compass(sky: ImageSky, { x, y }: IPoint): { readonly north: number; readonly east: number } {
  const [xi, eta] = toPlane(sky, x, y);
  const [right, rightUp] = toPlane(sky, x + 1, y);
  const [up, upUp] = toPlane(sky, x, y + 1);
  const [a, b, c, d] = [right - xi, up - xi, rightUp - eta, upUp - eta];
  const determinant = a * d - b * c;
  // The inverse of how pixels map to the sky.
  return {
    north: Math.atan2(a / determinant, -b / determinant),
    east: Math.atan2(-c / determinant, d / determinant)
  };
}

/** A length for a scale bar: so many arcseconds, at most so many pixels of the screen. */
export function scaleBar(pixelsToArcsecond: number, most: number): { arcseconds: number; pixels: number } {
  const longest = most / pixelsToArcsecond;
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];
  const arcseconds = steps.filter(step => step <= longest).pop() ?? 0.1;
  return { arcseconds, pixels: arcseconds * pixelsToArcsecond };
}

/** Arcseconds as one writes them. */
export function angleText(arcseconds: number): string {
  if (arcseconds >= 3600) {
    return `${arcseconds / 3600}°`;
  }
  return arcseconds >= 60 ? `${arcseconds / 60}′` : `${arcseconds}″`;
}

/** Hours, minutes and seconds; degrees, minutes and seconds. */
export function sexagesimal({ ra, dec }: ISkyPoint): string {
  const sign = dec < 0 ? '−' : '+';
  return `${parts(ra / 15, 3, 24)} ${sign}${parts(Math.abs(dec), 2)}`;
}

function parts(value: number, digits: number, turn = Infinity): string {
  const unit = 10 ** digits;
  const total = Math.round(value * 3600 * unit) % (turn * 3600 * unit);
  const seconds = (total % (60 * unit)) / unit;
  const minutes = Math.floor(total / (60 * unit)) % 60;
  const whole = Math.floor(total / (3600 * unit));
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(whole)}:${two(minutes)}:${seconds.toFixed(digits).padStart(3 + digits, '0')}`;
}

/** In degrees; the fifth digit is a hundredth of an arcsecond and more. */
export function degrees({ ra, dec }: ISkyPoint): string {
  return `${ra.toFixed(6)}, ${dec < 0 ? '−' : '+'}${Math.abs(dec).toFixed(6)}`;
}
