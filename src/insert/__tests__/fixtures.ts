/**
 * Selections as the sidebar makes them, with storage classes as upstream's configuration has them.
 */

import type { Collection, Dataset, DatasetType, Repository } from '../../api';
import type { IDatasetSelection } from '../../model';

export const official: Repository = {
  kind: 'official',
  label: 'dp2',
  state: 'connected',
  error: null,
  location: 'data.example.org',
  default_collections: ['dp2'],
  writeable: false
};

export const personal: Repository = {
  ...official,
  kind: 'personal',
  location: '/home/me/butler/dp2',
  default_collections: [],
  writeable: true
};

export const chain: Collection = { name: 'dp2', type: 'CHAINED', doc: '', children: ['run/a', 'calib'] };
export const run: Collection = { name: 'run/a', type: 'RUN', doc: '', children: null };
export const calib: Collection = { name: 'calib', type: 'CALIBRATION', doc: '', children: null };

export const visitImage: DatasetType = {
  name: 'visit_image',
  dimensions: ['instrument', 'visit', 'detector'],
  storage_class: 'VisitImage',
  is_calibration: false,
  components: ['bbox', 'image', 'psf', 'sky_projection'],
  parameters: ['bbox', 'components']
};

export const object: DatasetType = {
  name: 'object',
  dimensions: ['skymap', 'tract'],
  storage_class: 'ArrowAstropy',
  is_calibration: false,
  components: ['columns', 'rowcount', 'schema'],
  parameters: ['columns', 'filters', 'strip_astropy_meta_yaml']
};

export const bias: DatasetType = {
  name: 'bias',
  dimensions: ['instrument', 'detector'],
  storage_class: 'ImageV2',
  is_calibration: true,
  components: ['bbox', 'sky_projection', 'unit'],
  parameters: ['bbox']
};

export const calexp: DatasetType = {
  name: 'calexp',
  dimensions: ['instrument', 'visit', 'detector'],
  storage_class: 'ExposureF',
  is_calibration: false,
  components: ['bbox', 'image', 'wcs'],
  parameters: ['amp', 'bbox', 'detector', 'exposure_record', 'origin', 'preserve_quantization']
};

export const log: DatasetType = {
  name: 'calibrateImage_log',
  dimensions: ['instrument', 'visit', 'detector'],
  storage_class: 'ButlerLogRecords',
  is_calibration: false,
  components: [],
  parameters: []
};

export const UUID = '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b';

export function dataset(data_id: Dataset['data_id'], id = UUID): Dataset {
  return { id, data_id, run: 'run/a' };
}

export const exposure = dataset({ instrument: 'LSSTCam', visit: 2025120200439, detector: 10 });
export const tract = dataset({ skymap: 'lsst_cells_v2', tract: 5063 });
export const chip = dataset({ instrument: 'LSSTCam', detector: 10 });

export function select(
  datasetType: DatasetType,
  datasets: Dataset | readonly Dataset[],
  where: Partial<IDatasetSelection> = {}
): IDatasetSelection {
  return { repository: official, collection: chain, datasetType, datasets: [datasets].flat(), ...where };
}
