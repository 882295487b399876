import { readFile } from 'node:fs/promises';

import { Notification } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { NotebookModel, type Notebook } from '@jupyterlab/notebook';
import { describe, expect, it } from 'vitest';

import type { DatasetFilter } from '../../api';
import { readCellNotes } from '../../model';
import { noteFor } from '../note';
import { copyCode, insertInCell, type IWorkspace, placeIn } from '../notebook';
import { exposure, object, select, tract, UUID, visitImage } from './fixtures';
import { VERSION } from '../version';

/** A notebook's real model, without the widgets: jsdom has no layout, and the browser tests have both. */
function notebook(...sources: string[]): { model: NotebookModel; notebook: Notebook } {
  const model = new NotebookModel();
  model.sharedModel.insertCells(
    0,
    sources.map(source => ({ cell_type: 'code', source }))
  );
  return { model, notebook: { model } as unknown as Notebook };
}

function cellOf(model: NotebookModel, index: number): Cell {
  return { model: { sharedModel: model.sharedModel.cells[index] }, editor: null } as unknown as Cell;
}

const NOTE = noteFor(select(visitImage, exposure));
const EXPRESSION = { text: 'get()', preamble: 'import a\n' };

describe('inserting into a cell', () => {
  it('puts the expression at its place and what it needs at the top', () => {
    const { model } = notebook('x = 1\nlen()');
    insertInCell(cellOf(model, 0), 10, 10, EXPRESSION, NOTE);
    expect(model.sharedModel.cells[0]!.getSource()).toBe('import a\nx = 1\nlen(get())');
  });

  it('is one step to undo', () => {
    const { model } = notebook('len()');
    insertInCell(cellOf(model, 0), 4, 4, EXPRESSION, NOTE);
    model.sharedModel.cells[0]!.undo();
    expect(model.sharedModel.cells[0]!.getSource()).toBe('len()');
  });

  it('notes what data it brought, which the same step takes back', () => {
    const { model } = notebook('len()');
    const shared = model.sharedModel.cells[0]!;
    insertInCell(cellOf(model, 0), 4, 4, EXPRESSION, NOTE);
    expect(readCellNotes(shared.getMetadata())).toEqual([
      {
        version: expect.stringMatching(/^\d+\.\d+/) as string,
        repository: { kind: 'official', label: 'dp2' },
        collection: 'dp2',
        dataset_type: 'visit_image',
        datasets: [UUID],
        query: null
      }
    ]);
    shared.undo();
    expect(shared.getMetadata()).toEqual({});
    expect(shared.getSource()).toBe('len()');
  });

  it('adds its note to those that are there, and leaves other metadata alone', () => {
    const { model } = notebook('len()');
    const shared = model.sharedModel.cells[0]!;
    shared.setMetadata({ tags: ['mine'] });
    insertInCell(cellOf(model, 0), 4, 4, EXPRESSION, NOTE);
    insertInCell(cellOf(model, 0), 4, 4, EXPRESSION, noteFor(select(object, tract)));
    expect(readCellNotes(shared.getMetadata()).map(note => note.dataset_type)).toEqual([
      'visit_image',
      'object'
    ]);
    expect(shared.getMetadata('tags')).toEqual(['mine']);
  });

  it('replaces what is selected', () => {
    const { model } = notebook('len(old)');
    insertInCell(cellOf(model, 0), 4, 7, { ...EXPRESSION, preamble: '' }, NOTE);
    expect(model.sharedModel.cells[0]!.getSource()).toBe('len(get())');
  });

  it.each([
    ['%%time\nlen()', 11, '%%time\nimport a\nlen(get())'],
    ['%%time', 2, '%%time\nimport a\nget()'],
    ['%%bash\necho ', 12, '%%bash\necho get()']
  ])('leaves the cell magic of %j first', (source, offset, expected) => {
    const { model } = notebook(source);
    insertInCell(cellOf(model, 0), offset, offset, EXPRESSION, NOTE);
    expect(model.sharedModel.cells[0]!.getSource()).toBe(expected);
  });
});

it('says of a query what it asks for instead of naming datasets', () => {
  const filter = { where: 'visit > 3' } as DatasetFilter;
  const note = noteFor({ ...select(visitImage, exposure), filter, whole: null });
  expect(note.datasets).toEqual([]);
  expect(note.query).toEqual({
    kind: 'official',
    label: 'dp2',
    collection: 'dp2',
    dataset_type: 'visit_image',
    filter
  });
});

it('tells that the query of everything is not known yet, instead of doing nothing', () => {
  const workspace = { preferPythonButler: () => undefined, snippets: () => [] } as unknown as IWorkspace;
  Notification.dismiss();
  expect(copyCode({ ...select(visitImage, exposure), whole: null }, workspace)).toBe(false);
  expect(Notification.manager.notifications.map(({ message }) => message)).toEqual([
    'The query is not known yet. Try again in a moment, or look at it under Query.'
  ]);
});

it('is written by the version of the package', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  expect(VERSION).toBe(version);
});

describe('what is known about a place', () => {
  const CELLS = ['a = 1', 'butler = Butler("dp2")\nb = 2', 'c = 3'];

  it('is which butlers are made above it', () => {
    const { notebook: target } = notebook(...CELLS);
    expect(placeIn(target, 1, []).names.butlers).toEqual([]);
    expect(placeIn(target, 2, []).names.butlers).toHaveLength(1);
  });

  it('counts the lines above it in its own cell', () => {
    const { notebook: target } = notebook(...CELLS);
    expect(placeIn(target, 1, [], 10).names.butlers).toEqual([]);
    expect(placeIn(target, 1, [], 23).names.butlers).toHaveLength(1);
  });

  it('knows names that are bound below it, too', () => {
    const { notebook: target } = notebook(...CELLS);
    expect([...placeIn(target, 0, []).names.taken].sort()).toEqual(['a', 'b', 'butler', 'c']);
  });
});
