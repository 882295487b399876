import { StateDB } from '@jupyterlab/statedb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ButlerModel } from '..';
import { level, OFFICIAL, PERSONAL, report, run, settled, SOURCE, StandIn, VISIT_IMAGE } from './standin';

let client: StandIn;
let model: ButlerModel;
let state: StateDB;

beforeEach(async () => {
  vi.useFakeTimers();
  client = new StandIn();
  state = new StateDB();
  model = new ButlerModel({ client, describer: client, state });
  await model.restore();
});

afterEach(() => {
  model.dispose();
  vi.useRealTimers();
});

function lookAll(): void {
  model.tree.look([...model.tree.rows]);
}

/** Let the panel ask for versions once more, and answer. */
async function answerVersions(versions: Record<string, string>): Promise<void> {
  const before = client.words.filter(what => what === 'versions').length;
  await vi.advanceTimersByTimeAsync(11_000);
  expect(client.words.filter(what => what === 'versions').length).toBeGreaterThan(before);
  await client.find('versions').answer({ versions });
}

describe('personal repositories', () => {
  it('are not looked at while nobody sees the panel', async () => {
    await vi.advanceTimersByTimeAsync(60_000);
    expect(client.words).toEqual([]);
  });

  it('are refreshed when their version changes, and only then', async () => {
    model.visible = true;
    lookAll();
    await client.find('repositories').answer({ repositories: [OFFICIAL, PERSONAL] });
    model.tree.toggle(model.tree.rows.at(1)!);
    lookAll();
    await client.find('collections personal dp2').answer(level(run('u/me/a')));
    model.datasets.open({ repository: PERSONAL, collection: run('u/me/a'), datasetType: VISIT_IMAGE });
    await client.pages[0]!.rows(1);
    await client.pages[0]!.end(null);

    await answerVersions({ dp2: 'one' });
    await answerVersions({ dp2: 'one' });
    lookAll();
    const before = client.words.filter(what => what !== 'versions').length;
    await answerVersions({ dp2: 'two' });
    await client.find('check personal dp2').answer(PERSONAL);
    lookAll();
    expect(client.words.filter(what => what !== 'versions').slice(before)).toEqual([
      'check personal dp2',
      'datasets u/me/a visit_image 1000 first',
      'collections personal dp2',
      'usage personal dp2'
    ]);
  });

  it('that come into being by the first write are found', async () => {
    model.visible = true;
    lookAll();
    await client.find('repositories').answer({ repositories: [OFFICIAL, { ...PERSONAL, state: 'absent' }] });
    await answerVersions({ dp2: '' });
    await answerVersions({ dp2: 'one' });
    await client.find('check personal dp2').answer(PERSONAL);
    expect(model.tree.find(PERSONAL)?.state).toBe('connected');
  });
});

describe('a backend that comes back', () => {
  it('makes the list of repositories be asked for again', async () => {
    model.visible = true;
    lookAll();
    await client.find('repositories').fail({ kind: 'backend' });
    await answerVersions({});
    await client.find('repositories').answer({ repositories: [OFFICIAL] });
    expect(model.tree.repositories).toEqual([OFFICIAL]);
  });
});

describe('a repository that comes back', () => {
  beforeEach(async () => {
    lookAll();
    await client.find('repositories').answer({ repositories: [OFFICIAL] });
    model.datasets.open({ repository: OFFICIAL, collection: run('r'), datasetType: VISIT_IMAGE });
  });

  it('makes the list that failed with it be asked for again', async () => {
    await client.pages[0]!.fail({ kind: 'token' });
    expect(model.tree.find(OFFICIAL)?.state).toBe('token');
    model.tree.recheck(OFFICIAL);
    await client.find('check official dp2').answer(OFFICIAL);
    await client.pages[1]!.rows(1);
    await client.pages[1]!.end(null);
    expect(model.datasets.state.status).toBe('complete');
  });

  it('leaves a list alone that a person has stopped', async () => {
    model.datasets.cancel();
    model.tree.noteFailure(OFFICIAL, report({ kind: 'offline' }));
    model.tree.recheck(OFFICIAL);
    await client.find('check official dp2').answer(OFFICIAL);
    expect(model.datasets.state.status).toBe('cancelled');
    expect(client.pages).toHaveLength(1);
  });
});

