import type { ISignal } from '@lumino/signaling';

import type { IRepositoryKey } from '../api';

/** How a dataset is in the person's satellite. */
export type DatasetMark = 'referenced' | 'pinned';

/**
 * Knows which datasets the person's satellite has; what is asked for and not known yet follows.
 */
export interface IDatasetMarks {
  /** Emitted when more is known, or something else. */
  readonly changed: ISignal<this, void>;
  /** How a dataset of a repository, or of its satellite, is in the satellite; null if not, or not known. */
  of(key: IRepositoryKey, id: string): DatasetMark | null;
  /** These datasets are in view. */
  look(key: IRepositoryKey, ids: readonly string[]): void;
}

/** How many official datasets of one type the person's satellite has. */
export interface IHeldCount {
  readonly referenced: number;
  readonly pinned: number;
}

/**
 * Knows of which dataset types the person's satellite has some; what is asked for and not known yet follows.
 */
export interface IHeldTypes {
  /** Emitted when more is known, or something else. */
  readonly changed: ISignal<this, void>;
  /** How many of a type in a collection of a repository, or of its satellite; null if none, or not known. */
  of(key: IRepositoryKey, collection: string, datasetType: string): IHeldCount | null;
  /** Dataset types of this collection are in view. */
  look(key: IRepositoryKey, collection: string): void;
}
