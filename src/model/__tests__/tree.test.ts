import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Collection, ErrorReport, Repository } from '../../api';
import { type IFolderRow, type INoticeRow, TreeModel, type TreeRow } from '..';
import { chain, level, OFFICIAL, PERSONAL, report, run, SOURCE, StandIn, VISIT_IMAGE } from './standin';

let client: StandIn;
let tree: TreeModel;

beforeEach(() => {
  client = new StandIn();
  tree = new TreeModel(client);
});

/** The tree as a person sees it, one line a row. */
function picture(): string[] {
  return [...tree.rows].map(row => {
    const name = {
      folder: () => (row as IFolderRow).name,
      places: () => '',
      place: () => '',
      absent: () => '…',
      repository: () => (row as { repository: Repository }).repository.label,
      collection: () => (row as Extract<TreeRow, { kind: 'collection' }>).name,
      types: () => 'Dataset types',
      'dataset-type': () => (row as Extract<TreeRow, { kind: 'dataset-type' }>).datasetType.name,
      notice: () => `[${(row as INoticeRow).notice.state}] ${(row as INoticeRow).notice.message}`
    }[row.kind]();
    return '  '.repeat(row.level - 1) + name;
  });
}

function lookAll(): void {
  tree.look([...tree.rows]);
}

function row(name: string): TreeRow {
  const index = picture().findIndex(line => line.trim() === name);
  const found = tree.rows.at(index);
  if (!found) {
    throw new Error(`No row ${name} in ${picture().join('\n')}`);
  }
  return found;
}

function notice(): INoticeRow {
  const found = [...tree.rows].find((candidate): candidate is INoticeRow => candidate.kind === 'notice');
  if (!found) {
    throw new Error(`No notice in ${picture().join('\n')}`);
  }
  return found;
}

function open(name: string): void {
  tree.toggle(row(name));
  lookAll();
}

function lookAt(index: number): void {
  tree.look(tree.rows.slice(index, index + 1));
}

function runs(first: number, end: number): Collection[] {
  return Array.from({ length: end - first }, (_, index) => run(`run_${first + index}`));
}

async function connect(...repositories: Repository[]): Promise<void> {
  lookAll();
  await client.find('repositories').answer({ repositories });
}

describe('what is asked', () => {
  it('is nothing before somebody looks', () => {
    expect(picture()).toEqual(['[loading] Loading repositories …']);
    expect(client.words).toEqual([]);
    lookAll();
    expect(client.words).toEqual(['repositories']);
  });

  it('is only what the rows in view need', async () => {
    await connect(OFFICIAL, { ...PERSONAL, state: 'absent' });
    lookAll();
    expect(client.words).toEqual(['repositories']);
    // Open from the last time, but scrolled out of view.
    tree.restore({ repositories: [], toggled: ['official:dp2'] });
    tree.look(tree.rows.slice(0, 1));
    expect(client.words).toEqual(['repositories']);
    lookAll();
    expect(client.words).toEqual(['repositories', 'collections official dp2']);
  });

  it('is what is below a row that is opened, at once, even if there is no room to see it', async () => {
    await connect(OFFICIAL, PERSONAL);
    tree.toggle(row('dp2'));
    expect(client.words).toEqual(['repositories', 'collections official dp2']);
  });

  it('is asked once, however often it is looked at', async () => {
    await connect(OFFICIAL);
    open('dp2');
    lookAll();
    await client.find('collections official dp2').answer(level(run('r')));
    lookAll();
    lookAll();
    expect(client.words).toEqual(['repositories', 'collections official dp2']);
  });
});

