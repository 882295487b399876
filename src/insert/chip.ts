/**
 * What hangs on the pointer while datasets are dragged.
 */

import type { IDatasetSelection } from '../model';
import { trans } from '../trans';
import { dataIdText } from './citation';

/** A small card with the dataset type, and the data ID or the number of datasets. */
export function dragChip({ datasetType, datasets, whole }: IDatasetSelection): HTMLElement {
  const [first] = datasets;
  const chip = document.createElement('div');
  chip.className = 'pb-DragChip';
  chip.append(
    part('pb-DragChip-name', datasetType.name),
    part(
      'pb-DragChip-dataId',
      whole !== undefined
        ? trans.__('all that is found')
        : first && datasets.length === 1
          ? dataIdText(first)
          : trans._n('%1 dataset', '%1 datasets', datasets.length, datasets.length.toLocaleString())
    )
  );
  return chip;
}

function part(className: string, text: string): HTMLElement {
  const element = document.createElement('span');
  element.className = className;
  element.textContent = text;
  return element;
}
