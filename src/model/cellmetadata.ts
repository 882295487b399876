/**
 * What an inserted cell says of the datasets in it, in the notebook file itself.
 *
 * A cell holds one note for each list that datasets were inserted from. It is plain JSON in the cell's
 * metadata, so that it is shared with collaborators, saved, and readable without this package.
 */

import type { PartialJSONObject, PartialJSONValue, ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { RepositoryKind } from '../api';

/** The key in a cell's metadata. */
export const CELL_METADATA = 'python_butler';

/** Where the datasets of a cell come from. */
export interface ICellNote {
  /** Of python-butler, when it was written. */
  readonly version: string;
  readonly repository: { readonly kind: RepositoryKind; readonly label: string };
  /** The collection that was searched. */
  readonly collection: string;
  readonly dataset_type: string;
  /** Identifiers of the datasets; empty if the code is a query. */
  readonly datasets: readonly string[];
  /** The query in the form of the API, or null if datasets are named. */
  readonly query: ReadonlyPartialJSONObject | null;
}

/** What a cell says, in order of insertion; nothing for other cells and for what cannot be understood. */
export function readCellNotes(metadata: unknown): ICellNote[] {
  const value = isObject(metadata) ? metadata[CELL_METADATA] : undefined;
  return (Array.isArray(value) ? value : [value]).filter(isNote);
}

/**
 * The value for a cell's metadata after something was inserted: one note, or a list of them.
 *
 * Datasets of the same list are kept in one note.
 *
 * @param metadata - Of the cell as it is.
 */
export function addCellNote(metadata: unknown, added: ICellNote): PartialJSONValue {
  const notes = readCellNotes(metadata);
  const index = notes.findIndex(note => isSameList(note, added));
  const before = notes[index];
  if (before) {
    notes[index] = { ...added, datasets: [...new Set([...before.datasets, ...added.datasets])] };
  } else {
    notes.push(added);
  }
  const [first] = notes;
  return (notes.length === 1 && first ? { ...first } : notes) as unknown as PartialJSONObject;
}

function isSameList(one: ICellNote, other: ICellNote): boolean {
  return (
    one.repository.kind === other.repository.kind &&
    one.repository.label === other.repository.label &&
    one.collection === other.collection &&
    one.dataset_type === other.dataset_type &&
    JSON.stringify(one.query) === JSON.stringify(other.query)
  );
}

function isNote(value: unknown): value is ICellNote {
  return (
    isObject(value) &&
    isObject(value.repository) &&
    (value.repository.kind === 'official' || value.repository.kind === 'personal') &&
    typeof value.repository.label === 'string' &&
    typeof value.collection === 'string' &&
    typeof value.dataset_type === 'string' &&
    Array.isArray(value.datasets) &&
    value.datasets.every(id => typeof id === 'string') &&
    (value.query === null || isObject(value.query))
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
