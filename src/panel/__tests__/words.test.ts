import { describe, expect, it } from 'vitest';

import { validityText, validityTitle } from '../words';

const VALIDITY = { begin: '2025-01-01T00:00:00.000', end: null, ranges: 3, exact: true };

describe('the times for which calibrations are valid', () => {
  it('are told by day, and in full with their scale for those who hover', () => {
    expect(validityText(VALIDITY)).toBe('2025-01-01 – …');
    expect(validityTitle(VALIDITY)).toBe('Valid from 2025-01-01T00:00:00.000 to any time (TAI)\n3 ranges');
  });

  it('are said to be incomplete where not all calibrations were looked at', () => {
    const some = { ...VALIDITY, exact: false };
    expect(validityText(some)).toBe('2025-01-01 – … +');
    expect(validityTitle(some)).toMatch(/at least 3 ranges\nThere are too many calibrations to look at all/);
  });

  it('may not be there at all', () => {
    expect(validityTitle({ begin: null, end: null, ranges: 0, exact: true })).toBe(
      'Nothing is certified for any time.'
    );
  });
});
