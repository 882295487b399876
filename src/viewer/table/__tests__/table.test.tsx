import { act } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { all, click, find, focus, press, preparePage, render, text } from '../../../__tests__/render';
import { TableModel } from '../model';
import { Table } from '../table';
import { column, overview, pageFor, StandIn, summaryOf } from './standin';

preparePage();

const ROWS = 1_000_000;
const COLUMNS = [
  column('objectId', { kind: 'integer', type: 'int64', description: 'Unique identifier' }),
  column('r_psfFlux', { unit: 'nJy', description: 'Flux of the PSF model' }),
  column('refBand', { kind: 'text', type: 'string' }),
  column('points', { kind: 'other', type: 'float64[3]' }),
  ...Array.from({ length: 1_496 }, (_, index) => column(`extra_${index}`))
];

let client: StandIn;
let model: TableModel;
const insert = vi.fn();
const copyText = vi.fn();

/** Let time pass, and what that brings about be rendered, which asks for more. */
async function settle(): Promise<void> {
  for (let step = 0; step < 2; step++) {
    await act(async () => {
      await vi.advanceTimersByTimeAsync(100);
    });
  }
}

const page = () => client.pages.at(-1)!;
const header = (name: string): HTMLElement =>
  all('columnheader').find(cell => cell.textContent.startsWith(name))!;
const button = (name: string): HTMLButtonElement =>
  [...document.querySelectorAll('button')].find(one => one.textContent.startsWith(name))!;
const cellText = (row: number, name: number): string =>
  find(`[role="gridcell"][data-row="${row}"][data-column="${name}"]`).textContent;

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(900);
  client = new StandIn();
  model = new TableModel(client);
  act(() => model.open());
  render(<Table model={model} insert={insert} copyText={copyText} />);
});

async function opened(): Promise<void> {
  client.overviews[0]!.resolve(overview(COLUMNS, ROWS));
  await settle();
  page().resolve(pageFor(page().request, ROWS));
  await settle();
}

describe('the table', () => {
  it('says that it loads, and can be stopped and begun again', () => {
    expect(text()).toContain('Loading the table');
    click(button('Stop'));
    expect(text()).toContain('stopped');
    click(button('Load'));
    expect(client.overviews).toHaveLength(2);
  });

  it('has few elements however many rows and columns there are', async () => {
    await opened();
    expect(find('[role="grid"]').getAttribute('aria-rowcount')).toBe(String(ROWS + 1));
    expect(find('[role="grid"]').getAttribute('aria-colcount')).toBe('1501');
    expect(all('gridcell').length).toBeGreaterThan(50);
    expect(document.querySelectorAll('*').length).toBeLessThan(1_500);
    expect(page().request.columns.length).toBeLessThan(15);
    expect(page().request.count).toBeLessThan(200);
  });

  it('shows values with names and units', async () => {
    await opened();
    expect(header('r_psfFlux').textContent).toContain('nJy');
    expect(header('r_psfFlux').title).toContain('Flux of the PSF model');
    expect(cellText(3, 1)).toBe('3.2');
    expect(text()).toContain('1,000,000 rows × 1,500 columns');
  });

  it('is sorted by the button in a header, and says so', async () => {
    await opened();
    click(header('r_psfFlux').querySelector('button')!);
    await settle();
    expect(page().request.view).toMatchObject({ sort: 'r_psfFlux', descending: false });
    const sorted = { ...pageFor(page().request, 500_000), considered: 500_000, total: ROWS };
    page().resolve(sorted);
    await settle();
    expect(header('r_psfFlux').getAttribute('aria-sort')).toBe('ascending');
    expect(text()).toContain('sorted: the first 500,000 rows only');
    expect(header('points').querySelector('button')).toBeNull();
  });

  it('is walked through with the keyboard, and what is selected is copied exactly', async () => {
    await opened();
    const grid = find('[role="grid"]');
    focus(grid);
    press('ArrowDown');
    press('ArrowRight');
    const active = document.getElementById(grid.getAttribute('aria-activedescendant')!)!;
    expect([active.dataset.row, active.dataset.column]).toEqual(['1', '1']);
    press('ArrowDown', { shiftKey: true });
    expect(document.querySelectorAll('[aria-selected="true"][role="gridcell"]')).toHaveLength(2);
    press('c', { ctrlKey: true });
    page().resolve(pageFor(page().request, ROWS));
    await settle();
    expect(copyText).toHaveBeenCalledWith('r_psfFlux\n1.1\n2.1');
    expect(text()).toContain('Copied 2 rows of 1 column.');
  });

  it.each([
    { unbounded: 'clientHeight', size: 8_000_000 },
    { unbounded: 'clientWidth', size: 200_000 }
  ] as const)(
    'draws and asks for no more than a screen holds if $unbounded has no bound',
    async ({ unbounded, size }) => {
      await opened();
      vi.spyOn(HTMLElement.prototype, unbounded, 'get').mockReturnValue(size);
      act(() => void find('[role="grid"]').dispatchEvent(new Event('scroll', { bubbles: true })));
      await settle();
      const rows = all('row').length;
      const columns = all('columnheader').length;
      expect(unbounded === 'clientHeight' ? rows : columns).toBeGreaterThan(50);
      expect(rows).toBeLessThan(260);
      expect(columns).toBeLessThan(120);
      expect(page().request.count).toBeLessThanOrEqual(1_000);
      expect(page().request.count * page().request.columns.length).toBeLessThanOrEqual(20_000);
    }
  );

  it('shows the far end at the press of a key, with its scroll bar scaled', async () => {
    await opened();
    focus(find('[role="grid"]'));
    press('End', { ctrlKey: true });
    await settle();
    expect(find('.pb-TableGrid-all').style.height).toBe('8000000px');
    expect(page().request.start).toBe(Math.floor(999_980 / 64) * 64);
  });
});

