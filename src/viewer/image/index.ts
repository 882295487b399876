/**
 * The preview of images, loaded when the first image is looked at.
 */

import type { DatasetDetails } from '../../api';
import { trans } from '../../trans';
import type { IPreview } from '../previews';

export const imagePreview: IPreview = {
  id: 'image',
  label: () => trans.__('Image'),
  applies: isImage,
  load: async () => (await import('./preview')).ImagePreview
};

/** Storage classes that have a bounding box but are many small images, or none. */
const NO_IMAGES: ReadonlySet<string> = new Set([
  'CellPointSpreadFunction',
  'ExtendedPsfCandidates',
  'Stamps'
]);
const FILE = /\.(fits|fits\.gz|fits\.fz|fit|fz|json|sdf|h5)$/;

/** Judged by its storage class: an image has a bounding box to read it by, and one file. */
function isImage({ dataset_type, files }: DatasetDetails): boolean {
  const { storage_class, parameters } = dataset_type;
  if (NO_IMAGES.has(storage_class) || !parameters.includes('bbox')) {
    return false;
  }
  const file = files.find(({ component }) => component === null || component === '' || component === 'image');
  return file !== undefined && FILE.test(file.name);
}