describe('a dataset type of which no collection is known', () => {
  it('is looked for, and shown where there are some', async () => {
    model.visible = true;
    lookAll();
    await client.find('repositories').answer({ repositories: [OFFICIAL] });
    const shown = model.show({ kind: 'official', label: 'dp2', datasetType: SOURCE.name });
    await client.find(`place official dp2 ${SOURCE.name}`).answer({ collection: run('far/away') });
    await client.find('types official dp2 far/away').answer({ dataset_types: [SOURCE] });
    const path = { steps: [], collection: run('far/away') };
    await client.find('path official dp2 far/away').answer(path);
    await shown;
    expect(model.datasets.target).toMatchObject({
      collection: { name: 'far/away' },
      datasetType: { name: SOURCE.name }
    });
  });

  it('is said to have no datasets if it has none', async () => {
    const shown = model.show({ kind: 'official', label: 'dp2', datasetType: 'empty' });
    const told = expect(shown).rejects.toThrow('There are no datasets of type empty in dp2.');
    await client.find('place official dp2 empty').answer({ collection: null });
    await told;
  });
});

describe('a dataset type that a collection does not have', () => {
  it('is said to be missing, and the collection is shown', async () => {
    const gone = { kind: 'official', label: 'dp2', collection: 'r', datasetType: 'gone' } as const;
    const told = expect(model.show(gone)).rejects.toThrow('There are no datasets of type gone in r.');
    await client.find('types official dp2 r').answer({ dataset_types: [VISIT_IMAGE] });
    await client.find('path official dp2 r').answer({ steps: [], collection: run('r') });
    await told;
    expect(model.places.recent[0]).toMatchObject({ collection: 'r', datasetType: null });
  });
});

describe('datasets that a link names', () => {
  const chosen = (): string[] => [...model.datasets.picking.chosen];

  beforeEach(async () => {
    model.visible = true;
    const ids = ['id-3', 'id-7', 'id-20'];
    const view = {
      kind: 'official',
      label: 'dp2',
      collection: 'r',
      datasetType: 'visit_image',
      ids
    } as const;
    lookAll();
    await client.find('repositories').answer({ repositories: [OFFICIAL] });
    const shown = model.show(view);
    await client.find('types official dp2 r').answer({ dataset_types: [VISIT_IMAGE] });
    await client.find('path official dp2 r').answer({ steps: [], collection: run('r') });
    await shown;
    await client.pages[0]!.rows(1, 2, 3, 4);
  });

  it('are chosen one after the other as they come, and the keyboard stays with the first', async () => {
    expect(chosen()).toEqual(['id-3']);
    expect(model.view?.ids).toEqual(['id-3', 'id-7', 'id-20']);
    await client.pages[0]!.rows(5, 6, 7);
    await client.pages[0]!.end('next');
    expect(chosen()).toEqual(['id-3', 'id-7']);
    model.datasets.look(6);
    await client.pages[1]!.rows(20);
    await client.pages[1]!.end(null);
    expect(chosen()).toEqual(['id-3', 'id-7', 'id-20']);
    expect(model.datasets.picking.active).toBe('id-3');
  });

  it('are not chosen any more once a person has chosen others', async () => {
    model.datasets.pick(picking => picking.only('id-1'));
    await client.pages[0]!.rows(7);
    expect(chosen()).toEqual(['id-1']);
  });

  it('are forgotten if the whole list does not have them', async () => {
    await client.pages[0]!.end(null);
    expect(model.view?.ids).toEqual(['id-3']);
  });

  it('are chosen though the list is refreshed meanwhile', async () => {
    await client.pages[0]!.end('next');
    void model.datasets.refresh(OFFICIAL);
    await client.pages[1]!.rows(1, 2, 3, 4);
    await client.pages[1]!.end('next');
    await client.pages[2]!.rows(7);
    await client.pages[2]!.end(null);
    expect(chosen()).toEqual(['id-3', 'id-7']);
  });
});

describe('memory', () => {
  it('brings back what was open, and the repositories without their troubles', async () => {
    lookAll();
    const trouble = { kind: 'offline', message: 'm', next_step: '', request_id: 'r' } as const;
    await client
      .find('repositories')
      .answer({ repositories: [{ ...OFFICIAL, state: 'offline', error: { ...trouble, retry_in: null } }] });
    model.tree.toggle(model.tree.rows.at(0)!);
    model.sections = { sizes: [0.5, 0.5, 0], collapsed: [false, false, true] };
    await vi.advanceTimersByTimeAsync(1000);

    const next = new ButlerModel({ client: new StandIn(), describer: new StandIn(), state });
    await next.restore();
    expect(next.tree.rows.at(0)).toMatchObject({ id: 'official:dp2', expanded: true });
    expect(next.tree.repositories[0]?.error).toBeNull();
    expect(next.sections).toEqual(model.sections);
    next.dispose();
  });

  it('of a search asks nothing before somebody sees the panel', async () => {
    lookAll();
    await client.find('repositories').answer({ repositories: [OFFICIAL] });
    model.search.search('coadd');
    await vi.advanceTimersByTimeAsync(1000);

    const asked = new StandIn();
    const next = new ButlerModel({ client: asked, describer: asked, state });
    await next.restore();
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked.words).toEqual([]);
    next.visible = true;
    expect(next.search.text).toBe('coadd');
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked.words).toContain('search official dp2 coadd');
    next.dispose();
  });

  it('survives what it cannot read', async () => {
    await state.save('python-butler:panel', { toggled: 'all', sections: 3 });
    const next = new ButlerModel({ client: new StandIn(), describer: new StandIn(), state });
    await next.restore();
    await settled();
    expect(next.tree.toggled).toEqual([]);
    next.dispose();
  });
});