describe('columns', () => {
  it('are found, chosen, inserted and copied by name', async () => {
    await opened();
    const search = find('input[type="search"]') as HTMLInputElement;
    act(() => {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(search, 'model psf');
      search.dispatchEvent(new Event('input', { bubbles: true }));
    });
    expect(all('option').map(option => option.getAttribute('aria-label'))).toEqual([
      'r_psfFlux, nJy, Flux of the PSF model'
    ]);
    expect(text()).toContain('1 of 1,500 columns');
    focus(find('[role="listbox"]'));
    press(' ');
    expect(all('option')[0]!.getAttribute('aria-selected')).toBe('true');
    act(() => model.choose(['objectId'], true));
    click(button('Insert 2 columns'));
    expect(insert).toHaveBeenCalledWith('columns', { columns: ['objectId', 'r_psfFlux'] });
    click(button('Copy names'));
    expect(copyText).toHaveBeenCalledWith('["objectId", "r_psfFlux"]');
  });

  it('are inserted with the filters on rows, each with the kind of its values', async () => {
    await opened();
    const filter = { column: 'refBand', low: null, high: null, values: ['r'] };
    act(() => model.filter(filter));
    const rows = [{ ...filter, kind: 'text' }];
    click(button('Insert these rows'));
    expect(insert).toHaveBeenLastCalledWith('columns', { rows });
    act(() => model.choose(['objectId'], true));
    click(button('Insert 1 column of these rows'));
    expect(insert).toHaveBeenLastCalledWith('columns', { columns: ['objectId'], rows });
  });
});

describe('the summary of a column', () => {
  it('comes when its header is clicked, and leaves out what has no meaning', async () => {
    await opened();
    click(header('r_psfFlux'));
    expect(client.summaries.at(-1)!.request).toMatchObject({ column: 'r_psfFlux', scale: 'linear' });
    client.summaries.at(-1)!.resolve(summaryOf('r_psfFlux'));
    await settle();
    const statistics = find('.pb-TableSummary-statistics').textContent;
    expect(statistics).toContain('median4.25');
    expect(statistics).toContain('null4');
    expect(statistics).toContain('NaN6');
    expect(statistics).not.toContain('distinct');
    expect(document.querySelectorAll('.pb-Histogram-bar')).toHaveLength(4);
  });

  it('takes room only while a column is looked at, and gives the focus back', async () => {
    await opened();
    const statistics = '[aria-label="Statistics of a column"]';
    expect(document.querySelector(statistics)).toBeNull();
    expect(text()).toContain('Click a column');
    const grid = find('[role="grid"]');
    focus(grid);
    press('Enter');
    expect(find(statistics).textContent).toContain('objectId');
    expect(text()).not.toContain('Click a column');
    const close = find('[aria-label="Close the statistics"]');
    focus(close);
    click(close);
    expect(document.querySelector(statistics)).toBeNull();
    expect(document.activeElement).toBe(grid);
    press('Enter');
    focus(find('[aria-label="Close the statistics"]'));
    press('Escape');
    expect(document.querySelector(statistics)).toBeNull();
    expect(document.activeElement).toBe(grid);
  });

  it('never shows one column’s numbers for another', async () => {
    await opened();
    click(header('r_psfFlux'));
    const first = client.summaries.at(-1)!;
    click(header('objectId'));
    expect(first.signal.aborted).toBe(true);
    client.summaries.at(-1)!.resolve(summaryOf('objectId', { min: '17', kind: 'integer' }));
    await settle();
    expect(find('.pb-TableSummary-statistics').textContent).toContain('min17');
  });

  it('keeps the rows of a range that is dragged over the bars, and has them back', async () => {
    await opened();
    click(header('r_psfFlux'));
    client.summaries.at(-1)!.resolve(summaryOf('r_psfFlux'));
    await settle();
    // The plot is 220 pixels wide here: 55 a bar.
    const plot = find('.pb-Histogram-plot');
    Object.assign(plot, { setPointerCapture: () => undefined });
    const pointer = (type: string, clientX: number): void =>
      act(() => void plot.dispatchEvent(new MouseEvent(type, { bubbles: true, clientX, button: 0 })));
    pointer('pointerdown', 60);
    pointer('pointermove', 150);
    pointer('pointerup', 150);
    expect(model.filters).toEqual([{ column: 'r_psfFlux', low: 1, high: 3, values: null }]);
    expect(text()).toContain('1 ≤ r_psfFlux ≤ 3');
    click(find('[aria-label="Remove the filter on r_psfFlux"]'));
    expect(model.filters).toEqual([]);
  });

  it('keeps the rows of a value that is clicked', async () => {
    await opened();
    click(header('refBand'));
    client.summaries.at(-1)!.resolve(
      summaryOf('refBand', {
        kind: 'text',
        histogram: null,
        distinct: 3,
        common: [
          { value: 'r', count: 60 },
          { value: '', count: 30 }
        ]
      })
    );
    await settle();
    expect(text()).toContain('and 1 others');
    click(button('r60'));
    expect(model.filters).toEqual([{ column: 'refBand', low: null, high: null, values: ['r'] }]);
  });
});

describe('a filter that leaves no row', () => {
  it('says so and can be cleared', async () => {
    await opened();
    act(() => model.filter({ column: 'r_psfFlux', low: 1e9, high: null, values: null }));
    await settle();
    page().resolve(pageFor(page().request, 0));
    await settle();
    expect(text()).toContain('No row passes the filters.');
    click(button('Clear the filters'));
    expect(model.filters).toEqual([]);
  });
});
