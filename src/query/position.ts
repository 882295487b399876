/**
 * Positions and angles as people write them.
 */

import { trans } from '../trans';

export interface IPosition {
  /** Degrees. */
  readonly ra: number;
  readonly dec: number;
}

const NUMBER = String.raw`[+-]?\d+(?:\.\d*)?|[+-]?\.\d+`;
const DEGREES = new RegExp(`^(${NUMBER})\\s*(?:°|d|deg)?[\\s,;]+(${NUMBER})\\s*(?:°|d|deg)?$`, 'i');
const SEXAGESIMAL =
  /^(\d{1,2})[\s:h](\d{1,2})(?:[\s:m′'](\d{1,2}(?:\.\d*)?))?[s″"]?[\s,;]+([+-]?)(\d{1,2})[\s:d°](\d{1,2})(?:[\s:m′'](\d{1,2}(?:\.\d*)?))?[s″"]?$/i;

/**
 * Read a position: `53.0 -28.1` in degrees, or `03:32:24 -28:06:00` with right ascension in hours.
 *
 * @returns The position, or a sentence that says what is wrong.
 */
export function readPosition(text: string): IPosition | string {
  // A typographic minus is what documents have.
  const plain = text.trim().replace(/[−–]/g, '-').replace(/\s+/g, ' ');
  const degrees = DEGREES.exec(plain);
  if (degrees) {
    return checked(Number(degrees[1]), Number(degrees[2]));
  }
  const parts = SEXAGESIMAL.exec(plain);
  if (!parts) {
    return trans.__('A position is two numbers in degrees, or like 03:32:24 -28:06:00.');
  }
  const [, hours, raMinutes, raSeconds = '0', sign, decDegrees, decMinutes, decSeconds = '0'] = parts;
  const minutes = [raMinutes, raSeconds, decMinutes, decSeconds].map(Number);
  if (minutes.some(value => value >= 60)) {
    return trans.__('Minutes and seconds are less than 60.');
  }
  const [ram = 0, ras = 0, dem = 0, des = 0] = minutes;
  const dec = Number(decDegrees) + dem / 60 + des / 3600;
  return checked(15 * (Number(hours) + ram / 60 + ras / 3600), sign === '-' ? -dec : dec);
}

/**
 * Read an angle: `0.1`, `0.1°`, `6'` or `20"`; without a unit, degrees.
 *
 * @returns Degrees, or a sentence that says what is wrong.
 */
export function readRadius(text: string): number | string {
  const parts = /^(\d+(?:\.\d*)?|\.\d+)\s*(°|d|deg|'|′|m|arcmin|"|″|s|arcsec)?$/i.exec(text.trim());
  if (!parts) {
    return trans.__('A radius is a number of degrees, or like 6\' or 20".');
  }
  const unit = (parts[2] ?? '°').toLowerCase();
  const scale = /^(°|d|deg)$/.test(unit) ? 1 : /^('|′|m|arcmin)$/.test(unit) ? 60 : 3600;
  const radius = Number(parts[1]) / scale;
  return radius <= 90 ? radius : trans.__('A radius is at most 90 degrees.');
}

/** A position in degrees, as it can be read again. */
export function writePosition({ ra, dec }: IPosition): string {
  return `${rounded(ra)} ${rounded(dec)}`;
}

/** An angle in degrees, as it can be read again. */
export function writeRadius(radius: number): string {
  return `${rounded(radius)}°`;
}

function rounded(value: number): number {
  return Number(value.toFixed(7));
}

function checked(ra: number, dec: number): IPosition | string {
  if (ra < -180 || ra > 360 || Math.abs(dec) > 90) {
    return trans.__('Right ascension is from 0 to 360 degrees, declination from -90 to 90.');
  }
  return { ra: ra < 0 ? ra + 360 : ra % 360, dec };
}
