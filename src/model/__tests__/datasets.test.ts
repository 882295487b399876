import { beforeEach, describe, expect, it } from 'vitest';

import { DatasetListModel, type IDatasetTarget } from '..';
import { OFFICIAL, PERSONAL, run, settled, SOURCE, StandIn, VISIT_IMAGE } from './standin';

const TARGET: IDatasetTarget = {
  repository: PERSONAL,
  collection: run('r'),
  datasetType: VISIT_IMAGE,
  filter: null
};

let client: StandIn;
let list: DatasetListModel;

beforeEach(() => {
  client = new StandIn();
  list = new DatasetListModel(client);
  list.pageSize = 4;
});

const visits = (): unknown[] => list.rows.map(row => row.data_id.visit);
const last = () => client.pages.at(-1)!;

describe('a list', () => {
  it('shows rows as they come and asks for more when its end comes into view', async () => {
    list.open(TARGET);
    expect(client.words).toEqual(['datasets r visit_image 4 first']);
    await last().rows(1, 2);
    expect(visits()).toEqual([1, 2]);
    await last().rows(3, 4);
    await last().end('c4');
    expect(list.state).toEqual({ status: 'partial' });
    list.look(0);
    expect(client.pages).toHaveLength(1);
    list.look(3);
    expect(client.words.at(-1)).toBe('datasets r visit_image 4 c4');
    await last().rows(5);
    await last().end(null);
    expect(visits()).toEqual([1, 2, 3, 4, 5]);
    expect(list.state).toEqual({ status: 'complete' });
    list.look(4);
    expect(client.pages).toHaveLength(2);
  });

  it('keeps its rows when the server breaks off a refresh', async () => {
    list.open(TARGET);
    await last().rows(1, 2, 3);
    await last().end(null);
    void list.refresh(PERSONAL);
    await last().end(null, true);
    expect(visits()).toEqual([1, 2, 3]);
    expect(list.state).toEqual({ status: 'superseded' });
    list.retry();
    await last().rows(4);
    await last().end(null);
    expect(visits()).toEqual([4]);
    expect(list.state).toEqual({ status: 'complete' });
  });

  it('has one stream at a time: opening another ends the one before', async () => {
    list.open(TARGET);
    const first = last();
    list.open({ ...TARGET, repository: OFFICIAL, datasetType: SOURCE });
    expect(first.signal.aborted).toBe(true);
    await first.rows(99);
    await last().rows(1);
    await last().end(null);
    expect(visits()).toEqual([1]);
  });

  it('stays as it is when the same is opened again', async () => {
    list.open(TARGET);
    await last().rows(1);
    await last().end(null);
    list.open({ ...TARGET });
    expect(visits()).toEqual([1]);
    expect(client.pages).toHaveLength(1);
  });

  it('says that a busy server is waited for', async () => {
    list.open(TARGET);
    const before = Date.now();
    await last().busy(5);
    const { state } = list;
    expect(state.status === 'loading' && state.busyUntil).toBeGreaterThanOrEqual(before + 5000);
    await last().rows(1);
    expect(list.state).toEqual({ status: 'loading', busyUntil: null });
  });
});

describe('a page that breaks off', () => {
  beforeEach(async () => {
    list.open(TARGET);
    await last().rows(1, 2, 3, 4);
    await last().end('c4');
    list.look(3);
    await last().rows(5, 6);
  });

  it('keeps the rows that came, says why, and Retry gets the page again without doubles', async () => {
    const failures: unknown[] = [];
    list.failed.connect((_, { error }) => failures.push(error.kind));
    await last().fail({ kind: 'offline' });
    expect(visits()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(list.state).toMatchObject({ status: 'failed', error: { kind: 'offline' } });
    expect(failures).toEqual(['offline']);
    list.look(5);
    expect(client.pages).toHaveLength(2);
    list.retry();
    expect(last().what).toBe('datasets r visit_image 4 c4');
    expect(visits()).toEqual([1, 2, 3, 4, 5, 6]);
    await last().rows(5, 6, 7);
    await last().end(null);
    expect(visits()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('because a person stopped it can be gone on with', async () => {
    list.cancel();
    expect(last().signal.aborted).toBe(true);
    await settled();
    expect(list.state).toEqual({ status: 'cancelled' });
    list.retry();
    await last().rows(5);
    await last().end(null);
    expect(visits()).toEqual([1, 2, 3, 4, 5]);
  });

  it('because a newer query came waits until it is asked to go on', async () => {
    await last().end('c6', true);
    expect(list.state).toEqual({ status: 'superseded' });
    list.look(5);
    expect(client.pages).toHaveLength(2);
    list.retry();
    expect(last().what).toBe('datasets r visit_image 4 c6');
    await last().rows(7);
    await last().end(null);
    expect(visits()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('a change in the repository', () => {
  beforeEach(async () => {
    list.open(TARGET);
    await last().rows(1, 2, 3, 5);
    await last().end('c5');
    list.look(3);
    await last().rows(6, 7);
    await last().end(null);
    list.pick(picking => picking.only('id-5'));
  });

  it('swaps in as many rows as there were, at once, with the choice kept', async () => {
    void list.refresh(PERSONAL);
    expect(last().what).toBe('datasets r visit_image 6 first');
    await last().rows(1, 2, 3, 4, 5);
    expect(visits()).toEqual([1, 2, 3, 5, 6, 7]);
    await last().rows(6);
    await last().end('c6');
    expect(visits()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(list.state).toEqual({ status: 'partial' });
    expect(list.selection?.datasets.map(({ id }) => id)).toEqual(['id-5']);
  });

  it('forgets what was chosen and is gone', async () => {
    void list.refresh(PERSONAL);
    await last().rows(1);
    await last().end(null);
    expect(list.selection).toBeNull();
  });

  it('does not concern the list of another repository', () => {
    void list.refresh(OFFICIAL);
    expect(client.pages).toHaveLength(2);
  });

  it('that cannot be fetched says so, and Retry begins at the beginning', async () => {
    void list.refresh(PERSONAL);
    await last().fail({ kind: 'satellite' });
    expect(list.state).toMatchObject({ status: 'failed' });
    list.retry();
    expect(last().what).toBe('datasets r visit_image 4 first');
    await last().rows(1, 2);
    await last().end(null);
    expect(visits()).toEqual([1, 2]);
  });
});

describe('choosing', () => {
  beforeEach(async () => {
    list.open(TARGET);
    await last().rows(1, 2, 3, 4);
    await last().end(null);
  });

  const chosen = (): unknown[] => list.selection?.datasets.map(({ data_id: { visit } }) => visit) ?? [];

  it('gives the datasets in the order of the list, with where they were found', () => {
    list.pick(picking => picking.only('id-3'));
    list.pick(picking => picking.toggle('id-1'));
    expect(chosen()).toEqual([1, 3]);
    const { repository, collection, datasetType } = TARGET;
    expect(list.selection).toMatchObject({ repository, collection, datasetType });
    list.pick(picking => picking.toggle('id-3'));
    expect(chosen()).toEqual([1]);
  });

  it('extends from the row chosen last, in both directions', () => {
    list.pick(picking => picking.only('id-3'));
    list.pickAt(0, true);
    expect(chosen()).toEqual([1, 2, 3]);
    list.pickAt(3, true);
    expect(chosen()).toEqual([3, 4]);
  });

  it('takes all', () => {
    list.pick((picking, ids) => picking.all(ids));
    expect(chosen()).toEqual([1, 2, 3, 4]);
  });
});
