import { act } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Provenance } from '../../api';
import { DetailsModel, type IDatasetSelection } from '../../model';
import { dataset, OFFICIAL, run, StandIn, VISIT_IMAGE } from '../../model/__tests__/standin';
import { all, click, find, preparePage, render, text } from '../../__tests__/render';
import { Details } from '../details';
import { madeBy } from '../origin';
import { actions } from './actions';

preparePage();

const SELECTION: IDatasetSelection = {
  repository: OFFICIAL,
  collection: run('r'),
  datasetType: VISIT_IMAGE,
  datasets: [dataset(1)]
};

const UNRECORDED: Provenance = {
  dataset: { id: 'id-1', kind: 'official', dataset_type: 'visit_image', data_id: {}, run: 'r' },
  sources: [],
  inputs: [],
  inputs_left_out: 0,
  inputs_are: 'recorded',
  outputs: [],
  outputs_left_out: 0,
  maker: null,
  tasks: [],
  packages: null
};

const MAKER: NonNullable<Provenance['maker']> = {
  quantum: null,
  task: '',
  task_class: '',
  configuration: '',
  seconds: null,
  time: '2026-11-22T20:00:00.123',
  user: 'me',
  host: '',
  python: '',
  software: {},
  code: '',
  execution: null,
  notebook: '',
  program: '',
  doc: ''
};

let client: StandIn;
let model: DetailsModel;

function show(): void {
  const { selection, details } = model;
  render(<Details model={model} selection={selection} details={details} actions={actions} />);
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  client = new StandIn();
  model = new DetailsModel(client);
  model.stateChanged.connect(() => act(show));
  show();
});

afterEach(() => {
  model.dispose();
  vi.useRealTimers();
});

/** Choose a dataset, and let everything be asked about it. */
async function choose(): Promise<void> {
  act(() => {
    model.visible = true;
    model.show(SELECTION);
  });
  await act(() => vi.advanceTimersByTimeAsync(500));
  const { data_id, run: name, id } = dataset(1);
  const details = { id, data_id, run: name, dataset_type: VISIT_IMAGE, records: [], files: [], stored: true };
  await act(() => client.find('details id-1').answer(details));
}

const button = (name: string): HTMLElement =>
  [...document.querySelectorAll('button')].find(({ textContent }) => textContent === name)!;

async function hold(...names: string[]): Promise<void> {
  const collections = names.map(name => ({ name, type: name === 'r' ? 'RUN' : 'CHAINED', validity: [] }));
  await act(() => client.find('collections of id-1').answer([{ collections }]));
}

describe('the details of a dataset', () => {
  it('tell who made it in a line, with the way to the rest of its provenance', async () => {
    await choose();
    expect(text()).toContain('Loading who made it …');
    const maker = { ...MAKER, notebook: 'stars.ipynb' };
    await act(() => client.find('maker id-1').answer({ ...UNRECORDED, maker }));
    expect(text()).toContain('made bynotebook stars.ipynb Provenance');
    expect(find('[title="2026-11-22 20:00:00 UTC by me"]').textContent).toBe('notebook stars.ipynb');
    click(button('Provenance'));
    expect(actions.open).toHaveBeenCalledWith('provenance');
  });

  it('are those of no single one where all that is found is chosen', async () => {
    const row = { id: 'id-1', data_id: {}, run: 'r' };
    act(() => {
      model.visible = true;
      model.show({ ...SELECTION, datasets: [row], whole: null });
    });
    await act(() => vi.advanceTimersByTimeAsync(500));
    expect(client.words).toEqual([]);
    expect(text()).toContain('all that is found');
    expect(button('Open')).toBeUndefined();
    act(() => model.show({ ...SELECTION, datasets: [row, { ...row, id: 'id-2' }], whole: null }));
    expect(text()).not.toContain('2 datasets');
    expect(text()).not.toContain('run');
  });

  it('tell which collections hold it besides its run, each of them a step away, and how many more', async () => {
    await choose();
    expect(text()).toContain('Loading the collections that hold it …');
    await hold('r', 'one', 'two', 'three', 'four', 'five');
    const shown = [...document.querySelectorAll('.pb-Holding .pb-Link')];
    expect(shown.map(({ textContent }) => textContent)).toEqual(['one', 'two', 'three']);
    click(shown[1]!);
    expect(actions.show).toHaveBeenCalledWith(
      { kind: 'official', label: 'dp2', collection: 'two', datasetType: null },
      []
    );
    click(button('and 2 more'));
    expect(actions.open).toHaveBeenCalledWith();
    expect(all('status').map(({ textContent }) => textContent)).toEqual(['Loading who made it …']);
  });

  it('say so if nothing but its run does', async () => {
    await choose();
    await hold('r');
    expect(text()).toContain('collectionsonly its run');
  });

  it('stand beside what failed or was stopped, which can be asked for again', async () => {
    await choose();
    await act(() => client.find('maker id-1').fail({ message: 'The server is on fire.' }));
    expect(text()).toContain('The server is on fire.');
    expect(text()).toContain('id-1');
    click(button('Stop'));
    expect(text()).toContain('Loading the collections that hold it was stopped.');
    click(button('Retry'));
    await act(() => client.find('maker id-1').answer(UNRECORDED));
    await hold('r');
    expect(text()).toContain('made bynot recorded Provenance');
    expect(text()).toContain('only its run');
  });
});

describe('who made a dataset', () => {
  const task = (label: string, same: boolean) => ({
    label,
    same_dimensions: same,
    metadata: null,
    log: null
  });

  it('is what was recorded', () => {
    const words = (maker: Partial<typeof MAKER>) =>
      madeBy({ ...UNRECORDED, maker: { ...MAKER, ...maker }, tasks: [task('isr', true)] }).words;
    expect(words({ task: 'stars', notebook: 'a.ipynb' })).toBe('task stars');
    expect(words({ notebook: 'a.ipynb', program: 'a.py' })).toBe('notebook a.ipynb');
    expect(words({ program: 'a.py' })).toBe('program a.py');
    expect(words({})).toBe('me');
  });

  it('is told from traces without a record, and never guessed among several', () => {
    const of = (...tasks: Provenance['tasks']) => madeBy({ ...UNRECORDED, tasks });
    expect(of(task('isr', true), task('other', false))).toEqual({
      words: 'task isr, by its traces',
      isKnown: true
    });
    expect(of(task('isr', true), task('other', true))).toEqual({ words: 'one of 2 tasks', isKnown: false });
    expect(of()).toEqual({ words: 'not recorded', isKnown: false });
  });
});
