import { beforeEach, describe, expect, it } from 'vitest';

import { DatasetListModel, MAX_HELD, NO_FILTER } from '..';
import { PERSONAL, run, StandIn, VISIT_IMAGE } from './standin';

const PAGE = 10_000;

let client: StandIn;
let list: DatasetListModel;

const last = () => client.pages.at(-1)!;
const visits = (page: number): number[] => Array.from({ length: PAGE }, (_, at) => page * PAGE + at);

async function scrollThrough(pages: number): Promise<void> {
  list.open({ repository: PERSONAL, collection: run('r'), datasetType: VISIT_IMAGE });
  for (let page = 0; page < pages; page++) {
    await last().rows(...visits(page));
    await last().end(page === pages - 1 ? null : `c${page + 1}`);
    list.look(list.length - 1, list.length - 20);
  }
}

beforeEach(() => {
  client = new StandIn();
  list = new DatasetListModel(client);
  list.pageSize = PAGE;
});

describe('a long list', () => {
  it('holds no more than so many rows, however far one scrolls', async () => {
    await scrollThrough(8);
    expect(list.length).toBe(8 * PAGE);
    expect(list.rows).toHaveLength(MAX_HELD);
    expect(list.rowAt(0)).toBeUndefined();
    expect(list.rowAt(8 * PAGE - 1)?.data_id.visit).toBe(8 * PAGE - 1);
  });

  it('fetches rows again that come back into view, where they were', async () => {
    await scrollThrough(8);
    list.look(PAGE + 20, PAGE);
    expect(last().what).toBe(`datasets r visit_image ${PAGE} c1`);
    await last().rows(...visits(1));
    await last().end('c2');
    expect(list.rowAt(PAGE + 5)?.data_id.visit).toBe(PAGE + 5);
    expect(list.rows).toHaveLength(MAX_HELD);
    expect(list.length).toBe(8 * PAGE);
    expect(list.state).toEqual({ status: 'complete' });
  });

  it('keeps what was chosen when its rows are let go', async () => {
    list.open({ repository: PERSONAL, collection: run('r'), datasetType: VISIT_IMAGE });
    await last().rows(...visits(0));
    await last().end('c1');
    list.pick(picking => picking.only('id-3'));
    for (let page = 1; page < 8; page++) {
      list.look(list.length - 1, list.length - 20);
      await last().rows(...visits(page));
      await last().end(`c${page + 1}`);
    }
    list.look(list.length - 1, list.length - 20);
    expect(list.rowAt(3)).toBeUndefined();
    expect(list.selection?.datasets.map(({ id }) => id)).toEqual(['id-3']);
  });

  it('is chosen in stretches as far as its rows are held, and tells how many were left out', async () => {
    await scrollThrough(8);
    list.pickAt(8 * PAGE - 1);
    list.pickAt(0, true);
    expect(list.chosenCount).toBe(MAX_HELD);
    expect(list.leftOut).toBe(8 * PAGE - MAX_HELD);
    expect(list.picking.active).toBe(`id-${5 * PAGE}`);
    list.pick(picking => picking.toggle('id-79999'));
    expect(list.leftOut).toBe(0);
  });

  it('keeps the rows of a stretch that are let go while it is made longer', async () => {
    list.open({ repository: PERSONAL, collection: run('r'), datasetType: VISIT_IMAGE });
    await last().rows(...visits(0));
    await last().end('c1');
    list.pickAt(5);
    for (let page = 1; page < 8; page++) {
      list.look(list.length - 1, list.length - 20);
      await last().rows(...visits(page));
      await last().end(`c${page + 1}`);
      list.pickAt(list.length - 1, true);
    }
    expect(list.rowAt(5)).toBeUndefined();
    expect(list.chosenCount).toBe(8 * PAGE - 5);
    expect(list.leftOut).toBe(0);
  });

  it('has a row fetched that is not held, and chooses it when it has come', async () => {
    await scrollThrough(8);
    list.pickAt(8 * PAGE - 1);
    list.pickAt(0);
    expect(list.activeIndex).toBe(0);
    expect(list.picking.active).toBe('id-79999');
    expect(last().what).toBe(`datasets r visit_image ${PAGE} first`);
    await last().rows(...visits(0));
    await last().end('c1');
    expect(list.isAwaiting).toBe(false);
    expect(list.activeIndex).toBe(0);
    expect(list.selection?.datasets.map(({ id }) => id)).toEqual(['id-0']);
    expect(list.rowAt(0)).toBeDefined();
    expect(list.rows).toHaveLength(MAX_HELD);
  });

  it('does not go where it was led when something else is chosen meanwhile', async () => {
    await scrollThrough(8);
    list.pickAt(0);
    list.pickAt(8 * PAGE - 3);
    await last().rows(...visits(0));
    await last().end('c1');
    expect(list.picking.active).toBe('id-79997');
  });

  it('stays where it was when the row cannot be fetched, and goes as near as it can from then on', async () => {
    await scrollThrough(8);
    list.pickAt(8 * PAGE - 1);
    list.pickAt(0);
    await last().fail({ kind: 'offline', message: 'The server does not answer.' });
    expect(list.activeIndex).toBe(8 * PAGE - 1);
    list.pickAt(0);
    expect(list.activeIndex).toBe(5 * PAGE);
  });

  it('is chosen as a whole, as the query that it is', async () => {
    await scrollThrough(8);
    list.pickAll();
    expect(list.isAllChosen).toBe(true);
    expect(list.chosenCount).toBe(8 * PAGE);
    expect(list.isChosen('of a row that is not held')).toBe(true);
    expect(list.selection?.whole).toBeNull();
    list.pick(picking => picking.only('id-79999'));
    expect(list.selection?.whole).toBeUndefined();
  });
});

describe('a filter', () => {
  const place = { repository: PERSONAL, collection: run('r'), datasetType: VISIT_IMAGE };

  it('makes another list, and one that says nothing is none', () => {
    list.open({ ...place, filter: { ...NO_FILTER, data_id: { band: ['r'] } } });
    expect(list.target?.filter?.data_id).toEqual({ band: ['r'] });
    list.open({ ...place, filter: { ...NO_FILTER, data_id: { band: [] } } });
    expect(list.target?.filter).toBeNull();
    expect(client.pages).toHaveLength(2);
  });

  it('stays when only its place is opened again', () => {
    list.open({ ...place, filter: { ...NO_FILTER, where: ' detector > 3 ' } });
    list.open(place);
    expect(list.target?.filter?.where).toBe('detector > 3');
    expect(client.pages).toHaveLength(1);
  });
});