describe('details', () => {
  it('are asked for once a person rests on a dataset, and only if they can be seen', async () => {
    model.datasets.open({ repository: OFFICIAL, collection: run('r'), datasetType: VISIT_IMAGE });
    await client.pages[0]!.rows(1, 2, 3);
    model.datasets.pick(picking => picking.only('id-1'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(client.words.filter(what => what.startsWith('details'))).toEqual([]);
    model.details.visible = true;
    model.datasets.pick(picking => picking.only('id-2'));
    model.datasets.pick(picking => picking.only('id-3'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(client.words.filter(what => what.startsWith('details'))).toEqual(['details id-3']);
  });

  it('of a busy server are asked for again by themselves when it said so, as long as they can be seen', async () => {
    const asked = (): number => client.words.filter(what => what.startsWith('details')).length;
    model.datasets.open({ repository: OFFICIAL, collection: run('r'), datasetType: VISIT_IMAGE });
    await client.pages[0]!.rows(1);
    model.details.visible = true;
    model.datasets.pick(picking => picking.only('id-1'));
    await vi.advanceTimersByTimeAsync(1_000);
    await client.find('details id-1').fail({ kind: 'busy', retry_in: 5 });
    await vi.advanceTimersByTimeAsync(4_900);
    expect(asked()).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(asked()).toBe(2);
    await client.find('details id-1').fail({ kind: 'busy', retry_in: 5 });
    model.details.visible = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked()).toBe(2);
  });

  it('are followed by who made it and what holds it, the latter once the list has come', async () => {
    const found = { dataset_type: VISIT_IMAGE, stored: true };
    model.details.visible = true;
    model.datasets.open({ repository: OFFICIAL, collection: run('r'), datasetType: VISIT_IMAGE });
    await client.pages[0]!.rows(1);
    model.datasets.pick(picking => picking.only('id-1'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.words).not.toContain('maker id-1');
    await client.find('details id-1').answer(found);
    expect(client.words).toContain('maker id-1');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.words).not.toContain('collections of id-1');
    await client.pages[0]!.end('next');
    await vi.advanceTimersByTimeAsync(1_000);
    const first = client.find('collections of id-1');
    // The list goes on: one stream at a time.
    model.datasets.look(0);
    expect(first.signal.aborted).toBe(true);
    await client.pages[1]!.end(null);
    await vi.advanceTimersByTimeAsync(1_000);
    const tag = { name: 'chosen', type: 'TAGGED', validity: [] };
    await client.find('collections of id-1').answer([{ collections: [tag] }]);
    expect(model.details.holdings).toMatchObject({ status: 'complete', collections: [tag] });
    // Another one is asked about, and what is known of the first is not told of it.
    model.datasets.pick(picking => picking.clear());
    expect(model.details.holdings.collections).toEqual([]);
  });

  it('that failed with their repository are asked for again when it is back', async () => {
    lookAll();
    await client.find('repositories').answer({ repositories: [OFFICIAL] });
    model.details.visible = true;
    model.datasets.open({ repository: OFFICIAL, collection: run('r'), datasetType: VISIT_IMAGE });
    await client.pages[0]!.rows(1);
    await client.pages[0]!.end(null);
    model.datasets.pick(picking => picking.only('id-1'));
    await vi.advanceTimersByTimeAsync(1_000);
    await client.find('details id-1').answer({ dataset_type: VISIT_IMAGE, stored: true });
    await client.find('maker id-1').fail({ kind: 'offline' });
    model.tree.noteFailure(OFFICIAL, report({ kind: 'offline' }));
    expect(client.words.filter(what => what === 'maker id-1')).toHaveLength(1);
    model.tree.recheck(OFFICIAL);
    await client.find('check official dp2').answer(OFFICIAL);
    expect(client.words.filter(what => what === 'maker id-1')).toHaveLength(2);
  });
});
