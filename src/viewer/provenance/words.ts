import type { ProvenanceNode } from '../../api';
import { trans } from '../../trans';

/** The name of a dataset in the graph. */
export function titleOf({ dataset_type, data_id }: ProvenanceNode): string {
  return dataset_type !== '' ? dataset_type : 'visit' in data_id ? trans.__('image') : trans.__('dataset');
}

/** Its data ID in a line. */
export function dataIdOf({ data_id, run }: ProvenanceNode): string {
  const values = Object.entries(data_id)
    // What all of a release have in common tells nothing here.
    .filter(([name]) => name !== 'instrument' && name !== 'skymap')
    .map(([name, value]) => `${name} ${value}`);
  return values.length > 0 ? values.join(' · ') : run;
}
