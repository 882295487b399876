/**
 * Which kind of thing a dataset is, judged by its storage class, never by its dataset type's name: the
 * same name has different storage classes in different releases.
 */

import type { DatasetType } from '../../api';

/**
 * `image` is an image of `lsst.images`, `afw` one of the science pipelines' `lsst.afw.image`, `table`
 * anything with columns, `value` all else.
 */
export type Family = 'image' | 'afw' | 'table' | 'value';

/** Tables that are read as a whole: their storage classes have no parameters. */
const PLAIN_TABLES: ReadonlySet<string> = new Set([
  'AstropyQTable',
  'AstropyTable',
  'Catalog',
  'ExposureCatalog',
  'PeakCatalog',
  'SimpleCatalog',
  'SourceCatalog'
]);

export function familyOf({ storage_class, parameters, components }: DatasetType): Family {
  if (parameters.includes('columns') || PLAIN_TABLES.has(storage_class)) {
    return 'table';
  }
  if (parameters.includes('bbox')) {
    // Of the storage classes with a bounding box, only those of afw take an origin with it.
    if (parameters.includes('origin')) {
      return 'afw';
    }
    // Stamps take a box too, but are no images.
    if (components.includes('bbox')) {
      return 'image';
    }
  }
  return 'value';
}

/** The last line of a cell, which shows what was read. */
export function show(type: DatasetType, name: string): string {
  switch (familyOf(type)) {
    case 'image':
      return `${name}.bbox.shape`;
    case 'afw':
      return `${name}.getDimensions()`;
    case 'table':
      return name;
    case 'value':
      // Log records have lines to read, and a representation that nobody would.
      return type.storage_class === 'ButlerLogRecords' ? `print(${name})` : name;
  }
}

/** A short expression that tells in a loop what was read. */
export function summary(type: DatasetType, name: string): string {
  switch (familyOf(type)) {
    case 'image':
      return `${name}.bbox.shape`;
    case 'afw':
      return `${name}.getDimensions()`;
    case 'table':
      return `len(${name})`;
    case 'value':
      return `type(${name}).__name__`;
  }
}
