import { Signal } from '@lumino/signaling';
import { act } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { IRepositoryKey } from '../../api';
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
import { type IDatasetPlace, type IPlace, Places, TreeModel } from '../../model';
import { Tree } from '../tree';
import { all, click, find, focus, press, render, text, preparePage } from '../../__tests__/render';

preparePage();

let client: StandIn;
let model: TreeModel;
let opened: IDatasetPlace[];
let gone: IPlace[];
let places: Places;
let isVisible: boolean;
const copied = vi.fn();

function show(target: IDatasetPlace | null = null): void {
  render(
    <Tree
      model={model}
      rows={model.rows}
      target={target}
      onOpen={chosen => {
        opened.push(chosen);
      }}
      onGo={place => {
        gone.push(place);
      }}
      onStar={place => places.toggle(place)}
      onView={() => undefined}
      onCopy={copied}
      isVisible={() => isVisible}
    />
  );
}

beforeEach(() => {
  client = new StandIn();
  places = new Places();
  model = new TreeModel(client, places);
  opened = [];
  gone = [];
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

  it('keeps a slash that goes on with a name, and leaves any other to the panel', async () => {
    await openAll();
    const left: string[] = [];
    document.body.addEventListener('keydown', ({ key }) => left.push(key), { once: true });
    focus(all('treeitem')[0]!);
    press('v');
    press('i');
    expect(left).toEqual([]);
    press('/');
    expect(left).toEqual(['/']);
    expect(active()).toBe('visit_image, instrument visit detector');
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

describe('who went elsewhere', () => {
  /** Something outside of the tree that takes the focus. */
  function goElsewhere(): HTMLElement {
    const other = document.createElement('button');
    document.body.append(other);
    focus(other);
    return other;
  }

  it('is not called back by a key that moved nowhere', async () => {
    await openAll();
    focus(all('treeitem')[0]!);
    press('End');
    press('End');
    const other = goElsewhere();
    // As when the person's own repository has changed.
    act(() => model.invalidate(PERSONAL));
    expect(document.activeElement).toBe(other);
    other.remove();
  });

  it('is not called back by a row that has come since', async () => {
    await openAll();
    const later = { ...PERSONAL, label: 'later' };
    model.revealRepository(later, true);
    const other = goElsewhere();
    model.reload();
    await answer('repositories', { repositories: [OFFICIAL, PERSONAL, later] });
    expect(labels()).toContain('my later, personal repository, connected');
    expect(document.activeElement).toBe(other);
    other.remove();
  });
});

describe('when there is less room', () => {
  it('what was chosen stays in view, if it was', async () => {
    const observed: (() => void)[] = [];
    vi.stubGlobal(
      'ResizeObserver',
      class {
        constructor(changed: () => void) {
          observed.push(changed);
        }
        observe = (): void => undefined;
        disconnect = (): void => undefined;
      }
    );
    await openAll();
    focus(all('treeitem')[0]!);
    press('End');
    const rows = find('.pb-Rows');
    const last = 24 * model.rows.length;
    vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockReturnValue(48);
    act(() => observed.forEach(changed => changed()));
    expect(rows.scrollTop).toBe(last - 48);
    // As when something is opened for the first time, and stands among the recent places from then on.
    act(() => places.visit({ ...OFFICIAL, collection: 'DRP', datasetType: null }));
    expect(rows.scrollTop).toBe(last + 24 - 48);
    // What a person has scrolled away is left there.
    rows.scrollTop = 0;
    act(() => void rows.dispatchEvent(new Event('scroll')));
    vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockReturnValue(24);
    act(() => observed.forEach(changed => changed()));
    expect(rows.scrollTop).toBe(0);
    vi.unstubAllGlobals();
  });
});

describe('what the person has of an official type', () => {
  it('is marked beside it and told as soon as it is known', async () => {
    let known = false;
    const looked: string[] = [];
    class Held {
      readonly changed = new Signal<this, void>(this);
      of = (_: unknown, __: string, type: string) =>
        known && type === 'source' ? { referenced: 1204, pinned: 3 } : null;
      look = ({ kind }: IRepositoryKey, collection: string) => void looked.push(`${kind} ${collection}`);
    }
    const held = new Held();
    model.held = held;
    await openAll();
    expect(looked).toContain('official DRP');
    expect(all('treeitem').some(item => item.querySelector('.pb-Mark'))).toBe(false);
    known = true;
    held.changed.emit();
    const [marked, ...others] = all('treeitem').filter(item => item.querySelector('.pb-Mark'));
    expect(marked!.getAttribute('aria-label')).toMatch(/^source, .*, 1,204 referenced, 3 pinned$/);
    expect(marked!.querySelector('.pb-Mark')!.getAttribute('data-mark')).toBe('pinned');
    expect(others).toEqual([]);
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
    await answer('collections official dp2', { ...level(...runs.slice(0, 1000)), total: 2000 });
    press('End');
    expect(active()).toBe('Loading …');
    // What takes the place of the row takes the focus too.
    await answer('collections official dp2 from 1000', { ...level(...runs.slice(1000)), total: 2000 });
    expect(active()).toBe('run_1999, run');
  });
});
