import { describe, expect, it } from 'vitest';

import { addCellNote, CELL_METADATA, type ICellNote, readCellNotes } from '../cellmetadata';

function note(datasets: string[], rest: Partial<ICellNote> = {}): ICellNote {
  return {
    version: '0.1.0',
    repository: { kind: 'official', label: 'dp2' },
    collection: 'dp2',
    dataset_type: 'visit_image',
    datasets,
    query: null,
    ...rest
  };
}

function after(...notes: ICellNote[]): Record<string, unknown> {
  return notes.reduce<Record<string, unknown>>(
    (metadata, added) => ({ ...metadata, [CELL_METADATA]: addCellNote(metadata, added) }),
    { trusted: true }
  );
}

describe('what a cell says of its datasets', () => {
  it('is one note that can be read again', () => {
    const metadata = after(note(['a']));
    expect(metadata[CELL_METADATA]).toEqual(note(['a']));
    expect(readCellNotes(JSON.parse(JSON.stringify(metadata)))).toEqual([note(['a'])]);
  });

  it('holds a dataset once however often it is inserted from the same list', () => {
    expect(readCellNotes(after(note(['a', 'b']), note(['b', 'c'])))).toEqual([note(['a', 'b', 'c'])]);
  });

  it('keeps apart what comes from different lists', () => {
    const other = note(['b'], { collection: 'u/me' });
    const query = note([], { query: { where: "band = 'r'" } });
    expect(readCellNotes(after(note(['a']), other, query))).toEqual([note(['a']), other, query]);
  });

  it.each([
    ['another cell', {}],
    ['nothing', null],
    ['something else under the same key', { [CELL_METADATA]: 'yes' }],
    ['a note without a repository', { [CELL_METADATA]: { ...note(['a']), repository: null } }],
    ['identifiers that are none', { [CELL_METADATA]: { ...note([]), datasets: [1] } }]
  ])('is nothing for %s', (_, metadata) => {
    expect(readCellNotes(metadata)).toEqual([]);
  });
});
