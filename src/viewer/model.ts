import { type ISignal, Signal } from '@lumino/signaling';

import type { DatasetDetails, IRepositoryKey, IViewerClient, MemoryCost } from '../api';
import { HoldingsSearch, type IHoldings, type Loadable, Resource } from '../model';
import { ProvenanceGraph } from './provenance/graph';

/** Names one dataset. */
export interface IDatasetKey extends IRepositoryKey {
  readonly id: string;
}

/** Everything known of one dataset; each part is asked for when somebody sees it. */
export class ViewerModel {
  constructor(
    readonly key: IDatasetKey,
    client: IViewerClient
  ) {
    const { id } = key;
    const touch = (): void => this._touch();
    this._details = new Resource(signal => client.details(key, id, signal), touch);
    this._memory = new Resource(signal => client.memoryCost(key, id, signal), touch);
    this._holdings = new HoldingsSearch(signal => client.holdings(key, id, signal), touch);
    this.graph = new ProvenanceGraph(key, (where, node, signal) => client.provenance(where, node, signal));
    this.graph.stateChanged.connect(touch);
  }

  readonly graph: ProvenanceGraph;

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get details(): Loadable<DatasetDetails> {
    return this._details.state;
  }

  get memory(): Loadable<MemoryCost> {
    return this._memory.state;
  }

  get holdings(): IHoldings {
    return this._holdings.state;
  }

  /** Identifier of the tab that is shown, or null for the first. */
  get tab(): string | null {
    return this._tab;
  }

  /** Show a tab. */
  show(tab: string): void {
    this._tab = tab;
    this._touch();
  }

  /** Somebody sees it: ask for what is not known yet. */
  ask(): void {
    this._details.ask();
    // What a file needs in memory, and which collections hold it, make sense only of what is there.
    if (this.details.status === 'loaded') {
      if (this.details.value.stored) {
        this._memory.ask();
      }
      this._holdings.ask();
    }
  }

  retryDetails(): void {
    this._details.retry();
  }

  retryMemory(): void {
    this._memory.retry();
  }

  retryHoldings(): void {
    this._holdings.retry();
  }

  /** Stop what is under way. */
  cancel(): void {
    this._details.cancel();
    this._memory.cancel();
    if (this._holdings.loading) {
      this._holdings.cancel();
    }
    this.graph.cancel();
  }

  cancelDetails(): void {
    this._details.cancel();
  }

  cancelHoldings(): void {
    this._holdings.cancel();
  }

  /** Something in the repository changed: what is seen is asked for anew. */
  refresh(): void {
    this._details.invalidate();
    this._memory.invalidate();
    this._holdings.invalidate();
    this.graph.refresh();
    this._touch();
  }

  dispose(): void {
    this._isDisposed = true;
    this._details.dispose();
    this._memory.dispose();
    this._holdings.dispose();
    this.graph.dispose();
    Signal.clearData(this);
  }

  private _touch(): void {
    if (!this._isDisposed) {
      this._stateChanged.emit();
    }
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _details: Resource<DatasetDetails>;
  private readonly _memory: Resource<MemoryCost>;
  private readonly _holdings: HoldingsSearch;
  private _tab: string | null = null;
  private _isDisposed = false;
}
