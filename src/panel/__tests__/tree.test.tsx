import { act } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import {
  chain,
  level,
  OFFICIAL,
  PERSONAL,
  run,
  SOURCE,
  StandIn,
  VISIT_IMAGE
} from '../../model/__tests__/standin';
import { type IDatasetTarget, TreeModel } from '../../model';
import { Tree } from '../tree';
import { all, click, find, focus, press, render, text, preparePage } from './render';

preparePage();

let client: StandIn;
let model: TreeModel;
let opened: IDatasetTarget[];
let isVisible: boolean;
const copied = vi.fn();

function show(target: IDatasetTarget | null = null): void {
  render(
    <Tree
      model={model}
      rows={model.rows}
      target={target}
      onOpen={chosen => {
        opened.push(chosen);
      }}
      onCopy={copied}
      isVisible={() => isVisible}
    />
  );
}

beforeEach(() => {
  client = new StandIn();
  model = new TreeModel(client);
  opened = [];
  isVisible = true;
  model.stateChanged.connect(() => act(() => show()));
});

async function answer(what: string, value: unknown): Promise<void> {
  await act(() => client.find(what).answer(value));
}

/** dp2 with one chain of two runs, and the types of the chain, all open. */
async function openAll(): Promise<void> {
  show();
  await answer('repositories', { repositories: [OFFICIAL, PERSONAL] });
  click(all('treeitem')[0]!);
  await answer('collections official dp2', level(chain('DRP', 'LSSTCam/runs/a', 'LSSTCam/runs/b')));
  click(all('treeitem')[1]!);
  await answer('collections official dp2 DRP', level(run('LSSTCam/runs/a'), run('LSSTCam/runs/b')));
  click(all('treeitem')[2]!);
  await answer('types official dp2 DRP', { dataset_types: [SOURCE, VISIT_IMAGE] });
}

const labels = (): (string | null)[] => all('treeitem').map(item => item.getAttribute('aria-label'));
const active = (): string | null => document.activeElement?.getAttribute('aria-label') ?? null;

describe('the tree', () => {
  it('asks for nothing while it cannot be seen', () => {
    isVisible = false;
    show();
    expect(client.words).toEqual([]);
    expect(text()).toContain('Loading repositories');
  });

  it('tells each row in words', async () => {
    await openAll();
    expect(labels()).toEqual([
      'dp2, official repository, connected',
      'DRP, chain · 2',
      'Dataset types, 2',
      'source, instrument visit',
      'visit_image, instrument visit detector',
      'LSSTCam/runs/a, run',
      'LSSTCam/runs/b, run',
      'my dp2, personal repository, connected'
    ]);
    await answer('count DRP source', { count: 28_589, exact: true });
    expect(labels()[3]).toBe('source, instrument visit, 28,589 datasets');
    expect(find('.pb-mod-count').textContent).toBe('29 k');
    expect(find('.pb-mod-count').title).toBe('28,589 datasets');
  });

  it('says where each row stands', async () => {
    await openAll();
    const places = all('treeitem').map(item =>
      ['aria-level', 'aria-posinset', 'aria-setsize', 'aria-expanded'].map(name => item.getAttribute(name))
    );
    expect(places).toEqual([
      ['1', '1', '2', 'true'],
      ['2', '1', '1', 'true'],
      ['3', '1', '3', 'true'],
      ['4', '1', '2', null],
      ['4', '2', '2', null],
      ['3', '2', '3', 'false'],
      ['3', '3', '3', 'false'],
      ['1', '2', '2', 'false']
    ]);
  });

  it('opens the datasets of a type by click and by Enter', async () => {
    await openAll();
    click(all('treeitem')[3]!);
    press('End');
    focus(all('treeitem')[4]!);
    press('Enter');
    expect(opened.map(({ collection, datasetType }) => [collection.name, datasetType.name])).toEqual([
      ['DRP', 'source'],
      ['DRP', 'visit_image']
    ]);
  });

  it('marks what is listed', async () => {
    await openAll();
    show({ repository: OFFICIAL, collection: chain('DRP'), datasetType: SOURCE });
    const selected = all('treeitem').filter(item => item.getAttribute('aria-selected') === 'true');
    expect(selected.map(item => item.getAttribute('aria-label'))).toEqual(['source, instrument visit']);
  });
});

