import { describe, expect, it } from 'vitest';

import { inDegrees, inSixtieths, meridianLabel, parallelLabel } from '../coordinates';
import { graticule } from '../graticule';
import { SkyProjection, viewOf, wholeView } from '../projection';
import { scaleBar } from '../scalebar';
import { DEGREE } from '../vectors';

const ARCSECOND = DEGREE / 3600;

describe('coordinates', () => {
  it('have as many digits as a pixel needs', () => {
    const place = { ra: 53.1601667, dec: -28.1041667 };
    expect(inDegrees(place, DEGREE)).toBe('53° −28°');
    expect(inDegrees(place, ARCSECOND)).toBe('53.1602° −28.1042°');
    expect(inSixtieths(place, ARCSECOND)).toBe('03h 32m 38.4s −28° 06′ 15″');
  });

  it('never have sixty seconds, twenty-four hours or a minus before zero', () => {
    expect(inSixtieths({ ra: 359.99999999, dec: 59.99999999 / 60 }, ARCSECOND)).toBe(
      '00h 00m 00.0s +01° 00′ 00″'
    );
    expect(inDegrees({ ra: 359.99999999, dec: -0.0000001 }, ARCSECOND)).toBe('0.0000° +0.0000°');
  });

  it('at lines are no longer than the distance between them asks for', () => {
    expect(meridianLabel(52.5, 7.5, 'hours')).toBe('3h 30m');
    expect(meridianLabel(45, 15, 'hours')).toBe('3h');
    expect(meridianLabel(372.5, 0.5, 'degrees')).toBe('12.5°');
    expect(parallelLabel(-28.25, 0.05)).toBe('−28.25°');
  });
});

describe('the lines of a map', () => {
  it.each([
    ['the whole sky', wholeView(900, 500, { ra: 0, dec: 0 })],
    ['a degree', viewOf({ ra: 53, dec: -28 }, DEGREE, 900, 500)],
    ['an arcminute', viewOf({ ra: 0, dec: 12 }, DEGREE / 60, 900, 500)],
    ['a pole', viewOf({ ra: 0, dec: 90 }, 5 * DEGREE, 900, 500)]
  ])('of %s are some, but not too many, and labelled within it', (_, view) => {
    for (const unit of ['degrees', 'hours'] as const) {
      const { lines, labels } = graticule(new SkyProjection(view), unit);
      expect(lines.coordinates.length).toBeGreaterThan(4);
      expect(lines.coordinates.length).toBeLessThan(80);
      expect(labels.length).toBeGreaterThan(1);
      for (const { at } of labels) {
        expect(at[0]).toBeGreaterThanOrEqual(0);
        expect(at[1]).toBeLessThanOrEqual(500);
      }
    }
  });
});

describe('the scale bar', () => {
  it('is the longest round angle that fits', () => {
    expect(scaleBar(100 / DEGREE, 140)).toEqual({ pixels: expect.closeTo(100, 6) as number, label: '1°' });
    expect(scaleBar(1 / ARCSECOND, 140).label).toBe('2′');
    expect(scaleBar(100 / ARCSECOND, 140).label).toBe('1″');
  });
});
