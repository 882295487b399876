import { type ICellNote, readCellNotes } from '../model';

/** A cell that says which datasets are in it. */
export interface INotedCell {
  /** Of the cell, which it keeps when others come and go. */
  readonly id: string;
  /** Its number from 0. */
  readonly index: number;
  readonly notes: readonly ICellNote[];
}

/** What of a notebook's shared model is read. */
export interface IReadableCell {
  readonly id: string;
  getMetadata(): unknown;
}

/** The cells of a notebook that say which datasets are in them, in order. */
export function notedCells(cells: readonly IReadableCell[]): INotedCell[] {
  return cells
    .map((cell, index) => ({ id: cell.id, index, notes: readCellNotes(cell.getMetadata()) }))
    .filter(({ notes }) => notes.length > 0);
}

/** Datasets that can be asked after together. */
export interface IQuestion {
  readonly repository: ICellNote['repository'];
  readonly collection: string;
  readonly ids: readonly string[];
}

/** A word for what a note's datasets are asked after with. */
export function questionId({ repository, collection }: Pick<ICellNote, 'repository' | 'collection'>): string {
  return JSON.stringify([repository.kind, repository.label, collection]);
}

/** What to ask of the server to learn what became of all of them: each dataset once for a collection. */
export function questionsOf(cells: readonly INotedCell[]): Map<string, IQuestion> {
  const ids = new Map<string, Set<string>>();
  const places = new Map<string, ICellNote>();
  for (const note of cells.flatMap(({ notes }) => notes)) {
    const id = questionId(note);
    places.set(id, places.get(id) ?? note);
    const known = ids.get(id) ?? new Set();
    note.datasets.forEach(dataset => known.add(dataset));
    ids.set(id, known);
  }
  return new Map(
    [...places].flatMap(([id, { repository, collection }]) => {
      const wanted = [...(ids.get(id) ?? [])];
      return wanted.length > 0 ? [[id, { repository, collection, ids: wanted }]] : [];
    })
  );
}
