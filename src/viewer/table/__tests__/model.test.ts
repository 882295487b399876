import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from '../../../api';
import { TableModel } from '../model';
import { column, overview, pageFor, StandIn } from './standin';

const ROWS = 10_000;

let client: StandIn;
let model: TableModel;

const settle = (): Promise<void> => vi.advanceTimersByTimeAsync(100).then(() => undefined);
const page = () => client.pages.at(-1)!;

async function answer(rows = ROWS): Promise<void> {
  page().resolve(pageFor(page().request, rows));
  await settle();
}

beforeEach(async () => {
  vi.useFakeTimers();
  client = new StandIn();
  model = new TableModel(client);
  model.open();
  const columns = Array.from({ length: 1_500 }, (_, index) => column(`c${index}`));
  client.overviews[0]!.resolve(overview(columns, ROWS));
  await settle();
});

const window = (first: number, last: number, ...columns: string[]) => ({ first, last, columns });

describe('cells', () => {
  it('are fetched for what is in view, and only what is missing', async () => {
    model.look(window(0, 30, 'c1', 'c2'));
    await settle();
    expect(page().request).toMatchObject({ start: 0, count: 64, columns: ['c1', 'c2'] });
    await answer();
    expect(model.cell('c2', 7)).toBe('7.2');
    model.look(window(10, 50, 'c1', 'c2'));
    await settle();
    expect(client.pages).toHaveLength(1);
    model.look(window(10, 50, 'c2', 'c3'));
    await settle();
    expect(page().request).toMatchObject({ start: 0, columns: ['c3'] });
  });

  it('that only fly by are not fetched', async () => {
    for (let first = 0; first < 9_000; first += 500) {
      model.look(window(first, first + 30, 'c1'));
      await vi.advanceTimersByTimeAsync(10);
    }
    await settle();
    expect(client.pages.length).toBeLessThan(3);
    expect(page().request.start).toBe(8_448);
  });

  it('that nobody waits for any more are given up', async () => {
    model.look(window(0, 30, 'c1'));
    await settle();
    const first = page();
    model.look(window(5_000, 5_030, 'c1'));
    await settle();
    expect(first.signal.aborted).toBe(true);
    await answer();
    expect(model.cell('c1', 5_000)).toBe('5000.1');
    expect(model.cell('c1', 0)).toBeUndefined();
  });

  it('of an order that has been left never show up in another', async () => {
    model.look(window(0, 30, 'c1'));
    await settle();
    const old = page();
    model.toggleSort('c5');
    await settle();
    expect(page().request.view).toEqual({ filters: [], sort: 'c5', descending: false });
    old.resolve(pageFor(old.request, 5));
    await settle();
    expect(model.rows).toBeNull();
    await answer();
    expect(model.rows).toBe(ROWS);
  });

  it('are asked for in bounded parts, and not without end, if the view is taller and wider than any screen', async () => {
    const names = Array.from({ length: 1_500 }, (_, index) => `c${index}`);
    model.look(window(5, ROWS - 1, ...names));
    await settle();
    let answers = 0;
    for (let asked = -1; asked !== client.pages.length && answers < 500; answers++) {
      asked = client.pages.length;
      await answer();
      await settle();
    }
    for (const { request } of client.pages) {
      expect(request.count).toBeLessThanOrEqual(1_000);
      expect(request.count * request.columns.length).toBeLessThanOrEqual(20_000);
    }
    expect(answers).toBeLessThan(50);
  });

  it('stay within bounds however far a person scrolls', async () => {
    for (let step = 0; step < 150; step++) {
      const first = (step * 64) % ROWS;
      model.look(window(first, first + 60, ...Array.from({ length: 60 }, (_, index) => `c${index + step}`)));
      await settle();
      if (page().request.start >= 0) {
        await answer();
      }
    }
    expect((model as unknown as { _tiles: { size: number } })._tiles.size).toBeLessThanOrEqual(6_000);
  });
});

describe('the order', () => {
  it('goes from up to down and back to that of the file', () => {
    model.toggleSort('c1');
    expect(model.sort).toEqual({ column: 'c1', descending: false });
    model.toggleSort('c1');
    expect(model.sort).toEqual({ column: 'c1', descending: true });
    model.toggleSort('c1');
    expect(model.sort).toBeNull();
    expect(model.rows).toBe(ROWS);
  });
});

describe('a failure', () => {
  const failure = new ApiError({
    kind: 'offline',
    message: 'The object store is down.',
    next_step: 'Retry.',
    retry_in: null,
    request_id: 'x'
  });

  it('is told, not asked again by itself, and retried at a person’s wish', async () => {
    model.look(window(0, 30, 'c1'));
    await settle();
    page().reject(failure);
    await settle();
    expect(model.error?.message).toBe('The object store is down.');
    model.look(window(0, 31, 'c1'));
    await settle();
    expect(client.pages).toHaveLength(1);
    model.retry();
    await settle();
    expect(client.pages).toHaveLength(2);
    await answer();
    expect(model.error).toBeNull();
    expect(model.cell('c1', 0)).toBe('0.1');
  });

  it('of loading can be brought about by a person', async () => {
    model.look(window(0, 30, 'c1'));
    await settle();
    model.cancel();
    expect(page().signal.aborted).toBe(true);
    expect(model.stopped).toBe(true);
    model.retry();
    await settle();
    await answer();
    expect(model.cell('c1', 3)).toBe('3.1');
  });
});

describe('filters', () => {
  it('take the place of one on the same column, and renew rows and statistics', async () => {
    model.inspect('c1');
    model.filter({ column: 'c1', low: 1, high: null, values: null });
    model.filter({ column: 'c1', low: 2, high: 3, values: null });
    model.filter({ column: 'c2', low: null, high: null, values: ['a'] });
    expect(model.filters.map(({ column, low }) => [column, low])).toEqual([
      ['c1', 2],
      ['c2', null]
    ]);
    // A column's own filter must not hide the values that it leaves out.
    expect(client.summaries.at(-1)!.request.filters.map(({ column }) => column)).toEqual(['c2']);
    model.look(window(0, 30, 'c1'));
    await settle();
    expect(page().request.view.filters).toHaveLength(2);
  });
});

describe('copying', () => {
  it('gives lines of exact values below their names', async () => {
    const text = model.text(window(4, 5, 'c1', 'c2'));
    client.pages[0]!.resolve(pageFor(client.pages[0]!.request, ROWS));
    expect(await text).toBe('c1\tc2\n4.1\t4.2\n5.1\t5.2');
  });

  it('refuses what is too much instead of cutting it', async () => {
    expect(await model.text(window(0, 9_999, 'c1', 'c2', 'c3'))).toBeNull();
    expect(client.pages).toHaveLength(0);
  });
});

describe('chosen columns', () => {
  it('keep the order of the table, and can be all that is shown', () => {
    model.choose(['c7', 'c3'], true);
    expect(model.chosenNames).toEqual(['c3', 'c7']);
    model.showChosenOnly(true);
    expect(model.columns.map(({ name }) => name)).toEqual(['c3', 'c7']);
    model.choose(['c3', 'c7'], false);
    expect(model.columns).toHaveLength(1_500);
  });
});
