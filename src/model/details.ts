import { type ISignal, Signal } from '@lumino/signaling';

import type { DatasetDetails, IDatasetClient, IRepositoryKey, Provenance } from '../api';
import { HoldingsSearch, type IHoldings, NO_HOLDINGS } from './holdings';
import { repositoryId } from './requests';
import { type Loadable, Resource } from './resource';
import { type IDatasetSelection, onlyOne } from './selection';

/** Milliseconds of rest before asking, so that running over a list with an arrow key asks once. */
const REST = 120;

/** What is asked about a single dataset. */
interface IParts {
  readonly details: Resource<DatasetDetails>;
  readonly maker: Resource<Provenance>;
  readonly holdings: HoldingsSearch;
}

/**
 * What is known of the chosen datasets: of a single one everything, of several how many.
 */
export class DetailsModel {
  constructor(private readonly _client: IDatasetClient) {}

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get selection(): IDatasetSelection | null {
    return this._selection;
  }

  get details(): Loadable<DatasetDetails> {
    return this._parts?.details.state ?? { status: 'unasked' };
  }

  /** Who made it; of the rest of its provenance nothing. */
  get maker(): Loadable<Provenance> {
    return this._parts?.maker.state ?? { status: 'unasked' };
  }

  /** Which collections hold it. */
  get holdings(): IHoldings {
    return this._parts?.holdings.state ?? NO_HOLDINGS;
  }

  /** Whether any of it could not be had. */
  get failed(): boolean {
    return this._all().some(part => part.state.status === 'failed');
  }

  /** Whether anybody sees it; details are asked for only then. */
  set visible(visible: boolean) {
    this._visible = visible;
    this._ask();
  }

  /** Whether a list is streamed just now: a search for collections waits until that has ended. */
  set listing(listing: boolean) {
    if (this._listing !== listing) {
      this._listing = listing;
      if (listing) {
        this._parts?.holdings.giveWay();
      } else {
        this._ask();
      }
    }
  }

  show(selection: IDatasetSelection | null): void {
    const before = this._id();
    this._selection = selection;
    if (this._id() !== before) {
      this._forget();
      const dataset = selection && onlyOne(selection);
      if (selection && dataset) {
        this._parts = this._partsOf(selection.repository, dataset.id);
        this._ask();
      }
    }
    this._touch();
  }

  /** Ask again for what failed or was stopped. */
  retry(): void {
    for (const part of this._all()) {
      if (['failed', 'cancelled', 'superseded'].includes(part.state.status)) {
        part.retry();
      }
    }
  }

  cancel(): void {
    this._parts?.details.cancel();
    this._parts?.maker.cancel();
    if (this._parts?.holdings.loading) {
      this.cancelHoldings();
    }
  }

  cancelMaker(): void {
    this._parts?.maker.cancel();
  }

  cancelHoldings(): void {
    this._parts?.holdings.cancel();
  }

  /** Something in this repository changed. */
  refresh(key: IRepositoryKey): void {
    if (this._selection && repositoryId(this._selection.repository) === repositoryId(key)) {
      this._all().forEach(part => part.invalidate());
      this._ask();
    }
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._forget();
    Signal.clearData(this);
  }

  private _partsOf(key: IRepositoryKey, id: string): IParts {
    const client = this._client;
    const touch = (): void => this._touch();
    const isSeen = (): boolean => this._visible;
    return {
      details: new Resource(
        signal => client.details(key, id, signal),
        state => {
          touch();
          if (state.status === 'loaded') {
            this._askMore();
          }
        },
        isSeen
      ),
      maker: new Resource(signal => client.provenance(key, id, signal, true), touch, isSeen),
      holdings: new HoldingsSearch(signal => client.holdings(key, id, signal), touch)
    };
  }

  private _ask(): void {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      if (this._visible) {
        this._parts?.details.ask();
        this._askMore();
      }
    }, REST);
  }

  /** Who made it and what holds it makes sense only of what is there. */
  private _askMore(): void {
    if (this._visible && this._parts && this.details.status === 'loaded') {
      this._parts.maker.ask();
      if (!this._listing) {
        this._parts.holdings.ask();
      }
    }
  }

  private _all(): (Resource<unknown> | HoldingsSearch)[] {
    const parts = this._parts;
    return parts
      ? [parts.details as Resource<unknown>, parts.maker as Resource<unknown>, parts.holdings]
      : [];
  }

  private _forget(): void {
    this._all().forEach(part => part.dispose());
    this._parts = null;
  }

  private _id(): string | null {
    const dataset = this._selection && onlyOne(this._selection);
    return this._selection && dataset ? `${repositoryId(this._selection.repository)}|${dataset.id}` : null;
  }

  private _touch(): void {
    if (!this._isDisposed) {
      this._stateChanged.emit();
    }
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private _selection: IDatasetSelection | null = null;
  private _parts: IParts | null = null;
  private _visible = false;
  private _listing = false;
  private _timer: ReturnType<typeof setTimeout> | undefined = undefined;
  private _isDisposed = false;
}