describe('the tree', () => {
  it('shows the dataset types of a chain, closed, before its children in search order', async () => {
    await connect(OFFICIAL);
    open('dp2');
    await client.find('collections official dp2').answer(level(chain('DRP', 'z', 'a'), run('u/you/x')));
    open('DRP');
    expect(picture()).toEqual([
      'dp2',
      '  DRP',
      '    Dataset types',
      '    [loading] Loading the children of DRP …',
      '  u/you/x'
    ]);
    await client.find('collections official dp2 DRP').answer(level(run('z'), run('a')));
    open('Dataset types');
    await client.find('types official dp2 DRP').answer({ dataset_types: [SOURCE, VISIT_IMAGE] });
    expect(picture()).toEqual([
      'dp2',
      '  DRP',
      '    Dataset types',
      '      source',
      '      visit_image',
      '    z',
      '    a',
      '  u/you/x'
    ]);
    expect([...tree.rows].map(({ level: depth, position, siblings }) => [depth, position, siblings])).toEqual(
      [
        [1, 1, 1],
        [2, 1, 2],
        [3, 1, 3],
        [4, 1, 2],
        [4, 2, 2],
        [3, 2, 3],
        [3, 3, 3],
        [2, 2, 2]
      ]
    );
  });

  it('says why a level is empty', async () => {
    await connect(OFFICIAL);
    open('dp2');
    await client.find('collections official dp2').answer(level(run('r')));
    open('r');
    await client.find('types official dp2 r').answer({ dataset_types: [] });
    expect(picture()[2]).toBe('    [empty] This collection is empty.');
  });

  it('holds the places of what is out of view, and asks for a stretch once it is looked at', async () => {
    await connect(OFFICIAL);
    open('dp2');
    const first = { ...level(...runs(0, 1000)), total: 100_000 };
    await client.find('collections official dp2').answer(first);
    expect(tree.rows.length).toBe(100_001);
    lookAt(1);
    expect(client.words.at(-1)).toBe('collections official dp2');
    lookAt(99_000);
    expect(tree.rows.at(99_000)).toMatchObject({ kind: 'absent', position: 99_000, siblings: 100_000 });
    await client
      .find('collections official dp2 from 98000')
      .answer({ ...level(...runs(98_000, 99_000)), offset: 98_000, total: 100_000 });
    expect(tree.rows.at(99_000)).toMatchObject({ kind: 'collection', name: 'run_98999' });
    expect(tree.rows.indexOf('official:dp2|run_98999')).toBe(99_000);
    expect(client.words).toHaveLength(3);
  });

  it('says in the place of a stretch why it could not be had', async () => {
    await connect(OFFICIAL);
    open('dp2');
    await client.find('collections official dp2').answer({ ...level(...runs(0, 1000)), total: 2_000 });
    lookAt(1_500);
    await client.find('collections official dp2 from 1000').fail({ message: 'No.' });
    const failed = tree.rows.at(1_001) as INoticeRow;
    expect(failed.notice.message).toBe('No.');
    expect(tree.rows.length).toBe(2_001);
    tree.retry(failed.retry!);
    expect(client.words.at(-1)).toBe('collections official dp2 from 1000');
  });

  it('asks for all stretches anew when the level has become longer', async () => {
    await connect(OFFICIAL);
    open('dp2');
    await client.find('collections official dp2').answer({ ...level(...runs(0, 1000)), total: 1_500 });
    lookAt(1_200);
    await client
      .find('collections official dp2 from 1000')
      .answer({ ...level(...runs(1000, 1500)), total: 1_501 });
    lookAt(1);
    expect(client.words.at(-1)).toBe('collections official dp2');
  });

  it('opens a folder with what is in it, and shows names without what the folder says', async () => {
    await connect(OFFICIAL);
    open('dp2');
    await client
      .find('collections official dp2')
      .answer(level(chain('dp2', 'r'), { type: 'FOLDER', path: 'u/me/', count: 2 }));
    open('u/me/');
    await client.find('collections official dp2 u/me/').answer(level(run('u/me/a'), run('u/me/b')));
    expect(picture()).toEqual(['dp2', '  dp2', '  u/me/', '    a', '    b']);
    tree.grouped = false;
    lookAll();
    expect(client.words.at(-1)).toBe('collections official dp2 flat');
  });

  it('gives every row a different identifier', async () => {
    await connect(OFFICIAL, PERSONAL);
    open('dp2');
    await client
      .find('collections official dp2')
      .answer(level(chain('a', 'types', 'x'), chain('b', 'x'), run('a||types')));
    open('a');
    open('b');
    await client.find('collections official dp2 a').answer(level(run('types'), run('x')));
    await client.find('collections official dp2 b').answer(level(run('x')));
    const ids = [...tree.rows].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('a failure', () => {
  it('is shown with what to do, and Retry asks again', async () => {
    lookAll();
    await client
      .find('repositories')
      .fail({ kind: 'backend', message: 'There is no backend.', next_step: 'Install it.' });
    expect(notice().notice).toMatchObject({
      state: 'error',
      message: 'There is no backend.',
      nextStep: 'Install it.',
      retry: 'Retry'
    });
    lookAll();
    expect(client.words).toEqual(['repositories']);
    tree.retry(notice().retry!);
    expect(picture()).toEqual(['[loading] Loading repositories …']);
    await client.find('repositories').answer({ repositories: [OFFICIAL] });
    expect(picture()).toEqual(['dp2']);
  });

  it('is not kept: closing and opening asks again', async () => {
    await connect(OFFICIAL);
    open('dp2');
    await client.find('collections official dp2').answer(level(run('r')));
    open('r');
    await client.find('types official dp2 r').fail({ kind: 'internal' });
    open('r');
    open('r');
    expect(client.words.filter(what => what === 'types official dp2 r')).toHaveLength(2);
    expect(notice().notice.state).toBe('loading');
  });

  it.each(['offline', 'token', 'forbidden'] as const)(
    'of kind %s changes the state of the repository, and checking it brings all back',
    async kind => {
      await connect(OFFICIAL);
      open('dp2');
      await client.find('collections official dp2').fail({ kind, message: 'No.', next_step: 'Wait.' });
      expect(row('dp2')).toMatchObject({ repository: { state: kind } });
      expect(notice().notice).toMatchObject({
        state: kind,
        message: 'No.',
        nextStep: 'Wait.',
        retry: 'Retry'
      });
      tree.retry(notice().retry!);
      await client.find('check official dp2').answer(OFFICIAL);
      lookAll();
      await client.find('collections official dp2').answer(level(run('r')));
      expect(picture()).toEqual(['dp2', '  r']);
    }
  );

  it('leaves in sight what was already known', async () => {
    await connect(OFFICIAL);
    open('dp2');
    await client.find('collections official dp2').answer(level(run('r')));
    tree.noteFailure(OFFICIAL, report({ kind: 'offline', message: 'The server does not answer.' }));
    expect(picture()).toEqual(['dp2', '  [offline] The server does not answer.', '  r']);
  });

  it('leaves it in sight when everything is asked for again and nobody answers', async () => {
    await connect(OFFICIAL);
    open('dp2');
    await client.find('collections official dp2').answer(level(run('r')));
    tree.refresh();
    lookAll();
    await client.find('repositories').answer({ repositories: [OFFICIAL] });
    lookAll();
    const error = report({ kind: 'offline', message: 'The server does not answer.' });
    await client.find('check official dp2').answer({ ...OFFICIAL, state: 'offline', error });
    lookAll();
    expect(picture()).toEqual(['dp2', '  [offline] The server does not answer.', '  r']);
    expect(client.words.filter(what => what === 'collections official dp2')).toHaveLength(1);
    tree.retry(notice().retry!);
    await client.find('check official dp2').answer(OFFICIAL);
    lookAll();
    await client.find('collections official dp2').answer(level(run('s')));
    expect(picture()).toEqual(['dp2', '  s']);
  });

  it('of a busy server is asked again by itself when the server said so', async () => {
    vi.useFakeTimers();
    try {
      await connect(OFFICIAL);
      open('dp2');
      await client.find('collections official dp2').fail({ kind: 'busy', retry_in: 5 });
      expect(notice().notice).toMatchObject({ state: 'busy', retryAt: Date.now() + 5000 });
      expect(row('dp2')).toMatchObject({ repository: { state: 'connected' } });
      vi.advanceTimersByTime(4900);
      lookAll();
      expect(client.words).toHaveLength(2);
      vi.advanceTimersByTime(200);
      lookAll();
      expect(client.words).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });

  it('that comes with the list of repositories is told below its repository', async () => {
    const error: ErrorReport = report({ kind: 'token', message: 'The token has expired.' });
    await connect({ ...OFFICIAL, state: 'token', error }, { ...PERSONAL, state: 'absent' });
    open('dp2');
    await client.find('check official dp2').answer({ ...OFFICIAL, state: 'token', error });
    expect(notice().notice).toMatchObject({ state: 'token', message: 'The token has expired.' });
    lookAll();
    expect(client.words).toEqual(['repositories', 'check official dp2']);
    tree.toggle(tree.rows.at(2)!);
    expect(picture()[3]).toBe('  [absent] You have not written anything yet.');
  });
});

describe('a trouble in the list of repositories', () => {
  it('may be long over, so it is looked at again once when it is seen', async () => {
    await connect({ ...OFFICIAL, state: 'offline' }, { ...PERSONAL, state: 'absent' });
    expect(client.words).toEqual(['repositories']);
    lookAll();
    expect(client.words).toEqual(['repositories', 'check official dp2']);
    await client.find('check official dp2').answer(OFFICIAL);
    expect(row('dp2')).toMatchObject({ repository: { state: 'connected' } });
    lookAll();
    expect(client.words).toHaveLength(2);
  });
});

describe('cancelling', () => {
  it('stops what is under way, and says so', async () => {
    await connect(OFFICIAL);
    open('dp2');
    const asked = client.find('collections official dp2');
    tree.cancel();
    expect(asked.signal.aborted).toBe(true);
    expect(notice().notice).toMatchObject({ state: 'cancelled', retry: 'Load' });
    lookAll();
    expect(client.words).toHaveLength(2);
    tree.retry(notice().retry!);
    expect(client.words).toHaveLength(3);
  });
});

describe('counts', () => {
  beforeEach(async () => {
    await connect(OFFICIAL);
    open('dp2');
    await client.find('collections official dp2').answer(level(run('r')));
    open('r');
    await client.find('types official dp2 r').answer({
      dataset_types: ['a', 'b', 'c'].map(name => ({ ...SOURCE, name }))
    });
  });

  const counts = (): string[] => client.words.filter(what => what.startsWith('count'));

  it('are asked one after the other', async () => {
    lookAll();
    expect(counts()).toEqual(['count r a']);
    await client.find('count r a').answer({ count: 7, exact: true });
    expect(counts()).toEqual(['count r a', 'count r b']);
    expect(row('a')).toMatchObject({ count: { status: 'loaded', value: { count: 7, exact: true } } });
  });

  it('are not asked for what scrolled out of view before its turn', async () => {
    lookAll();
    tree.look([row('c')]);
    await client.find('count r a').answer({ count: 7, exact: true });
    expect(counts()).toEqual(['count r a', 'count r c']);
  });

  it('that fail do not keep others from being asked, and are not asked again and again', async () => {
    lookAll();
    await client.find('count r a').fail({ kind: 'internal' });
    await client.find('count r b').answer({ count: 1, exact: true });
    await client.find('count r c').answer({ count: 1, exact: true });
    lookAll();
    expect(counts()).toEqual(['count r a', 'count r b', 'count r c']);
  });
});

describe('a change', () => {
  it('is fetched behind what is shown, with everything still open', async () => {
    await connect(PERSONAL);
    open('dp2');
    await client.find('collections personal dp2').answer(level(chain('u/me/x', 'u/me/x/v1')));
    open('u/me/x');
    await client.find('collections personal dp2 u/me/x').answer(level(run('u/me/x/v1')));
    open('Dataset types');
    await client.find('types personal dp2 u/me/x').answer({ dataset_types: [SOURCE] });
    const before = picture();
    tree.invalidate(PERSONAL);
    lookAll();
    expect(picture()).toEqual(before);
    await client.find('collections personal dp2 u/me/x').answer(level(run('u/me/x/v2'), run('u/me/x/v1')));
    expect(picture()).toEqual([...before.slice(0, 4), '    u/me/x/v2', '    u/me/x/v1']);
  });

  it('asks for nothing that is closed', async () => {
    await connect(PERSONAL);
    open('dp2');
    await client.find('collections personal dp2').answer(level(run('r')));
    tree.toggle(row('dp2'));
    tree.invalidate(PERSONAL);
    lookAll();
    expect(client.words.filter(what => what.startsWith('collections'))).toHaveLength(1);
  });

  it('is not overwritten by an answer from before it', async () => {
    await connect(PERSONAL);
    open('dp2');
    const old = client.find('collections personal dp2');
    tree.invalidate(PERSONAL);
    lookAll();
    await client.find('collections personal dp2').answer(level(run('new')));
    await old.answer(level(run('old')));
    expect(picture()).toEqual(['dp2', '  new']);
  });
});

describe('what is remembered', () => {
  it('is painted at once and refreshed once it is looked at', async () => {
    tree.restore({ repositories: [OFFICIAL], toggled: ['official:dp2'] });
    expect(picture()).toEqual(['dp2', '  [loading] Loading collections …']);
    lookAll();
    expect(client.words).toEqual(['repositories', 'collections official dp2']);
    await client.find('repositories').answer({ repositories: [OFFICIAL, PERSONAL] });
    expect(picture()).toEqual(['dp2', '  [loading] Loading collections …', 'dp2']);
  });

  it('a check that is newer than the list counts more', async () => {
    await connect({ ...OFFICIAL, state: 'offline' });
    tree.refresh();
    await client.find('check official dp2').answer(OFFICIAL);
    await client.find('repositories').answer({ repositories: [{ ...OFFICIAL, state: 'offline' }] });
    expect(row('dp2')).toMatchObject({ repository: { state: 'connected' } });
  });
});
