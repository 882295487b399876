/**
 * What a preview is, and which there are: each shows the contents of datasets of some kind.
 */

import type { ComponentType } from 'react';

import type { DatasetDetails, IRepositoryKey, Transport } from '../api';
import type { IChoice } from '../insert';
import { imagePreview } from './image';
import { tablePreview } from './table';
import { trans } from '../trans';

/** What a preview is given. */
export interface IPreviewProps {
  readonly transport: Transport;
  readonly repository: IRepositoryKey;
  readonly details: DatasetDetails;
  /** Insert code into the notebook: a snippet by its identifier, with what was chosen here. */
  insert(snippet: string, choice: IChoice): void;
}

/** One way to show what is in a dataset. */
export interface IPreview {
  readonly id: string;
  /** As it stands on its tab. */
  label(): string;
  /** Whether it can show this dataset, judged by its storage class and what can be read of it. */
  applies(details: DatasetDetails): boolean;
  /** Get the component, which may be large: asked for only when it is to be shown. */
  load(): Promise<ComponentType<IPreviewProps>>;
}

/** Documents, texts, logs, figures, and what Python says of anything else. */
const contents: IPreview = {
  id: 'contents',
  label: () => trans.__('Contents'),
  applies: () => true,
  load: async () => (await import('./contents/contents')).default
};

/** All previews; the first that applies is shown, the others are a tab away. */
export const PREVIEWS: readonly IPreview[] = [imagePreview, tablePreview, contents];

/** The previews that can show a dataset, the best first. */
export function previewsFor(details: DatasetDetails): IPreview[] {
  return PREVIEWS.filter(preview => preview.applies(details));
}
