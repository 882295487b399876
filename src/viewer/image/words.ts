/**
 * The texts of the image preview.
 */

import { trans } from '../../trans';
import type { ColourMap } from './colours';
import type { IReading } from './model';
import { degrees, sexagesimal } from './sky';
import type { Limits, Scale } from './stretch';

export function scaleText(scale: Scale): string {
  switch (scale) {
    case 'linear':
      return trans.__('Linear');
    case 'sqrt':
      return trans.__('Square root');
    case 'log':
      return trans.__('Logarithm');
    case 'asinh':
      return trans.__('Asinh');
  }
}

export function limitsText(limits: Limits): string {
  switch (limits) {
    case 'zscale':
      return trans.__('Zscale');
    case 'minmax':
      return trans.__('Min to max');
    case 'manual':
      return trans.__('By hand');
    default:
      return trans.__('%1 %', limits.slice(1));
  }
}

export function mapText(map: ColourMap): string {
  switch (map) {
    case 'grey':
      return trans.__('Grey');
    case 'RdBu':
      return trans.__('Red and blue');
    default:
      return map.charAt(0).toUpperCase() + map.slice(1);
  }
}

/** What a plane is called: its identifier, which is a path for those that are parts of something. */
export function planeText(id: string): string {
  const [group, name] = id.split('/');
  switch (group) {
    case 'image':
      return trans.__('Image');
    case 'variance':
      return trans.__('Variance');
    case 'backgrounds':
      return trans.__('Background: %1', name ?? '');
    case 'mask_fractions':
      return trans.__('Mask fraction: %1', name ?? '');
    case 'noise_realizations':
      return trans.__('Noise %1', name ?? '');
    default:
      return id;
  }
}

/** How much of the image a dot stands for. */
export function binText(bin: number): string {
  return bin === 1
    ? trans.__('Full resolution')
    : trans.__('1 of %1 pixels each way, averaged; zoom in for full resolution', bin);
}

/** A value with as many digits as matter. */
export function valueText(value: number | null | undefined, unit: string): string {
  if (value === undefined) {
    return '…';
  }
  if (value === null) {
    return trans.__('no value');
  }
  return `${Number(value.toPrecision(6))}${unit ? ` ${unit}` : ''}`;
}

/** A place in one sentence, for those who listen. */
export function spokenReading(reading: IReading, unit: string): string {
  const { x, y, sky, value, bin, flags } = reading;
  const parts = [trans.__('x %1, y %2', x, y), valueText(value, unit)];
  if (bin > 1) {
    parts.push(trans.__('mean of %1 by %1 pixels', bin));
  }
  if (sky) {
    parts.push(trans.__('right ascension and declination %1', degrees(sky)));
  }
  if (flags?.length) {
    parts.push(trans.__('mask %1', flags.join(', ')));
  }
  return parts.join('; ');
}

export function skyTexts(
  reading: IReading
): { readonly degrees: string; readonly sexagesimal: string } | null {
  return reading.sky && { degrees: degrees(reading.sky), sexagesimal: sexagesimal(reading.sky) };
}
