import { describe, expect, it } from 'vitest';

import { cellOf, exactCell, shortFloat } from '../cells';
import { columnsBetween, offsetsOf } from '../scrolling';
import { searchColumns } from '../search';
import { column } from './standin';

describe('a number', () => {
  it.each([
    ['0.0', '0.0'],
    ['1.0', '1'],
    ['-0.00812345678', '-0.00812346'],
    ['53.12345678901', '53.1235'],
    ['123456.789', '123456.8'],
    ['1234567.0', '1234567'],
    ['1.2345678e-12', '1.2346e-12'],
    ['5e+30', '5e30'],
    ['inf', '∞'],
    ['-inf', '−∞'],
    ['nan', 'NaN']
  ])('%s is shown as %s', (value, shown) => {
    expect(shortFloat(value)).toBe(shown);
  });

  it('is never shortened if it is an integer', () => {
    expect(cellOf('1152921504606846977', 'integer').text).toBe('1152921504606846977');
  });
});

describe('the absence of a value', () => {
  it('tells what is missing from what is not a number', () => {
    expect(cellOf(null, 'float')).toEqual({ text: 'null', absent: true });
    expect(cellOf('nan', 'float')).toEqual({ text: 'NaN', absent: true });
    expect(cellOf('nan', 'text')).toEqual({ text: 'nan', absent: false });
    expect(exactCell(null, 'float', 'nJy')).toMatch(/missing/);
    expect(exactCell('nan', 'float', 'nJy')).toMatch(/not a number/);
  });

  it('is not confused with a value that has not come yet', () => {
    expect(cellOf(undefined, 'float')).toEqual({ text: '', absent: false });
  });
});

describe('pointing at a cell', () => {
  it('gives every digit and the unit', () => {
    expect(exactCell('53.12345678901', 'float', 'deg')).toBe('53.12345678901 deg');
  });
});

describe('searching columns', () => {
  const columns = [
    column('coord_ra', { unit: 'deg', description: 'Fiducial ICRS right ascension' }),
    column('psf_ra'),
    column('r_psfFlux', { unit: 'nJy', description: 'Flux derived from the PSF' }),
    column('psfFlux_r', { unit: 'nJy' })
  ];
  const names = (text: string): string[] => searchColumns(columns, text).map(({ name }) => name);

  it('finds words in names, units and descriptions, all of them', () => {
    expect(names('njy flux')).toEqual(['r_psfFlux', 'psfFlux_r']);
    expect(names('ASCENSION')).toEqual(['coord_ra']);
    expect(names('nothing of this')).toEqual([]);
  });

  it('puts names that begin with it first', () => {
    expect(names('psf')).toEqual(['psf_ra', 'psfFlux_r', 'r_psfFlux']);
  });

  it('finds all for no words', () => {
    expect(names('  ')).toHaveLength(4);
  });
});

describe('columns in view', () => {
  const offsets = offsetsOf([100, 50, 200, 10]);

  it('are those that reach into it', () => {
    expect(columnsBetween(offsets, 0, 90)).toEqual([0, 0]);
    expect(columnsBetween(offsets, 100, 151)).toEqual([1, 2]);
    expect(columnsBetween(offsets, 99, 1000)).toEqual([0, 3]);
    expect(columnsBetween(offsets, 349, 351)).toEqual([2, 3]);
  });
});