describe('the keyboard', () => {
  it('has one tab stop, which follows the focus', async () => {
    await openAll();
    const stops = (): HTMLElement[] => all('treeitem').filter(item => item.tabIndex === 0);
    expect(stops()).toHaveLength(1);
    focus(stops()[0]!);
    press('Home');
    press('ArrowDown');
    press('ArrowDown');
    expect(active()).toBe('Dataset types, 2');
    expect(stops()).toEqual([document.activeElement]);
  });

  it('opens, enters, leaves and closes branches', async () => {
    await openAll();
    focus(all('treeitem')[1]!);
    press('ArrowRight');
    expect(active()).toBe('Dataset types, 2');
    press('ArrowLeft');
    press('ArrowDown');
    expect(active()).toBe('LSSTCam/runs/a, run');
    press('ArrowRight');
    expect(client.words.at(-1)).toBe('types official dp2 LSSTCam/runs/a');
    press('ArrowLeft');
    press('ArrowLeft');
    expect(active()).toBe('DRP, chain · 2');
    press('ArrowLeft');
    expect(labels()).toEqual([
      'dp2, official repository, connected',
      'DRP, chain · 2',
      'my dp2, personal repository, connected'
    ]);
    expect(active()).toBe('DRP, chain · 2');
  });

  it('finds rows by their first letters', async () => {
    await openAll();
    focus(all('treeitem')[0]!);
    press('v');
    press('i');
    expect(active()).toBe('visit_image, instrument visit detector');
    press('m');
    press('Home');
    press('m');
    expect(active()).toBe('my dp2, personal repository, connected');
  });

  it('stops with Escape and tries again with Enter', async () => {
    show();
    const asked = client.find('repositories');
    focus(all('treeitem')[0]!);
    press('Escape');
    await act(() => Promise.resolve());
    expect(asked.signal.aborted).toBe(true);
    expect(active()).toBe('Loading repositories was stopped. Press Enter: Load.');
    press('Enter');
    expect(client.words).toEqual(['repositories', 'repositories']);
  });

  it('opens the context menu where JupyterLab finds it', async () => {
    await openAll();
    const onMenu = vi.fn();
    document.addEventListener('contextmenu', onMenu, { once: true });
    focus(all('treeitem')[5]!);
    press('F10', { shiftKey: true });
    expect(onMenu).toHaveBeenCalledOnce();
    expect((onMenu.mock.calls[0]?.[0] as MouseEvent).shiftKey).toBe(false);
  });
});

describe('a failure', () => {
  it('is told with its next step, Retry, and a diagnostic to copy', async () => {
    show();
    await act(() =>
      client.find('repositories').fail({
        kind: 'backend',
        message: 'The backend has no lsst.daf.butler.',
        next_step: 'Install it in the kernel.',
        request_id: 'abc'
      })
    );
    expect(text()).toContain('The backend has no lsst.daf.butler. Install it in the kernel.');
    const [retry, copy] = [...document.querySelectorAll('.pb-Link')];
    click(copy!);
    expect(copied).toHaveBeenCalledWith(expect.stringContaining('request: abc'));
    click(retry!);
    await answer('repositories', { repositories: [OFFICIAL] });
    expect(labels()).toEqual(['dp2, official repository, connected']);
  });
});

describe('a long tree', () => {
  it('has only the rows in view in the page, and asks for the counts of those alone', async () => {
    show();
    await answer('repositories', { repositories: [OFFICIAL] });
    click(all('treeitem')[0]!);
    await answer('collections official dp2', level(run('r')));
    click(all('treeitem')[1]!);
    const types = Array.from({ length: 2000 }, (_, index) => ({ ...SOURCE, name: `type_${index}` }));
    await answer('types official dp2 r', { dataset_types: types });
    expect(model.rows).toHaveLength(2002);
    expect(all('treeitem').length).toBeLessThan(50);
    for (let asked = 0; asked < 60; asked++) {
      const count = client.words.filter(what => what.startsWith('count')).at(-1);
      await answer(count!, { count: 1, exact: true });
    }
    expect(client.words.filter(what => what.startsWith('count')).length).toBeLessThan(30);
  });

  it('keeps the focus on a row that is far away', async () => {
    show();
    await answer('repositories', { repositories: [OFFICIAL] });
    focus(all('treeitem')[0]!);
    press('ArrowRight');
    const runs = Array.from({ length: 2000 }, (_, index) => run(`run_${index}`));
    await answer('collections official dp2', level(...runs));
    press('End');
    expect(active()).toBe('run_1999, run');
  });
});
