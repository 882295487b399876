import type { IDatasetSelection, IPlace } from '../model';

/** What the panel can have done by others; `index.ts` says by whom. */
export interface IPanelActions {
  /** Insert the chosen datasets into the notebook, in the usual way or in a given one. */
  insert(snippet?: string): void;
  /** Show the chosen dataset as a document, or a tab of that. */
  open(tab?: 'provenance'): void;
  /** Whether there is anybody who does this to the chosen datasets. */
  offers(action: 'reference' | 'pin'): boolean;
  run(action: 'reference' | 'pin'): void;
  copyCode(): void;
  copyReference(): void;
  copyText(text: string): void;
  /** Go to a place in the tree, and to datasets in its list; without a collection, to one that has the type. */
  show(place: Omit<IPlace, 'collection'> & Partial<IPlace>, ids: readonly string[]): void;
  /** Let a person choose a way to insert, from a menu below this element. */
  openInsertMenu(anchor: Element, selection: IDatasetSelection): void;
  /** The pointer has begun to pull these datasets. */
  drag(selection: IDatasetSelection, at: { readonly clientX: number; readonly clientY: number }): void;
}
