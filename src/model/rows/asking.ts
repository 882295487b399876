/**
 * What has to be asked for when a row is opened.
 */

import type { TreeRequest } from '../requests';
import type { TreeRow } from './drafts';

/** What stands below a row once it is open. */
export function requestsBelow(row: TreeRow, grouped: boolean): TreeRequest[] {
  switch (row.kind) {
    case 'repository': {
      const { repository } = row;
      const folder = grouped ? '' : null;
      return repository.state === 'connected'
        ? [{ what: 'level', repository, parent: null, folder, page: 0 }]
        : [];
    }
    case 'folder': {
      const { repository, folder } = row;
      return [{ what: 'level', repository, parent: null, folder: folder.path, page: 0 }];
    }
    case 'collection': {
      const { repository, collection } = row;
      const types: TreeRequest = { what: 'types', repository, collection: collection.name };
      return collection.type === 'CHAINED'
        ? [{ what: 'level', repository, parent: collection.name, folder: null, page: 0 }, types]
        : [types];
    }
    case 'types':
      return [{ what: 'types', repository: row.repository, collection: row.collection.name }];
    default:
      return [];
  }
}
