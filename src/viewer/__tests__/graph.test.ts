import { beforeEach, describe, expect, it } from 'vitest';

import type { Provenance, ProvenanceNode } from '../../api';
import { type IMoreNode, MAX_NODES, ProvenanceGraph, SHOWN } from '../provenance/graph';
import { layOut, NODE } from '../provenance/layout';

function node(id: string, kind: ProvenanceNode['kind'] = 'official'): ProvenanceNode {
  return { id, kind, dataset_type: `type-${id}`, data_id: {}, run: 'run' };
}

function step(id: string, more: Partial<Provenance> = {}): Provenance {
  return {
    dataset: node(id),
    sources: ['notes'],
    inputs: [],
    inputs_left_out: 0,
    inputs_are: 'given',
    outputs: [],
    outputs_left_out: 0,
    maker: null,
    tasks: [],
    packages: null,
    ...more
  };
}

let steps: Map<string, Provenance>;
let asked: string[];
let graph: ProvenanceGraph;

/** All answers are there, and what follows from them is drawn. */
async function settled(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 0));
  keys();
}

const keys = (): string[] => graph.picture.items.map(item => item.key);
const more = (): IMoreNode => graph.picture.items.find(item => item.kind === 'more')!;

beforeEach(() => {
  steps = new Map([['a', step('a', { inputs: [node('b')], outputs: [node('c', 'personal')] })]]);
  asked = [];
  graph = new ProvenanceGraph({ kind: 'official', label: 'dp2', id: 'a' }, ({ kind }, id) => {
    asked.push(`${kind} ${id}`);
    const found = steps.get(id);
    return found ? Promise.resolve(found) : Promise.reject(new Error('gone'));
  });
});

describe('a graph of provenance', () => {
  it('asks nothing before somebody sees it', () => {
    expect(asked).toEqual([]);
    expect(keys()).toEqual(['a']);
  });

  it('shows inputs before and outputs after the dataset', async () => {
    graph.ask();
    await settled();
    expect(asked).toEqual(['official a']);
    expect(graph.picture.items.map(({ key, rank }) => [key, rank])).toEqual([
      ['a', 0],
      ['b', -1],
      ['c', 1]
    ]);
    expect(graph.picture.edges).toEqual([
      { from: 'b', to: 'a' },
      { from: 'a', to: 'c' }
    ]);
  });

  it('walks on in the repository where a dataset is', async () => {
    steps.set('c', step('c', { outputs: [node('d', 'personal')] }));
    graph.ask();
    await settled();
    graph.toggle('c', 'outputs');
    await settled();
    expect(asked).toEqual(['official a', 'personal c']);
    expect(keys()).toContain('d');
    graph.toggle('c', 'outputs');
    expect(keys()).not.toContain('d');
    graph.toggle('c', 'outputs');
    expect(asked).toHaveLength(2);
  });

  it('joins paths that meet and ends where datasets made each other', async () => {
    steps.set('b', step('b', { inputs: [node('a')] }));
    graph.ask();
    await settled();
    graph.toggle('b', 'inputs');
    await settled();
    expect(keys()).toEqual(['a', 'b', 'c']);
    expect(graph.picture.edges).toContainEqual({ from: 'a', to: 'b' });
  });

  it('a step that failed can be tried again', async () => {
    graph.ask();
    await settled();
    graph.toggle('b', 'inputs');
    await settled();
    const failed = graph.picture.items.find(({ key }) => key === 'b');
    expect(failed?.kind === 'dataset' && failed.step.status).toBe('failed');
    steps.set('b', step('b', { inputs: [node('e')] }));
    graph.toggle('b', 'inputs');
    graph.toggle('b', 'inputs');
    await settled();
    expect(keys()).toContain('e');
  });

  it('shows some of many and says how many more there are', async () => {
    const inputs = Array.from({ length: 60 }, (_, index) => node(`i${index}`));
    steps.set('a', step('a', { inputs, inputs_left_out: 40 }));
    graph.ask();
    await settled();
    expect(keys().filter(key => key.startsWith('i'))).toHaveLength(SHOWN);
    expect(more()).toMatchObject({ count: 100 - SHOWN, canShow: true });
    graph.showMore(more());
    graph.showMore(more());
    graph.showMore(more());
    expect(keys().filter(key => key.startsWith('i'))).toHaveLength(60);
    // The others were never listed.
    expect(more()).toMatchObject({ count: 40, canShow: false });
  });

  it('never draws more than can be looked at', async () => {
    const inputs = Array.from({ length: 3 * MAX_NODES }, (_, index) => node(`i${index}`));
    steps.set('a', step('a', { inputs }));
    graph.ask();
    await settled();
    for (let times = 0; times < 50; times += 1) {
      graph.showMore(more());
    }
    expect(keys().length).toBeLessThanOrEqual(MAX_NODES + 1);
    expect(more().canShow).toBe(false);
  });

  it('a dataset of which only the data ID is known leads nowhere', async () => {
    const nameless: ProvenanceNode = {
      id: null,
      kind: null,
      dataset_type: '',
      data_id: { visit: 1 },
      run: ''
    };
    steps.set('a', step('a', { inputs: [nameless] }));
    graph.ask();
    await settled();
    const [, key] = keys();
    graph.toggle(key!, 'inputs');
    await settled();
    expect(asked).toEqual(['official a']);
  });
});

describe('the layout', () => {
  it('puts inputs to the left and outputs to the right, without overlap', async () => {
    steps.set('a', step('a', { inputs: [node('b'), node('e')], outputs: [node('c')] }));
    graph.ask();
    await settled();
    const layout = layOut(graph.picture);
    const at = (key: string): { x: number; y: number } => layout.nodes.get(key)!;
    expect(at('b').x + NODE.width).toBeLessThan(at('a').x);
    expect(at('a').x + NODE.width).toBeLessThan(at('c').x);
    expect(Math.abs(at('b').y - at('e').y)).toBeGreaterThanOrEqual(NODE.height);
    expect(layout.edges).toHaveLength(3);
  });
});
