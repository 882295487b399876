import type { Cell } from '@jupyterlab/cells';
import { NotebookModel, type Notebook } from '@jupyterlab/notebook';
import { describe, expect, it } from 'vitest';

import { insertInCell, placeIn } from '../notebook';

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

const EXPRESSION = { text: 'get()', preamble: 'import a\n' };

describe('inserting into a cell', () => {
  it('puts the expression at its place and what it needs at the top', () => {
    const { model } = notebook('x = 1\nlen()');
    insertInCell(cellOf(model, 0), 10, 10, EXPRESSION);
    expect(model.sharedModel.cells[0]!.getSource()).toBe('import a\nx = 1\nlen(get())');
  });

  it('is one step to undo', () => {
    const { model } = notebook('len()');
    insertInCell(cellOf(model, 0), 4, 4, EXPRESSION);
    model.sharedModel.cells[0]!.undo();
    expect(model.sharedModel.cells[0]!.getSource()).toBe('len()');
  });

  it('replaces what is selected', () => {
    const { model } = notebook('len(old)');
    insertInCell(cellOf(model, 0), 4, 7, { ...EXPRESSION, preamble: '' });
    expect(model.sharedModel.cells[0]!.getSource()).toBe('len(get())');
  });

  it.each([
    ['%%time\nlen()', 11, '%%time\nimport a\nlen(get())'],
    ['%%time', 2, '%%time\nimport a\nget()'],
    ['%%bash\necho ', 12, '%%bash\necho get()']
  ])('leaves the cell magic of %j first', (source, offset, expected) => {
    const { model } = notebook(source);
    insertInCell(cellOf(model, 0), offset, offset, EXPRESSION);
    expect(model.sharedModel.cells[0]!.getSource()).toBe(expected);
  });
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
