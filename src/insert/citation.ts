/**
 * Datasets as text for people: citations for Markdown cells, identifiers for the clipboard.
 */

import type { Dataset } from '../api';
import type { IDatasetSelection } from '../model';
import { identifier } from './snippets';

/** Data ID as people read it: `visit 2025120200439 · detector 10`. */
export function dataIdText({ data_id }: Dataset): string {
  return Object.entries(data_id)
    .map(([dimension, value]) => `${dimension} ${value}`)
    .join(' · ');
}

/** Markdown that cites each dataset: name, data ID, run, and a link by its identifier. */
export function citationFor(selection: IDatasetSelection): string {
  const citations = selection.datasets.map(dataset => cite(selection, dataset));
  return citations.length === 1 ? citations.join('') : citations.map(citation => `- ${citation}\n`).join('');
}

/** One identifier a line, for other programs and other people. */
export function referencesFor(selection: IDatasetSelection): string {
  return selection.datasets.map(dataset => identifier(selection, dataset)).join('\n');
}

function cite(selection: IDatasetSelection, dataset: Dataset): string {
  const { datasetType, repository } = selection;
  const dataId = Object.entries(dataset.data_id).map(([dimension, value]) => `${dimension} \`${value}\``);
  const link =
    repository.kind === 'official'
      ? `[\`${dataset.id}\`](${identifier(selection, dataset)})`
      : `\`${dataset.id}\``;
  const owner = repository.kind === 'official' ? '' : 'my ';
  return `\`${datasetType.name}\` (${dataId.join(', ')}), run \`${dataset.run}\` of ${owner}\`${repository.label}\`, ${link}`;
}
