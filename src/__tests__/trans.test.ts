import { expect, it } from 'vitest';

import { trans } from '../trans';

it('fills the gaps of a text with its arguments', () => {
  expect(trans.__('%1 of %2', 3, 'ten')).toBe('3 of ten');
});

it('chooses the form by the number, which is the first argument', () => {
  expect(trans._n('%1 dataset', '%1 datasets', 1)).toBe('1 dataset');
  expect(trans._n('%1 dataset in %2', '%1 datasets in %2', 4, 'dp2')).toBe('4 datasets in dp2');
});
