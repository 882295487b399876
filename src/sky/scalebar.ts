import { angleLabel } from './coordinates';
import { DEGREE } from './vectors';

const MINUTE = 1 / 60;
const SECOND = 1 / 3600;

const LENGTHS = [60, 30, 10, 5, 2, 1]
  .concat([30, 10, 5, 2, 1].map(minutes => minutes * MINUTE))
  .concat([30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01].map(seconds => seconds * SECOND));

/** The longest round angle that is not longer than so many pixels, with its length and its label. */
export function scaleBar(scale: number, most: number): { readonly pixels: number; readonly label: string } {
  const degrees = LENGTHS.find(length => length * DEGREE * scale <= most) ?? LENGTHS.at(-1) ?? 1;
  return { pixels: degrees * DEGREE * scale, label: angleLabel(degrees * DEGREE) };
}
