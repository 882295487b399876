import { describe, expect, it } from 'vitest';

import type { ImageSky } from '../../../api';
import { angleText, compass, degrees, scaleBar, sexagesimal, toSky } from '../sky';

const ARCSECOND = Math.PI / 180 / 3600;

/** North up, east to the left, 0.2″ to a pixel, at the demonstration's first tract. */
const SKY: ImageSky = {
  ra: 53.0875576,
  dec: -27.52066116,
  x_center: 1000,
  y_center: 1000,
  x_half: 1000,
  y_half: 1000,
  xi: [
    [0, 0],
    [-200 * ARCSECOND, 0]
  ],
  eta: [
    [0, 200 * ARCSECOND],
    [0, 0]
  ],
  error: 0.0001,
  pixel_scale: 0.2,
  source: 'a test'
};

describe('Positions', () => {
  it('in the middle are that of the tangent point', () => {
    const { ra, dec } = toSky(SKY, { x: 1000, y: 1000 });
    expect(ra).toBeCloseTo(SKY.ra, 12);
    expect(dec).toBeCloseTo(SKY.dec, 12);
  });

  it('agree with astropy elsewhere', () => {
    // WCS with TAN, CRPIX (1001, 1001), CD diag(-0.2, 0.2) / 3600: pixel_to_world(1900, 300)
    const { ra, dec } = toSky(SKY, { x: 1900, y: 300 });
    expect(ra).toBeCloseTo(53.03115799, 7);
    expect(dec).toBeCloseTo(-27.55953866, 7);
  });

  it('know where north and east are', () => {
    const { north, east } = compass(SKY, { x: 500, y: 500 });
    expect(north).toBeCloseTo(Math.PI / 2, 2);
    expect(Math.abs(east)).toBeCloseTo(Math.PI, 2);
  });
});

describe('Positions in words', () => {
  it('are in hours and in degrees', () => {
    expect(sexagesimal({ ra: 53.076, dec: -28.11 })).toBe('03:32:18.240 −28:06:36.00');
    expect(degrees({ ra: 53.076, dec: -28.11 })).toBe('53.076000, −28.110000');
  });

  it('round up to a whole turn properly', () => {
    expect(sexagesimal({ ra: 359.9999999, dec: 0.99999999 })).toBe('00:00:00.000 +01:00:00.00');
  });
});

describe('A scale bar', () => {
  it('has a round length that fits', () => {
    expect(scaleBar(5, 150)).toEqual({ arcseconds: 30, pixels: 150 });
    expect(scaleBar(1, 150)).toEqual({ arcseconds: 120, pixels: 120 });
    expect([5, 60, 120, 3600].map(angleText)).toEqual(['5″', '1′', '2′', '1°']);
  });
});
