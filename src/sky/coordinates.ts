/**
 * Coordinates as astronomers write them.
 */

import { DEGREE, type ISkyPosition } from './vectors';

/** Whether right ascension is written in degrees or in hours. */
export type RightAscensionUnit = 'degrees' | 'hours';

/** In degrees, with as many digits as a pixel of so many radians needs. */
export function inDegrees({ ra, dec }: ISkyPosition, pixel: number): string {
  const digits = digitsFor(pixel / DEGREE, 7);
  // Rounding may give 360, which is 0.
  const rounded = Number(ra.toFixed(digits)) % 360;
  return `${rounded.toFixed(digits)}° ${signed(dec, digits)}°`;
}

/** In hours and degrees with sixtieths. */
export function inSixtieths({ ra, dec }: ISkyPosition, pixel: number): string {
  const digits = digitsFor((pixel / DEGREE) * 3600, 3);
  const time = sixtieths((ra / 15) * 3600, digits + 1, 24);
  const angle = sixtieths(Math.abs(dec) * 3600, digits);
  const sign = dec < 0 && !/^[0:.]*$/.test(angle.join('')) ? '−' : '+';
  return `${time[0]}h ${time[1]}m ${time[2]}s ${sign}${angle[0]}° ${angle[1]}′ ${angle[2]}″`;
}

/** The label of a meridian, no longer than the distance between them needs. */
export function meridianLabel(ra: number, step: number, unit: RightAscensionUnit): string {
  const value = ((ra % 360) + 360) % 360;
  if (unit === 'degrees') {
    return `${value.toFixed(digitsFor(step, 6))}°`;
  }
  const seconds = step / 15 < 1 / 60 - 1e-9;
  const minutes = step / 15 < 1 - 1e-9;
  const [h, m, s] = sixtieths((value / 15) * 3600, seconds ? digitsFor(step * 240, 3) : 0, 24);
  return [`${Number(h)}h`, minutes ? `${m}m` : '', seconds ? `${s}s` : ''].filter(Boolean).join(' ');
}

/** The label of a parallel. */
export function parallelLabel(dec: number, step: number): string {
  return `${signed(dec, digitsFor(step, 6))}°`;
}

/** An angle in the unit that suits it. */
export function angleLabel(radians: number): string {
  const degrees = radians / DEGREE;
  if (degrees >= 1) {
    return `${trimmed(degrees)}°`;
  }
  return degrees * 60 >= 1 ? `${trimmed(degrees * 60)}′` : `${trimmed(degrees * 3600)}″`;
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function digitsFor(step: number, most: number): number {
  return Math.max(0, Math.min(most, Math.ceil(-Math.log10(step) - 1e-9)));
}

function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return `${value < 0 && Number(text) !== 0 ? '−' : '+'}${text}`;
}

/** Split seconds into whole units, whole sixtieths and the rest, so that none of them is ever sixty. */
function sixtieths(seconds: number, digits: number, wrap = Infinity): [string, string, string] {
  const tick = 10 ** digits;
  const ticks = Math.round(seconds * tick);
  const whole = Math.floor(ticks / (3600 * tick)) % wrap;
  const minutes = Math.floor(ticks / (60 * tick)) % 60;
  const rest = (ticks % (60 * tick)) / tick;
  const width = digits > 0 ? digits + 3 : 2;
  return [
    String(whole).padStart(2, '0'),
    String(minutes).padStart(2, '0'),
    rest.toFixed(digits).padStart(width, '0')
  ];
}
