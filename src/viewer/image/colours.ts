/**
 * Colour maps, and the colours of mask planes.
 */

import {
  interpolateCividis,
  interpolateInferno,
  interpolateMagma,
  interpolatePlasma,
  interpolateRainbow,
  interpolateRdBu,
  interpolateTurbo,
  interpolateViridis,
  schemeDark2,
  schemeSet3,
  schemeTableau10
} from 'd3-scale-chromatic';

/** Names of colour maps; the first six are perceptually uniform, the seventh is for differences. */
export type ColourMap = 'grey' | 'viridis' | 'magma' | 'inferno' | 'plasma' | 'cividis' | 'RdBu' | 'turbo';

const INTERPOLATORS: Readonly<Record<ColourMap, (part: number) => string>> = {
  // D3's goes from white to black along a straight line in colour.
  grey: part => {
    const level = Math.round(255 * part);
    return `rgb(${level}, ${level}, ${level})`;
  },
  viridis: interpolateViridis,
  magma: interpolateMagma,
  inferno: interpolateInferno,
  plasma: interpolatePlasma,
  cividis: interpolateCividis,
  RdBu: part => interpolateRdBu(1 - part),
  turbo: interpolateTurbo
};

export const COLOUR_MAPS = Object.keys(INTERPOLATORS) as ColourMap[];

/** 256 colours as numbers whose bytes are red, green, blue and opacity. */
export function coloursOf(map: ColourMap, inverted: boolean): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, step) =>
    packed(INTERPOLATORS[map]((inverted ? 255 - step : step) / 255))
  );
}

/** For the style of an element: a colour map from left to right. */
export function gradientOf(map: ColourMap, inverted: boolean): string {
  const stops = Array.from({ length: 17 }, (_, step) =>
    INTERPOLATORS[map]((inverted ? 16 - step : step) / 16)
  );
  return `linear-gradient(to right, ${stops.join(', ')})`;
}

/**
 * A colour for each mask plane, no two the same; those that mean the same in all images always have the
 * same, whatever other planes there are.
 */
export function maskColours(names: readonly string[]): string[] {
  const places = names.map(name => MASK_COLOURS[name.toUpperCase()]);
  const given = new Set<number>();
  // Two names of one meaning in the same mask are still two planes.
  const own = places.map(place => {
    if (place === undefined || given.has(place)) {
      return null;
    }
    given.add(place);
    return place;
  });
  let next = 0;
  return own.map(place => {
    if (place !== null) {
      return colourAt(place);
    }
    while (given.has(next)) {
      next += 1;
    }
    given.add(next);
    return colourAt(next);
  });
}

const PALETTE: readonly string[] = [...schemeTableau10, ...schemeDark2, ...schemeSet3];

/** Beyond the palette, hues as far from each other as the golden ratio brings them. */
function colourAt(place: number): string {
  return PALETTE[place] ?? interpolateRainbow((place * 0.618) % 1);
}

/**
 * Places in the palette: blue, orange, red, teal, green, yellow, purple, pink, brown, grey; then darker ones.
 */
const MASK_COLOURS: Readonly<Record<string, number>> = {
  DETECTED: 0,
  DETECTED_NEGATIVE: 3,
  SATURATED: 4,
  SAT: 4,
  BAD: 2,
  COSMIC_RAY: 1,
  CR: 1,
  INTERPOLATED: 5,
  INTRP: 5,
  NO_DATA: 9,
  DETECTOR_EDGE: 8,
  EDGE: 8,
  SUSPECT: 6,
  STREAK: 7,
  CLIPPED: 10,
  DETECTION_EDGE: 11
};

/** A colour as a number; takes `rgb(…)` and `#rrggbb`. */
export function packed(colour: string): number {
  const [red = 0, green = 0, blue = 0] = colour.startsWith('#')
    ? [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16))
    : (colour.match(/\d+/g) ?? []).map(Number);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
