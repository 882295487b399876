import { describe, expect, it } from 'vitest';

import { readPosition, readRadius, writePosition, writeRadius } from '../position';

describe('a position', () => {
  it.each([
    ['53.0 -28.1', 53, -28.1],
    ['53.0, −28.1', 53, -28.1],
    ['53d -28.1d', 53, -28.1],
    ['-10 5', 350, 5],
    ['03:32:24 -28:06:00', 53.1, -28.1],
    ['03h32m24s -28d06m00s', 53.1, -28.1],
    ['03 32 24 -00 30 00', 53.1, -0.5],
    ['12:00 +10:30', 180, 10.5]
  ])('is read from %s', (text, ra, dec) => {
    const read = readPosition(text);
    expect(read).toEqual({ ra: expect.closeTo(ra, 9) as number, dec: expect.closeTo(dec, 9) as number });
  });

  it.each(['', 'M31', '53', '53 -91', '400 3', '03:72:24 -28:06:00'])('is not read from "%s"', text => {
    expect(typeof readPosition(text)).toBe('string');
  });

  it('can be read again as it is written', () => {
    const position = { ra: 53.0875576, dec: -27.5206612 };
    expect(readPosition(writePosition(position))).toEqual(position);
  });
});

describe('a radius', () => {
  it('has a unit, or is in degrees', () => {
    expect(readRadius('0.1')).toBe(0.1);
    expect(readRadius('0.1°')).toBe(0.1);
    expect(readRadius("6'")).toBeCloseTo(0.1);
    expect(readRadius('36"')).toBeCloseTo(0.01);
    expect(readRadius(writeRadius(0.25))).toBe(0.25);
  });

  it('is told to be none otherwise', () => {
    expect(typeof readRadius('wide')).toBe('string');
    expect(typeof readRadius('91')).toBe('string');
  });
});
