/**
 * Previews of tables: a virtual grid, its columns to be searched, statistics and histograms.
 */

import { trans } from '../../trans';
import type { IPreview } from '../previews';

/** Storage classes of tables that are read as a whole, and so have no parameter `columns`. */
const PLAIN: ReadonlySet<string> = new Set([
  'AstropyQTable',
  'AstropyTable',
  'Catalog',
  'ExposureCatalog',
  'PeakCatalog',
  'SimpleCatalog',
  'SourceCatalog'
]);

export const tablePreview: IPreview = {
  id: 'table',
  label: () => trans.__('Table'),
  applies: ({ dataset_type: { storage_class, parameters } }) =>
    parameters.includes('columns') || PLAIN.has(storage_class),
  load: async () => (await import('./table')).TablePreview
};
