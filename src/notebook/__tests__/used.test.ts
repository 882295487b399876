import { describe, expect, it, vi } from 'vitest';

import type { UsedDataset } from '../../api';
import type { ICellNote } from '../../model';
import { type AskUsed, UsedModel } from '../model';
import { type INotedCell, notedCells, questionsOf } from '../notes';
import { badgeOf } from '../view';

function note(datasets: string[], collection = 'dp2'): ICellNote {
  const repository = { kind: 'official', label: 'dp2' } as const;
  return { version: '0.1.0', repository, collection, dataset_type: 'visit_image', datasets, query: null };
}

function cell(index: number, ...notes: ICellNote[]): INotedCell {
  return { id: `cell ${index}`, index, notes };
}

function used(id: string, state: UsedDataset['state']): UsedDataset {
  return { id, state, dataset_type: 'visit_image', data_id: { visit: 1 }, run: 'old', newer: null };
}

describe('the cells of a notebook', () => {
  it('are those that say which datasets are in them', () => {
    const metadata = [{}, { python_butler: note(['a']) }, { python_butler: 'something else' }];
    const cells = metadata.map((each, index) => ({ id: `cell ${index}`, getMetadata: () => each }));
    expect(notedCells(cells)).toEqual([cell(1, note(['a']))]);
  });

  it('are asked after together, each dataset once for a collection', () => {
    const questions = questionsOf([
      cell(0, note(['a', 'b'])),
      cell(1, note(['b'], 'u/me'), note(['b', 'c']))
    ]);
    expect([...questions.values()].map(({ collection, ids }) => [collection, ids])).toEqual([
      ['dp2', ['a', 'b', 'c']],
      ['u/me', ['b']]
    ]);
  });

  it('with a query only are not asked after', () => {
    expect(questionsOf([cell(0, note([]))]).size).toBe(0);
  });
});

describe('what became of datasets', () => {
  const answers: AskUsed = ({ ids }) =>
    Promise.resolve({ datasets: ids.map(id => used(id, id === 'a' ? 'stale' : 'current')) });

  it('is asked for only while somebody looks', async () => {
    const ask = vi.fn(answers);
    const model = new UsedModel(ask);
    model.show('x.ipynb', [cell(0, note(['a', 'b']))]);
    expect(ask).not.toHaveBeenCalled();
    model.visible = true;
    await vi.waitFor(() => expect(model.stateOf(note([]), 'a')?.state).toBe('stale'));
    expect(model.stateOf(note([]), 'b')?.state).toBe('current');
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('stays while a cell is moved, and is asked for anew when another dataset comes', async () => {
    const ask = vi.fn(answers);
    const model = new UsedModel(ask);
    model.visible = true;
    model.show('x.ipynb', [cell(0, note(['a']))]);
    await vi.waitFor(() => expect(model.stateOf(note([]), 'a')).not.toBeNull());
    model.show('x.ipynb', [cell(5, note(['a']))]);
    expect(ask).toHaveBeenCalledTimes(1);
    model.show('x.ipynb', [cell(5, note(['a', 'c']))]);
    expect(model.stateOf(note([]), 'a')?.state).toBe('stale');
    await vi.waitFor(() => expect(model.stateOf(note([]), 'c')?.state).toBe('current'));
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('is asked for in parts if they are many', async () => {
    const ask = vi.fn(answers);
    const model = new UsedModel(ask);
    model.visible = true;
    model.show('x.ipynb', [cell(0, note(Array.from({ length: 1001 }, (_, n) => String(n))))]);
    await vi.waitFor(() => expect(model.stateOf(note([]), '1000')).not.toBeNull());
    expect(ask.mock.calls.map(([{ ids }]) => ids.length)).toEqual([1000, 1]);
  });

  it('is told in a word where all is not well', () => {
    expect(badgeOf(used('a', 'current'))).toBeNull();
    expect((['stale', 'gone', 'unknown'] as const).map(state => badgeOf(used('a', state))?.text)).toEqual([
      'stale',
      'file missing',
      'removed'
    ]);
  });
});
