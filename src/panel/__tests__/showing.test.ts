import { CommandRegistry } from '@lumino/commands';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ButlerModel } from '../../model';
import { OFFICIAL, run, StandIn, VISIT_IMAGE } from '../../model/__tests__/standin';
import { addShowCommands, ShowCommandIDs } from '../showing';

const PLACE = { kind: 'official', label: 'dp2', collection: 'r', datasetType: 'visit_image' };

let client: StandIn;
let model: ButlerModel;
let commands: CommandRegistry;
const tell = vi.fn();

/** Show something where the dataset type is there. */
async function show(args: object): Promise<void> {
  const shown = commands.execute(ShowCommandIDs.show, { ...PLACE, ...args });
  await client.find('types official dp2 r').answer({ dataset_types: [VISIT_IMAGE] });
  await client.find('path official dp2 r').answer({ steps: [], collection: run('r') });
  await shown;
}

beforeEach(async () => {
  tell.mockClear();
  client = new StandIn();
  model = new ButlerModel({ client, describer: client, state: null });
  commands = new CommandRegistry();
  addShowCommands(commands, model, {
    openPanel: () => undefined,
    copyLink: () => undefined,
    rowOfMenu: () => null,
    tell
  });
  model.tree.look([...model.tree.rows]);
  await client.find('repositories').answer({ repositories: [OFFICIAL] });
});

afterEach(() => model.dispose());

describe('showing in the panel', () => {
  it('lists what a query finds, and without one everything', async () => {
    await show({ filter: { where: 'visit > 5' } });
    expect(model.datasets.target?.filter?.where).toBe('visit > 5');
    await show({ filter: {} });
    expect(model.datasets.target?.filter).toBeNull();
  });

  it('tells if the dataset type is not there', async () => {
    await show({ datasetType: 'gone' });
    expect(tell).toHaveBeenCalledExactlyOnceWith('There are no datasets of type gone in r.');
    expect(model.datasets.target).toBeNull();
  });
});
