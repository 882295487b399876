import { act } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { OFFICIAL, PERSONAL, run, StandIn, VISIT_IMAGE } from '../../model/__tests__/standin';
import { DatasetListModel, NO_FILTER } from '../../model';
import { DatasetList } from '../list';
import { ROW_HEIGHT } from '../virtual';
import { actions } from './actions';
import { all, click, find, focus, press, render, text, preparePage } from '../../__tests__/render';

preparePage();

let client: StandIn;
let model: DatasetListModel;

function show(): void {
  render(<DatasetList model={model} actions={actions} />);
}

beforeEach(() => {
  vi.clearAllMocks();
  client = new StandIn();
  model = new DatasetListModel(client);
  model.stateChanged.connect(() => act(show));
  show();
});

const page = () => client.pages.at(-1)!;
const rows = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('.pb-DatasetRow')];
const chosen = (): unknown[] => model.selection?.datasets.map(({ data_id: { visit } }) => visit) ?? [];

async function open(...visits: number[]): Promise<void> {
  act(() => model.open({ repository: OFFICIAL, collection: run('r'), datasetType: VISIT_IMAGE }));
  await act(() => page().rows(...visits));
  await act(() => page().end(null));
}

describe('the list', () => {
  it('says what to do before anything was chosen', () => {
    expect(text()).toBe('Select a dataset type above to list its datasets.');
  });

  it('shows the values of the dimensions, and the common ones once', async () => {
    await open(1, 2);
    expect(all('columnheader').map(({ textContent }) => textContent)).toEqual(['visit', 'detector']);
    expect(all('gridcell').map(({ textContent }) => textContent)).toEqual(['1', '10', '2', '10']);
    expect(text()).toContain('visit_image in r · instrument LSSTCam');
    expect(text()).toContain('2 datasets');
    expect(find('[role="grid"]').getAttribute('aria-rowcount')).toBe('3');
    expect(all('row').map(row => row.getAttribute('aria-rowindex'))).toEqual(['1', '2', '3']);
  });

  it('says that a limit ends it', async () => {
    const place = { repository: OFFICIAL, collection: run('r'), datasetType: VISIT_IMAGE };
    act(() => model.open({ ...place, filter: { ...NO_FILTER, limit: 2 } }));
    await act(() => page().rows(1, 2));
    await act(() => page().end(null));
    expect(text()).toContain('First 2 datasets: the limit of the query');
  });

  it('says why it is empty', async () => {
    await open();
    expect(text()).toContain('No visit_image in r.');
  });

  it('has only the rows in view in the page', async () => {
    await open(...Array.from({ length: 5000 }, (_, index) => index));
    expect(rows().length).toBeLessThan(50);
  });

  it('shows a failure below the rows that came, and Retry goes on', async () => {
    act(() => model.open({ repository: PERSONAL, collection: run('r'), datasetType: VISIT_IMAGE }));
    await act(() => page().rows(1));
    await act(() => page().fail({ kind: 'offline', message: 'The server does not answer.' }));
    expect(text()).toContain('The server does not answer.');
    expect(rows()).toHaveLength(1);
    click([...document.querySelectorAll('.pb-Link')].find(({ textContent }) => textContent === 'Retry')!);
    await act(() => page().rows(1, 2));
    await act(() => page().end(null));
    expect(rows()).toHaveLength(2);
  });

  it('says that a busy server is waited for, and can be stopped', async () => {
    act(() => model.open({ repository: OFFICIAL, collection: run('r'), datasetType: VISIT_IMAGE }));
    await act(() => page().busy(5));
    expect(text()).toContain('The server is busy');
    expect(text()).toContain('Asking again in 5 s.');
    click(find('.pb-Link'));
    expect(page().signal.aborted).toBe(true);
  });
});

