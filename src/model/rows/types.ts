/**
 * The dataset types of a collection.
 */

import type { Collection, DatasetType, Repository } from '../../api';
import { trans } from '../../trans';
import { noDatasetTypesNotice } from '../notices';
import { type IPart, listed } from '../parts';
import type { TreeRequest } from '../requests';
import type { Draft, ITreeSource } from './drafts';
import { placeOf } from './level';
import { noticeDraft, pending } from './notes';
import { wayToType, wayToTypes } from './ways';

/** The row that keeps the dataset types of a chain. */
export function typesDraft(
  source: ITreeSource,
  repository: Repository,
  collection: Collection,
  collectionId: string
): Draft {
  const id = wayToTypes(collectionId);
  const types = source.types(repository, collection.name);
  return {
    kind: 'types',
    id,
    repository,
    collection,
    total: types.status === 'loaded' ? types.value.dataset_types.length : null,
    request: null,
    expanded: source.expanded(id, false)
  };
}

/** A row for each dataset type. */
export function typesPart(
  source: ITreeSource,
  repository: Repository,
  collection: Collection,
  id: string
): IPart<Draft> {
  const request: TreeRequest = { what: 'types', repository, collection: collection.name };
  const types = source.types(repository, collection.name);
  if (types.status !== 'loaded') {
    const what = trans.__('the dataset types of %1', collection.name);
    return listed([pending(`${id}|:types`, types, what, request)]);
  }
  const list = types.value.dataset_types;
  if (list.length === 0) {
    return listed([noticeDraft(`${id}|:types`, noDatasetTypesNotice(collection.type), null, request)]);
  }
  return {
    length: list.length,
    open: [],
    at: index => {
      const type = list[index];
      if (!type) {
        throw new Error('There is no such row.');
      }
      return typeDraft(source, repository, collection, type, id, request);
    },
    indexOf: rowId => list.findIndex(({ name }) => wayToType(id, name) === rowId)
  };
}

function typeDraft(
  source: ITreeSource,
  repository: Repository,
  collection: Collection,
  datasetType: DatasetType,
  parent: string,
  request: TreeRequest
): Draft {
  const { name } = datasetType;
  return {
    kind: 'dataset-type',
    id: wayToType(parent, name),
    repository,
    collection,
    datasetType,
    count: source.count(repository, collection.name, name),
    held: source.held(repository, collection.name, name),
    validity:
      collection.type === 'CALIBRATION' && datasetType.is_calibration
        ? source.validity(repository, collection.name, name)
        : null,
    starred: source.isStarred(placeOf(repository, collection, name)),
    request,
    expanded: null
  };
}
