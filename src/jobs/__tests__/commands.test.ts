import { CommandRegistry } from '@lumino/commands';
import { beforeEach, describe, expect, it } from 'vitest';

import type { JobRequest, Repository } from '../../api';
import { ButlerModel } from '../../model';
import { OFFICIAL, PERSONAL, run, settled, StandIn, VISIT_IMAGE } from '../../model/__tests__/standin';
import { addJobCommands, JobCommandIDs } from '../commands';

const OTHER: Repository = { ...PERSONAL, label: 'other' };

let client: StandIn;
let model: ButlerModel;
let commands: CommandRegistry;
let pruned: (string | null)[];
let begun: JobRequest[];
let rowOfMenu: string | null;

beforeEach(async () => {
  client = new StandIn();
  model = new ButlerModel({ client, describer: client, state: null });
  commands = new CommandRegistry();
  pruned = [];
  begun = [];
  rowOfMenu = null;
  addJobCommands(commands, model, {
    begin: request => {
      begun.push(request);
      return Promise.resolve();
    },
    prune: label => {
      pruned.push(label);
      return Promise.resolve();
    },
    rowOfMenu: () => rowOfMenu,
    showJobs: () => undefined
  });
  await model.restore();
  model.visible = true;
  model.tree.look([...model.tree.rows]);
  await client.find('repositories').answer({ repositories: [OFFICIAL, PERSONAL, OTHER] });
});

/** The row of a repository. */
function rowOf({ kind, label }: Repository): string {
  const row = [...model.tree.rows].find(
    each => 'repository' in each && each.repository.kind === kind && each.repository.label === label
  );
  return row!.id;
}

describe('pruning', () => {
  it('from the menu of a row is about its repository', async () => {
    rowOfMenu = rowOf(OTHER);
    await commands.execute(JobCommandIDs.prune, { row: true });
    expect(pruned).toEqual(['other']);
  });

  it('from elsewhere is not about the row of a menu that was open before', async () => {
    rowOfMenu = rowOf(OTHER);
    await commands.execute(JobCommandIDs.prune);
    expect(pruned).toEqual([null]);
  });

  it('is not for official repositories, nor for rows that are gone', () => {
    rowOfMenu = rowOf(OFFICIAL);
    expect(commands.isEnabled(JobCommandIDs.prune, { row: true })).toBe(false);
    rowOfMenu = 'gone';
    expect(commands.isEnabled(JobCommandIDs.prune, { row: true })).toBe(false);
    expect(commands.isEnabled(JobCommandIDs.prune)).toBe(true);
  });

  it('never takes another repository for one that is not there', () => {
    expect(commands.isEnabled(JobCommandIDs.prune, { label: 'other' })).toBe(true);
    expect(commands.isEnabled(JobCommandIDs.prune, { label: 'gone' })).toBe(false);
  });
});

describe('retiring', () => {
  it('is for what is chosen, not for everything of which only some is here', async () => {
    model.datasets.open({ repository: PERSONAL, collection: run('r'), datasetType: VISIT_IMAGE });
    await client.pages[0]!.rows(1, 2);
    const row = model.datasets.rows[0]!;
    Object.assign(row, { run: 'u/me/r/v1' });
    await client.pages[0]!.end('more');
    model.datasets.pick(picking => picking.only(row.id));
    expect(commands.isEnabled(JobCommandIDs.retire)).toBe(true);
    model.datasets.pickAll();
    await settled();
    expect(commands.isEnabled(JobCommandIDs.retire)).toBe(false);
    await commands.execute(JobCommandIDs.retire);
    expect(begun).toEqual([]);
  });
});
