import { type ISignal, Signal } from '@lumino/signaling';

import type { DatasetDetails, IButlerClient, IRepositoryKey } from '../api';
import { repositoryId } from './requests';
import { type Loadable, Resource } from './resource';
import type { IDatasetSelection } from './selection';

/** Milliseconds of rest before asking, so that running over a list with an arrow key asks once. */
const REST = 120;

/**
 * What is known of the chosen datasets: of a single one everything, of several how many.
 */
export class DetailsModel {
  constructor(private readonly _client: IButlerClient) {}

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
    return this._resource?.state ?? { status: 'unasked' };
  }

  /** Whether anybody sees it; details are asked for only then. */
  set visible(visible: boolean) {
    this._visible = visible;
    this._ask();
  }

  show(selection: IDatasetSelection | null): void {
    const before = this._id();
    this._selection = selection;
    if (this._id() !== before) {
      this._resource?.dispose();
      this._resource = null;
      const dataset = selection?.datasets.length === 1 ? selection.datasets[0] : undefined;
      if (selection && dataset) {
        const { repository } = selection;
        this._resource = new Resource(
          signal => this._client.details(repository, dataset.id, signal),
          () => this._touch()
        );
        this._ask();
      }
    }
    this._touch();
  }

  /** Ask again if it failed or was stopped. */
  retry(): void {
    const { status } = this.details;
    if (status === 'failed' || status === 'cancelled') {
      this._resource?.retry();
    }
  }

  cancel(): void {
    this._resource?.cancel();
  }

  /** Something in this repository changed. */
  refresh(key: IRepositoryKey): void {
    if (this._selection && repositoryId(this._selection.repository) === repositoryId(key)) {
      this._resource?.invalidate();
      this._ask();
    }
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._resource?.dispose();
    Signal.clearData(this);
  }

  private _ask(): void {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      if (this._visible) {
        this._resource?.ask();
      }
    }, REST);
  }

  private _id(): string | null {
    const datasets = this._selection?.datasets ?? [];
    return this._selection && datasets.length === 1
      ? `${repositoryId(this._selection.repository)}|${datasets[0]?.id}`
      : null;
  }

  private _touch(): void {
    if (!this._isDisposed) {
      this._stateChanged.emit();
    }
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private _selection: IDatasetSelection | null = null;
  private _resource: Resource<DatasetDetails> | null = null;
  private _visible = false;
  private _timer: ReturnType<typeof setTimeout> | undefined = undefined;
  private _isDisposed = false;
}
