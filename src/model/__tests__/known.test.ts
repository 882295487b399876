import { expect, it } from 'vitest';

import { type IKnown, KnownSearch, Wording } from '../known';
import { level, OFFICIAL, run } from './standin';

it.each([
  ['run', 'u/me/run1', true],
  ['me run', 'u/me/run1', true],
  ['me you', 'u/me/run1', false],
  ['*', 'u/me/run1', true],
  ['*run1', 'u/me/run1', true],
  ['*run', 'u/me/run1', false],
  ['u/*', 'u/me/run1', true],
  ['me/*', 'u/me/run1', false],
  ['**me**', 'u/me/run1', true],
  ['u/??/*', 'u/me/run1', true],
  ['u/?/*', 'u/me/run1', false],
  ['u/?*', 'u/', false],
  ['*run[12]', 'u/me/run1', true],
  ['*run[!12]', 'u/me/run1', false],
  ['u.me*', 'u/me/run1', false]
])('the search for %s finds %s: %s', (text, name, found) => {
  expect(new Wording(text).matches(name)).toBe(found);
});

it('a collection that was loaded at two places is found once, and at more places later', () => {
  const known = (page: number, first: number, end: number): IKnown => ({
    repository: OFFICIAL,
    request: { what: 'level', repository: OFFICIAL, parent: null, folder: null, page },
    value: level(...Array.from({ length: end - first }, (_, at) => run(`u/me/run${first + at}`)))
  });
  const search = new KnownSearch();
  const one = known(0, 0, 10);
  expect(search.search([one, known(1, 5, 15)], 'run', 3)).toMatchObject({
    total: 15,
    results: { length: 3 }
  });
  expect(search.search([one, known(1, 5, 25)], 'run', 30)).toMatchObject({
    total: 25,
    results: { length: 25 }
  });
});
