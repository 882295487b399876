/**
 * Where the datasets of a graph are drawn. Loaded when a graph is shown: the library is large.
 */

import { Graph, layout } from '@dagrejs/dagre';

import type { IGraphPicture } from './graph';

/** Pixels. */
export const NODE = { width: 236, height: 50 } as const;

/** Where a dataset is drawn. */
export interface IPlacedNode {
  readonly x: number;
  readonly y: number;
}

export interface ILayout {
  readonly width: number;
  readonly height: number;
  /** Upper left corners. */
  readonly nodes: ReadonlyMap<string, IPlacedNode>;
  /** Paths of the edges, for an SVG. */
  readonly edges: readonly { readonly key: string; readonly path: string }[];
}

/** Inputs to the left, outputs to the right. */
export function layOut({ items, edges }: IGraphPicture): ILayout {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 56, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  items.forEach(({ key }) => graph.setNode(key, { ...NODE }));
  edges.forEach(({ from, to }) => graph.setEdge(from, to));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  // Centres of the datasets.
  const at = (key: string): IPlacedNode => graph.node(key) as IPlacedNode;
  return {
    width,
    height,
    nodes: new Map(
      items.map(({ key }) => {
        const { x, y } = at(key);
        return [key, { x: x - NODE.width / 2, y: y - NODE.height / 2 }];
      })
    ),
    edges: edges.map(({ from, to }) => {
      const [start, end] = [at(from), at(to)];
      const [x1, x2] = [start.x + NODE.width / 2, end.x - NODE.width / 2];
      const bend = Math.max(20, (x2 - x1) / 2);
      return {
        key: `${from} ${to}`,
        path: `M${x1},${start.y} C${x1 + bend},${start.y} ${x2 - bend},${end.y} ${x2},${end.y}`
      };
    })
  };
}
