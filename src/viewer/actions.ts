import type { DatasetDetails, IRepositoryKey, ProvenanceNode } from '../api';
import type { IChoice } from '../insert';

/** What the viewer has done by others; its plugin says by whom. */
export interface IViewerActions {
  /** Insert code for the dataset into the notebook, in the usual way or in a given one. */
  insert(details: DatasetDetails, snippet?: string, choice?: IChoice): void;
  /** Let a person choose a way to insert, from a menu below this element. */
  openInsertMenu(anchor: Element, details: DatasetDetails): void;
  /** Show another dataset in a viewer of its own. */
  open(key: IRepositoryKey & { readonly id: string }): void;
  /** Show a collection in the panel. */
  showCollection(collection: string): void;
  /** Whether there is anybody who does this to datasets: `reference`, `pin`. */
  offers(action: 'reference' | 'pin'): boolean;
  run(action: 'reference' | 'pin', details: DatasetDetails): void;
  copyText(text: string): void;
}

/** The repository in which a dataset of the graph can be opened, or null if in none. */
export function keyOfNode(label: string, node: ProvenanceNode): (IRepositoryKey & { id: string }) | null {
  return node.id === null || node.kind === null ? null : { kind: node.kind, label, id: node.id };
}
