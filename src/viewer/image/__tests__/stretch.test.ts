import { describe, expect, it } from 'vitest';

import type { ImageStatistics } from '../../../api';
import { COLOUR_MAPS, coloursOf, maskColours, packed } from '../colours';
import { ColourTable, LIMITS, rangeOf, SCALES, stretched } from '../stretch';

const STATISTICS: ImageStatistics = {
  pixels: 1000,
  missing: 10,
  minimum: -50,
  maximum: 9000,
  zscale: [-3, 12],
  percentiles: [
    [0, -50],
    [0.1, -10],
    [1, -5],
    [50, 0],
    [99, 40],
    [99.9, 500],
    [100, 9000]
  ],
  sampled: 1000
};

const GREY = coloursOf('grey', false);

describe('A scale', () => {
  it.each(SCALES)('%s goes from 0 to 1 and always upwards', scale => {
    const values = Array.from({ length: 101 }, (_, step) => stretched(scale, step / 100));
    expect(values[0]).toBe(0);
    expect(values[100]).toBeCloseTo(1, 12);
    expect(values.slice(1).every((value, at) => value > values[at]!)).toBe(true);
  });

  it('agrees with astropy', () => {
    // LogStretch()(0.1), AsinhStretch()(0.1), SqrtStretch()(0.1)
    expect(stretched('log', 0.1)).toBeCloseTo(0.6680105, 6);
    expect(stretched('asinh', 0.1)).toBeCloseTo(0.2939653, 6);
    expect(stretched('sqrt', 0.1)).toBeCloseTo(0.3162278, 6);
  });
});

describe('Limits', () => {
  it('are those of all values, of zscale, or of the middle part', () => {
    expect(rangeOf('minmax', STATISTICS, null)).toEqual({ low: -50, high: 9000 });
    expect(rangeOf('zscale', STATISTICS, null)).toEqual({ low: -3, high: 12 });
    expect(rangeOf('p99.8', STATISTICS, null).low).toBeCloseTo(-10);
    expect(rangeOf('p99.8', STATISTICS, null).high).toBeCloseTo(500);
  });

  it('are interpolated between the percentiles that are known', () => {
    const { low, high } = rangeOf('p90', STATISTICS, null);
    expect(low).toBeCloseTo(-5 + (5 * 4) / 49);
    expect(high).toBeCloseTo((40 * 45) / 49);
  });

  it('by hand are what was set', () => {
    expect(rangeOf('manual', STATISTICS, { low: 1, high: 2 })).toEqual({ low: 1, high: 2 });
  });

  it.each(LIMITS)('%s make a range even of an image whose values are all the same', limits => {
    const flat: ImageStatistics = {
      ...STATISTICS,
      minimum: 7,
      maximum: 7,
      zscale: [7, 7],
      percentiles: [
        [0, 7],
        [100, 7]
      ]
    };
    expect(rangeOf(limits, flat, { low: 0, high: 1 }).high).toBeGreaterThan(
      rangeOf(limits, flat, { low: 0, high: 1 }).low
    );
  });
});

describe('A colour table', () => {
  it('paints rows from the bottom to the top, and clips', () => {
    const table = new ColourTable({ low: 0, high: 255 }, 'linear', GREY);
    const target = new Uint32Array(4);
    table.paint(Float32Array.of(-10, 51, 102, 1e9), 2, 2, target);
    expect([...target].map(colour => colour & 255)).toEqual([102, 255, 0, 51]);
  });

  it('leaves what has no value transparent, not black', () => {
    const table = new ColourTable({ low: 0, high: 1 }, 'asinh', GREY);
    const target = new Uint32Array(2).fill(1);
    table.paint(Float32Array.of(NaN, 0), 2, 1, target);
    expect(target[0]! >>> 24).toBe(0);
    expect(target[1]! >>> 24).toBe(255);
  });

  it('tells faint values apart on a logarithmic scale', () => {
    const table = new ColourTable({ low: 0, high: 1 }, 'log', GREY);
    const values = Float32Array.from({ length: 20 }, (_, step) => step / 10_000);
    const target = new Uint32Array(20);
    table.paint(values, 20, 1, target);
    expect(new Set(target).size).toBe(20);
  });
});

describe('Colour maps', () => {
  it.each(COLOUR_MAPS)('%s has 256 opaque colours, and the same ones inverted', map => {
    const colours = coloursOf(map, false);
    expect(colours).toHaveLength(256);
    expect(colours.every(colour => colour >>> 24 === 255)).toBe(true);
    expect([...coloursOf(map, true)]).toEqual([...colours].reverse());
    expect(new Set(colours).size).toBeGreaterThan(100);
  });

  it('are read from both ways in which colours are written', () => {
    expect(packed('rgb(1, 2, 3)')).toBe(0xff030201);
    expect(packed('#010203')).toBe(0xff030201);
  });

  it('give a mask plane the same colour wherever it is in the mask', () => {
    const [saturated] = maskColours(['SATURATED', 'DETECTED']);
    expect(maskColours(['one', 'DETECTED', 'SAT'])[2]).toBe(saturated);
  });

  it('tell all planes of a mask apart, however many there are', () => {
    const names = ['CLIPPED', 'COSMIC_RAY', 'DETECTION_EDGE', 'DETECTOR_EDGE', 'SAT', 'SATURATED'];
    const many = [...names, ...Array.from({ length: 40 }, (_, index) => `MINE_${index}`)];
    expect(new Set(maskColours(many).map(packed)).size).toBe(many.length);
  });
});
