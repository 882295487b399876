import { type ISignal, Signal } from '@lumino/signaling';

import type { IRepositoryKey, Provenance, ProvenanceNode } from '../../api';
import { type Loadable, Resource } from '../../model';

/** Inputs, or outputs, of one dataset that are drawn before somebody asks for more. */
export const SHOWN = 8;

/** Datasets that are drawn altogether. */
export const MAX_NODES = 200;

/** Which way from a dataset. */
export type Direction = 'inputs' | 'outputs';

/** A dataset as it is drawn. */
export interface IGraphNode {
  readonly key: string;
  readonly kind: 'dataset';
  readonly dataset: ProvenanceNode;
  /** How many steps from the first: negative towards inputs. */
  readonly rank: number;
  /** What is known beyond it. */
  readonly step: Loadable<Provenance>;
  /** Which ways are drawn beyond it. */
  readonly open: Readonly<Record<Direction, boolean>>;
}

/** A place that stands for datasets which are not drawn. */
export interface IMoreNode {
  readonly key: string;
  readonly kind: 'more';
  readonly rank: number;
  /** The dataset whose inputs or outputs they are. */
  readonly of: string;
  readonly direction: Direction;
  readonly count: number;
  /** Whether they can be drawn: the others are too many, or not listed. */
  readonly canShow: boolean;
}

export type GraphItem = IGraphNode | IMoreNode;

/** From an input to an output. */
export interface IGraphEdge {
  readonly from: string;
  readonly to: string;
}

/** What is to be drawn. */
export interface IGraphPicture {
  readonly items: readonly GraphItem[];
  readonly edges: readonly IGraphEdge[];
}

/** Asks for one step. */
export type FetchStep = (key: IRepositoryKey, id: string, signal: AbortSignal) => Promise<Provenance>;

interface IEntry {
  readonly dataset: ProvenanceNode;
  resource: Resource<Provenance> | null;
  readonly open: Record<Direction, boolean>;
  readonly shown: Record<Direction, number>;
}

/** The name of a dataset in the graph: its identifier, or its data ID if that is all that is known. */
export function keyOf(node: ProvenanceNode): string {
  return node.id ?? `${node.dataset_type} ${JSON.stringify(node.data_id)}`;
}

/**
 * What a dataset was made from and what was made from it, as far as somebody has walked.
 */
export class ProvenanceGraph {
  constructor(
    private readonly _root: IRepositoryKey & { readonly id: string },
    private readonly _fetch: FetchStep
  ) {
    this._clear();
  }

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  /** What is known of the dataset itself. */
  get root(): Loadable<Provenance> {
    return this._entries.get(this._root.id)?.resource?.state ?? { status: 'unasked' };
  }

  /** Where in the graph the keyboard is. */
  get active(): string {
    return this._active;
  }

  /** Move the keyboard to a dataset. */
  activate(key: string): void {
    this._active = key;
    this._touch();
  }

  /** Somebody sees it. */
  ask(): void {
    this._entries.get(this._root.id)?.resource?.ask();
  }

  retry(key: string = this._root.id): void {
    this._entries.get(key)?.resource?.retry();
  }

  cancel(): void {
    this._entries.forEach(({ resource }) => resource?.cancel());
  }

  /** Draw what is one way from a dataset, or do not. */
  toggle(key: string, direction: Direction): void {
    const entry = this._entries.get(key);
    if (!entry?.resource) {
      return;
    }
    entry.open[direction] = !entry.open[direction];
    if (entry.open[direction]) {
      entry.resource.ask();
      if (entry.resource.state.status === 'failed' || entry.resource.state.status === 'cancelled') {
        entry.resource.retry();
      }
    }
    this._touch();
  }

  /** Draw more of what is one way from a dataset. */
  showMore({ of, direction }: IMoreNode): void {
    const entry = this._entries.get(of);
    if (entry) {
      entry.shown[direction] += 3 * SHOWN;
      this._touch();
    }
  }

  /** Forget what is known, and ask again when somebody sees it. */
  refresh(): void {
    this._entries.forEach(({ resource }) => resource?.dispose());
    this._clear();
    this._touch();
  }

  dispose(): void {
    this._entries.forEach(({ resource }) => resource?.dispose());
    Signal.clearData(this);
  }

  /** What is to be drawn: the dataset, and what is open around it. */
  get picture(): IGraphPicture {
    const items = new Map<string, GraphItem>();
    const edges = new Map<string, IGraphEdge>();
    const waiting: { key: string; rank: number }[] = [{ key: this._root.id, rank: 0 }];
    const add = (dataset: ProvenanceNode, rank: number): string => {
      const key = keyOf(dataset);
      if (!items.has(key)) {
        const entry = this._entry(dataset);
        const step = entry.resource?.state ?? { status: 'unasked' as const };
        items.set(key, { key, kind: 'dataset', dataset, rank, step, open: { ...entry.open } });
        waiting.push({ key, rank });
      }
      return key;
    };
    const first = this._entries.get(this._root.id);
    if (first) {
      const { state } = first.resource ?? { state: { status: 'unasked' as const } };
      const dataset = state.status === 'loaded' ? state.value.dataset : first.dataset;
      items.set(this._root.id, {
        key: this._root.id,
        kind: 'dataset',
        dataset,
        rank: 0,
        step: state,
        open: { ...first.open }
      });
    }
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { key, rank } = next;
      const entry = this._entries.get(key);
      const step = entry?.resource?.value;
      if (!entry || !step) {
        continue;
      }
      for (const direction of ['inputs', 'outputs'] as const) {
        if (!entry.open[direction]) {
          continue;
        }
        const all = step[direction];
        const room = Math.max(0, MAX_NODES - items.size);
        const shown = all.slice(0, Math.min(entry.shown[direction], room));
        const sign = direction === 'inputs' ? -1 : 1;
        const join = (other: string): void => {
          const edge = direction === 'inputs' ? { from: other, to: key } : { from: key, to: other };
          edges.set(`${edge.from} ${edge.to}`, edge);
        };
        shown.forEach(dataset => join(add(dataset, rank + sign)));
        const listed = all.length - shown.length;
        const unlisted = direction === 'inputs' ? step.inputs_left_out : step.outputs_left_out;
        if (listed + unlisted > 0) {
          const more: IMoreNode = {
            key: `${key} more ${direction}`,
            kind: 'more',
            rank: rank + sign,
            of: key,
            direction,
            count: listed + unlisted,
            canShow: listed > 0 && room > shown.length
          };
          items.set(more.key, more);
          join(more.key);
        }
      }
    }
    return { items: [...items.values()], edges: [...edges.values()] };
  }

  private _entry(dataset: ProvenanceNode): IEntry {
    const key = keyOf(dataset);
    let entry = this._entries.get(key);
    if (!entry) {
      const { id, kind } = dataset;
      const { label } = this._root;
      entry = {
        dataset,
        resource:
          id === null || kind === null
            ? null
            : new Resource(
                signal => this._fetch({ kind, label }, id, signal),
                () => this._touch()
              ),
        open: { inputs: false, outputs: false },
        shown: { inputs: SHOWN, outputs: SHOWN }
      };
      this._entries.set(key, entry);
    }
    return entry;
  }

  private _clear(): void {
    this._entries.clear();
    const { id, kind } = this._root;
    const root = this._entry({ id, kind, dataset_type: '', data_id: {}, run: '' });
    root.open.inputs = true;
    root.open.outputs = true;
    this._active = id;
  }

  private _touch(): void {
    this._stateChanged.emit();
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _entries = new Map<string, IEntry>();
  private _active = '';
}
