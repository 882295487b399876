import { beforeEach, describe, expect, it } from 'vitest';

import type { DatasetSearch, QueryCheck } from '../../api';
import { DatasetListModel, NO_FILTER } from '../../model';
import { OFFICIAL, run, settled, StandIn, VISIT_IMAGE } from '../../model/__tests__/standin';
import { type IQuerySources, QueryModel } from '../model';

const FINE: QueryCheck = {
  problems: [],
  call: { data_id: {}, where: '', bind: {}, order_by: [], limit: null, find_first: true }
};

let client: StandIn;
let list: DatasetListModel;
let query: QueryModel;
let answers: ((check: QueryCheck) => void)[];

/** Answer every check that waits, and those that follow from it. */
async function answerAll(): Promise<void> {
  while (answers.length > 0) {
    answers.shift()!(FINE);
    await settled();
  }
}

beforeEach(() => {
  client = new StandIn();
  answers = [];
  list = new DatasetListModel(client);
  const queries = {
    check: (_: unknown, __: DatasetSearch, signal: AbortSignal) =>
      new Promise<QueryCheck>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
        answers.push(resolve);
      })
  };
  query = new QueryModel(list, { client, queries } as unknown as IQuerySources);
  list.open({ repository: OFFICIAL, collection: run('r'), datasetType: VISIT_IMAGE });
});

describe('the query of all that is found', () => {
  it('is found out once everything is chosen, though nobody looks at what narrows the list', async () => {
    await client.pages[0]!.rows(1, 2);
    await client.pages[0]!.end('next');
    expect(answers).toHaveLength(0);
    list.pickAll();
    let told = 0;
    list.stateChanged.connect(() => (told += 1));
    await answerAll();
    expect(list.selection?.whole).toEqual(FINE.call);
    expect(told).toBe(1);
  });
});

describe('a change of a query', () => {
  it('adds to the one that is still being checked', async () => {
    void query.apply({ data_id: { ...query.draft.data_id, band: ['r'] } });
    void query.apply({ data_id: { ...query.draft.data_id, visit: [5] } });
    await answerAll();
    expect(list.target?.filter?.data_id).toEqual({ band: ['r'], visit: [5] });
  });

  it('counts though the list is ordered while it is checked', async () => {
    void query.apply({ where: 'visit > 5' });
    list.open({ ...list.target!, filter: { ...NO_FILTER, order_by: ['visit'] } });
    await answerAll();
    expect(list.target?.filter).toMatchObject({ where: 'visit > 5', order_by: ['visit'] });
  });

  it('does not go over to another place', async () => {
    void query.apply({ where: 'visit > 5' });
    list.open({ repository: OFFICIAL, collection: run('s'), datasetType: VISIT_IMAGE });
    await answerAll();
    expect(list.target?.collection.name).toBe('s');
    expect(query.draft.where).toBe('');
    expect(list.target?.filter).toBeNull();
  });

  it('is given up when everything is to be listed', async () => {
    void query.apply({ where: 'visit > 5' });
    query.clear();
    await answerAll();
    expect(query.draft.where).toBe('');
    expect(list.target?.filter).toBeNull();
  });
});