describe('choosing', () => {
  beforeEach(() => open(1, 2, 3, 4, 5));

  it('follows clicks, with Ctrl and Shift', () => {
    click(rows()[1]!);
    expect(chosen()).toEqual([2]);
    click(rows()[3]!, { ctrlKey: true });
    expect(chosen()).toEqual([2, 4]);
    click(rows()[4]!, { shiftKey: true });
    expect(chosen()).toEqual([4, 5]);
    expect(rows().map(row => row.getAttribute('aria-selected'))).toEqual([
      'false',
      'false',
      'false',
      'true',
      'true'
    ]);
  });

  it('follows keys: the first press takes the row where the focus is', () => {
    focus(rows()[0]!);
    press('ArrowDown');
    expect(chosen()).toEqual([1]);
    press('ArrowDown');
    expect(chosen()).toEqual([2]);
    press('ArrowDown', { shiftKey: true });
    press('ArrowDown', { shiftKey: true });
    expect(chosen()).toEqual([2, 3, 4]);
    press(' ');
    expect(chosen()).toEqual([2, 3]);
    press('a', { ctrlKey: true });
    expect(chosen()).toEqual([1, 2, 3, 4, 5]);
    press('End');
    expect(chosen()).toEqual([5]);
    expect(document.activeElement).toBe(rows()[4]);
  });

  it('of a stretch that is not all here says how much is left out', async () => {
    const size = 10_000;
    model.pageSize = size;
    act(() => model.open({ repository: OFFICIAL, collection: run('long'), datasetType: VISIT_IMAGE }));
    for (let at = 0; at < 4; at++) {
      act(() => model.look(model.length - 1));
      await act(() => page().rows(...Array.from({ length: size }, (_, index) => at * size + index)));
      await act(() => page().end(at === 3 ? null : `c${at + 1}`));
    }
    focus(rows()[0]!);
    press('ArrowDown');
    press('End', { shiftKey: true });
    expect(text()).toContain('30,000 selected · 10,000 between are not loaded and were left out');
  });

  it('is led to a row that was let go, which has the focus when it has come', async () => {
    const size = 10_000;
    const visits = (at: number): number[] => Array.from({ length: size }, (_, index) => at * size + index);
    model.pageSize = size;
    act(() => model.open({ repository: OFFICIAL, collection: run('long'), datasetType: VISIT_IMAGE }));
    for (let at = 0; at < 4; at++) {
      act(() => model.look(model.length - 1));
      await act(() => page().rows(...visits(at)));
      await act(() => page().end(at === 3 ? null : `c${at + 1}`));
    }
    focus(rows()[0]!);
    press('ArrowDown');
    const end = 4 * size - 1;
    const focused = (): string | undefined => (document.activeElement as HTMLElement).dataset.index;
    expect(model.rowAt(end)).toBeUndefined();
    press('End');
    expect(focused()).toBe(`${end}`);
    expect(chosen()).toEqual([0]);
    await act(() => page().rows(...visits(3)));
    await act(() => page().end(null));
    expect(focused()).toBe(`${end}`);
    expect(chosen()).toEqual([end]);
  });

  it('elsewhere, as on a map, brings the first of the chosen rows into view, once', async () => {
    act(() => model.open({ repository: OFFICIAL, collection: run('other'), datasetType: VISIT_IMAGE }));
    await act(() => page().rows(...Array.from({ length: 500 }, (_, index) => index)));
    await act(() => page().end(null));
    const shown = (): number[] => rows().map(row => Number(row.dataset.index));
    const scrollTo = (place: number): void => {
      find('.pb-Rows').scrollTop = place;
      act(() => void find('.pb-Rows').dispatchEvent(new Event('scroll')));
    };
    act(() => model.pick(picking => picking.all(['id-300', 'id-301'])));
    expect(shown()).toContain(295);
    expect(find('.pb-Rows').scrollTop).toBeGreaterThan(200 * ROW_HEIGHT);
    expect(document.activeElement).toBe(document.body);
    scrollTo(0);
    act(show);
    expect(shown()).toContain(0);
    expect(shown()).not.toContain(295);
  });

  it('keeps what is chosen when the menu opens on it, and takes another row otherwise', () => {
    click(rows()[0]!);
    click(rows()[1]!, { ctrlKey: true });
    const menu = (row: Element): void =>
      act(() => void row.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true })));
    menu(rows()[1]!);
    expect(chosen()).toEqual([1, 2]);
    menu(rows()[3]!);
    expect(chosen()).toEqual([4]);
  });

  it('opens with Enter and inserts with Ctrl Enter', () => {
    focus(rows()[2]!);
    press('Enter');
    expect(chosen()).toEqual([3]);
    expect(actions.open).toHaveBeenCalledOnce();
    expect(actions.insert).not.toHaveBeenCalled();
    press('Enter', { ctrlKey: true });
    expect(actions.insert).toHaveBeenCalledOnce();
    expect(actions.open).toHaveBeenCalledOnce();
  });
});

describe('pulling', () => {
  beforeEach(() => open(1, 2, 3));

  function pull(row: Element, distance: number): void {
    act(() => {
      const at = { bubbles: true, clientX: 10, clientY: 10, button: 0 };
      row.dispatchEvent(new MouseEvent('pointerdown', at));
      document.dispatchEvent(new MouseEvent('pointermove', { ...at, clientX: 10 + distance }));
      document.dispatchEvent(new MouseEvent('pointerup', at));
      document.dispatchEvent(new MouseEvent('pointermove', { ...at, clientX: 100 }));
    });
  }

  const dragged = (): unknown =>
    actions.drag.mock.calls.map(([selection]) =>
      (selection as { datasets: { id: string }[] }).datasets.map(({ id }) => id)
    );

  it('a row begins a drag of it, wherever it was grabbed', () => {
    pull(rows()[1]!, 10);
    expect(dragged()).toEqual([['id-2']]);
  });

  it('a chosen row takes the others along', () => {
    click(rows()[0]!);
    click(rows()[2]!, { ctrlKey: true });
    pull(rows()[2]!, 10);
    expect(dragged()).toEqual([['id-1', 'id-3']]);
  });

  it('less than a hand trembles is a click', () => {
    pull(rows()[1]!, 2);
    expect(actions.drag).not.toHaveBeenCalled();
  });
});
