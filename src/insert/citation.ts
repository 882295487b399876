/**
 * Datasets as text for people: citations for Markdown cells, identifiers for the clipboard.
 */

import type { Dataset } from '../api';
import type { IDatasetSelection, IView } from '../model';
import { expressionFor } from './code';
import { identifier } from './snippets';

/** Data ID as people read it: `visit 2025120200439 · detector 10`. */
export function dataIdText({ data_id }: Dataset): string {
  return Object.entries(data_id)
    .map(([dimension, value]) => `${dimension} ${value}`)
    .join(' · ');
}

/**
 * Markdown that cites each dataset: name, data ID, run and identifier, with a link that shows it in the panel.
 *
 * @param addressOf - The address of a view: JupyterLab lets no others than web addresses through.
 */
export function citationFor(selection: IDatasetSelection, addressOf: (view: IView) => string): string {
  if (selection.whole !== undefined) {
    const { datasetType, collection, repository, filter } = selection;
    const { kind, label } = repository;
    const view = { kind, label, collection: collection.name, datasetType: datasetType.name, filter };
    const found = expressionFor(selection)?.text ?? '';
    return `[\`${datasetType.name}\` in \`${collection.name}\`](${addressOf(view)}) of \`${label}\`, as found by \`${found}\``;
  }
  const citations = selection.datasets.map(dataset => cite(selection, dataset, addressOf));
  return citations.length === 1 ? citations.join('') : citations.map(citation => `- ${citation}\n`).join('');
}

/** One identifier a line, for other programs and other people. */
export function referencesFor(selection: IDatasetSelection): string {
  return selection.datasets.map(dataset => identifier(selection, dataset)).join('\n');
}

function cite(selection: IDatasetSelection, dataset: Dataset, addressOf: (view: IView) => string): string {
  const { datasetType, repository } = selection;
  const { kind, label } = repository;
  const dataId = Object.entries(dataset.data_id).map(([dimension, value]) => `${dimension} \`${value}\``);
  // Its run is where a dataset stays, whatever becomes of the collection that it was found in.
  const view = { kind, label, collection: dataset.run, datasetType: datasetType.name, ids: [dataset.id] };
  const link = `[\`${identifier(selection, dataset)}\`](${addressOf(view)})`;
  const owner = kind === 'official' ? '' : 'my ';
  return `\`${datasetType.name}\` (${dataId.join(', ')}), run \`${dataset.run}\` of ${owner}\`${label}\`, ${link}`;
}
