import { type ISignal, Signal } from '@lumino/signaling';

import { type HeldTypes, type IJobsClient, type IRepositoryKey } from '../api';
import { type IHeldCount, type IHeldTypes, made, Resource } from '../model';

/**
 * Of which dataset types the person's satellite has how many official datasets.
 *
 * Asked once for a collection of either repository and a version of the satellite. Failures are silent: a mark that is missing
 * says nothing wrong.
 */
export class HeldMarks implements IHeldTypes {
  constructor(private readonly _client: IJobsClient) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  of(key: IRepositoryKey, collection: string, datasetType: string): IHeldCount | null {
    const { types = [] } = this._known.get(key.label)?.get(placeOf(key, collection))?.value ?? {};
    return types.find(type => type.dataset_type === datasetType) ?? null;
  }

  look(key: IRepositoryKey, collection: string): void {
    const places = made(this._known, key.label, () => new Map<string, Resource<HeldTypes>>());
    made(
      places,
      placeOf(key, collection),
      () =>
        new Resource(
          signal => this._client.held(key, collection, signal),
          () => this._changed.emit()
        )
    ).ask();
  }

  /** The contents of satellites changed: what was known of them is asked again when it is looked at. */
  forget(labels: readonly string[]): void {
    labels.forEach(label => this._known.get(label)?.forEach(renew));
    this._changed.emit();
  }

  dispose(): void {
    this._known.forEach(collections => collections.forEach(resource => resource.dispose()));
    Signal.clearData(this);
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _known = new Map<string, Map<string, Resource<HeldTypes>>>();
}

/** A word for a collection, of which each repository has its own. */
function placeOf({ kind }: IRepositoryKey, collection: string): string {
  return `${kind} ${collection}`;
}

function renew(resource: Resource<HeldTypes>): void {
  resource.invalidate();
  resource.forgetFailure();
}
