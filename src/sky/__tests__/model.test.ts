import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ButlerModel } from '../../model';
import { OFFICIAL, run, settled, StandIn, VISIT_IMAGE } from '../../model/__tests__/standin';
import { type ISkySource, SkyModel } from '../model';

const RING: [number, number][] = [
  [0, 0],
  [1, 0],
  [0, 1]
];

/** Footprints of three visits, one dataset each. */
const SOURCE: ISkySource = {
  async *footprints() {
    yield { event: 'begin', element: 'visit', dimensions: ['visit'], region_dimensions: ['visit'] };
    await Promise.resolve();
    yield {
      event: 'footprints',
      regions: [1, 2, 3].map(visit => ({ values: [visit], rings: [RING], approximate: false })),
      datasets: [1, 2, 3].map((visit, region) => ({ id: `id-${visit}`, values: [], region }))
    };
    return { event: 'end', next_cursor: null, superseded: false };
  }
};

let client: StandIn;
let butler: ButlerModel;
let sky: SkyModel;

const chosen = (): string[] => [...butler.datasets.picking.chosen];
const choose = (...indexes: number[]): void => {
  sky.choose(indexes.map(index => sky.footprints.all[index]!));
};

beforeEach(async () => {
  client = new StandIn();
  butler = new ButlerModel({ client, describer: client, state: null });
  sky = new SkyModel(butler, SOURCE);
  sky.visible = true;
  butler.datasets.open({ repository: OFFICIAL, collection: run('r'), datasetType: VISIT_IMAGE });
  await settled();
  expect(sky.footprints.all).toHaveLength(3);
});

afterEach(() => {
  sky.dispose();
  butler.dispose();
});

describe('a choice on the map', () => {
  it('made while the list is loading is marked at once, and made in the list when it comes', async () => {
    choose(1, 2);
    expect([...sky.chosen]).toEqual([1, 2]);
    await client.pages[0]!.rows(1, 2);
    expect(chosen()).toEqual([]);
    await client.pages[0]!.end('next');
    await client.pages[1]!.rows(3);
    await client.pages[1]!.end(null);
    expect(chosen()).toEqual(['id-2', 'id-3']);
    expect([...sky.chosen]).toEqual([1, 2]);
  });

  it.each([
    ['fails', () => client.pages[0]!.fail({ kind: 'offline' })],
    ['gives way', () => client.pages[0]!.end('next', true)],
    [
      'is stopped',
      () => {
        butler.datasets.cancel();
        return settled();
      }
    ]
  ])('is not lost when the list %s, and made once it goes on', async (_, stop) => {
    await client.pages[0]!.rows(1, 2);
    choose(2);
    await stop();
    expect(chosen()).toEqual([]);
    butler.datasets.retry();
    await client.pages[1]!.rows(3);
    await client.pages[1]!.end(null);
    expect(chosen()).toEqual(['id-3']);
  });

  it('takes as much as there is of it when the list ends', async () => {
    choose(0, 2);
    await client.pages[0]!.rows(1, 2);
    await client.pages[0]!.end(null);
    expect(chosen()).toEqual(['id-1']);
    expect([...sky.chosen]).toEqual([0]);
  });

  it('gives way to one that is made in the list', async () => {
    await client.pages[0]!.rows(1, 2);
    choose(2);
    butler.datasets.pick(picking => picking.only('id-2'));
    await client.pages[0]!.rows(3);
    await client.pages[0]!.end(null);
    expect(chosen()).toEqual(['id-2']);
    expect([...sky.chosen]).toEqual([1]);
  });

  it('takes the place of everything that was chosen', async () => {
    await client.pages[0]!.rows(1, 2);
    butler.datasets.pickAll();
    choose(0);
    expect(butler.datasets.isAllChosen).toBe(false);
    expect(chosen()).toEqual(['id-1']);
  });

  it('comes into view only if it was made in the list', async () => {
    let revealed = 0;
    sky.revealed.connect(() => (revealed += 1));
    choose(2);
    await client.pages[0]!.rows(1, 2, 3);
    expect(chosen()).toEqual(['id-3']);
    expect(revealed).toBe(0);
    butler.datasets.pick(picking => picking.only('id-1'));
    expect(revealed).toBe(1);
  });
});
