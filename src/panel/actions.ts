import type { IDatasetSelection } from '../model';

/** What the panel can have done by others; `index.ts` says by whom. */
export interface IPanelActions {
  /** Insert the chosen datasets into the notebook, in the usual way or in a given one. */
  insert(snippet?: string): void;
  copyCode(): void;
  copyReference(): void;
  copyText(text: string): void;
  /** Let a person choose a way to insert, from a menu below this element. */
  openInsertMenu(anchor: Element, selection: IDatasetSelection): void;
  /** The pointer has begun to pull these datasets. */
  drag(selection: IDatasetSelection, at: { readonly clientX: number; readonly clientY: number }): void;
}
