import { describe, expect, it } from 'vitest';

import { type IKey, treeMove, verticalMove } from '../keys';
import { TypeAhead } from '../typeahead';

const NO_MODIFIERS = { ctrlKey: false, shiftKey: false, altKey: false, metaKey: false };

/** Only what keys depend on. */
function row(parent: number, expanded: boolean | null): { parent: number; expanded: boolean | null } {
  return { parent, expanded };
}

const ROWS = [
  // A repository with a chain of a run and a type, then another.
  row(-1, true),
  row(0, true),
  row(1, false),
  row(1, null),
  row(-1, false)
];

function press(active: number, key: string, modifiers: Partial<IKey> = {}): unknown {
  return treeMove(ROWS, active, { ...NO_MODIFIERS, key, ...modifiers }, 3);
}

describe('keys in the tree', () => {
  it.each([
    ['ArrowDown goes to the next row', 0, 'ArrowDown', { do: 'move', index: 1 }],
    ['ArrowDown stays on the last', 4, 'ArrowDown', { do: 'move', index: 4 }],
    ['ArrowUp goes to the row before', 2, 'ArrowUp', { do: 'move', index: 1 }],
    ['Home goes to the first', 3, 'Home', { do: 'move', index: 0 }],
    ['End goes to the last', 0, 'End', { do: 'move', index: 4 }],
    ['PageDown goes a page down', 0, 'PageDown', { do: 'move', index: 3 }],
    ['PageUp goes no further than the first', 2, 'PageUp', { do: 'move', index: 0 }],
    ['ArrowRight opens a closed row', 2, 'ArrowRight', { do: 'toggle' }],
    ['ArrowRight goes into an open row', 1, 'ArrowRight', { do: 'move', index: 2 }],
    ['ArrowRight does nothing where nothing is below', 3, 'ArrowRight', null],
    ['ArrowLeft closes an open row', 1, 'ArrowLeft', { do: 'toggle' }],
    ['ArrowLeft goes to the parent of a closed row', 2, 'ArrowLeft', { do: 'move', index: 1 }],
    ['ArrowLeft goes to the parent of a leaf', 3, 'ArrowLeft', { do: 'move', index: 1 }],
    ['ArrowLeft does nothing at a closed root', 4, 'ArrowLeft', null],
    ['Enter opens a branch', 2, 'Enter', { do: 'toggle' }],
    ['Enter acts on a leaf', 3, 'Enter', { do: 'activate' }],
    ['Space does what Enter does', 3, ' ', { do: 'activate' }],
    ['Escape stops what is under way', 0, 'Escape', { do: 'cancel' }],
    ['the menu key opens the menu', 0, 'ContextMenu', { do: 'menu' }],
    ['a letter is left to typing ahead', 0, 'v', null]
  ])('%s', (_, active, key, move) => {
    expect(press(active, key)).toEqual(move);
  });

  it('Shift F10 opens the menu, F10 alone does not', () => {
    expect(press(0, 'F10', { shiftKey: true })).toEqual({ do: 'menu' });
    expect(press(0, 'F10')).toBeNull();
  });

  it('with Ctrl are left to JupyterLab', () => {
    expect(press(0, 'ArrowDown', { ctrlKey: true })).toBeNull();
  });

  it('do nothing in an empty list', () => {
    expect(verticalMove(0, 0, 'End', 5)).toBeNull();
  });
});

describe('typing ahead', () => {
  const NAMES = ['deep_coadd', 'source', 'visit_image', 'visit_table', 'flat'];
  let now = 0;
  const typed = (text: string, active = 0): number | null => {
    const typeAhead = new TypeAhead(() => now);
    let index: number | null = active;
    for (const key of text) {
      now += 100;
      index = typeAhead.find(key, NAMES, index ?? active);
    }
    return index;
  };

  it('finds the next name that begins so', () => {
    expect(typed('s')).toBe(1);
    expect(typed('f', 3)).toBe(4);
    expect(typed('d', 3)).toBe(0);
  });

  it('takes letters typed quickly together', () => {
    expect(typed('visit_t')).toBe(3);
  });

  it('walks on with the same letter', () => {
    expect(typed('v')).toBe(2);
    expect(typed('vv')).toBe(3);
    expect(typed('vvv')).toBe(2);
  });

  it('begins anew after a pause', () => {
    const typeAhead = new TypeAhead(() => now);
    typeAhead.find('v', NAMES, 0);
    now += 2000;
    expect(typeAhead.find('s', NAMES, 2)).toBe(1);
  });

  it('ignores case, and finds nothing where nothing is', () => {
    expect(typed('S')).toBe(1);
    expect(typed('x')).toBeNull();
  });

  it('takes no shortcuts, and a space only within a word', () => {
    const typeAhead = new TypeAhead(() => now);
    expect(typeAhead.takes({ ...NO_MODIFIERS, key: 'a', ctrlKey: true })).toBe(false);
    expect(typeAhead.takes({ ...NO_MODIFIERS, key: 'Enter' })).toBe(false);
    expect(typeAhead.takes({ ...NO_MODIFIERS, key: ' ' })).toBe(false);
    typeAhead.find('m', NAMES, 0);
    expect(typeAhead.takes({ ...NO_MODIFIERS, key: ' ' })).toBe(true);
  });
});
