import { describe, expect, it } from 'vitest';

import { exactCount, exactNumber, exactSize, shortCount, shortNumber, shortSize } from '..';

describe('numbers', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1 k'],
    [1312, '1.3 k'],
    [9960, '10 k'],
    [925_460, '925 k'],
    [999_499, '999 k'],
    [999_950, '1 M'],
    [5_123_456, '5.1 M']
  ])('%i is abbreviated to %s', (value, text) => {
    expect(shortNumber(value)).toBe(text);
  });

  it('are grouped when exact', () => {
    expect(exactNumber(5_123_456)).toBe('5,123,456');
  });

  it('that are only a bound say so', () => {
    expect(shortCount({ count: 100_000, exact: false })).toBe('100 k+');
    expect(exactCount({ count: 100_000, exact: false })).toBe('at least 100,000 datasets');
    expect(exactCount({ count: 1, exact: true })).toBe('1 dataset');
  });
});

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [512, '512 B'],
    [12_000_000, '12 MB'],
    [1_234_567_890, '1.2 GB']
  ])('%i bytes are %s, in decimal units', (bytes, text) => {
    expect(shortSize(bytes)).toBe(text);
  });

  it('are exact to the byte when asked', () => {
    expect(exactSize(12_345_678)).toBe('12,345,678 bytes');
  });
});
