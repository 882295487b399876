/**
 * One level of collections and folders, of which the server gives a stretch at a time.
 */

import type { Collection, CollectionFolder, CollectionPage, Repository } from '../../api';
import { trans } from '../../trans';
import { noCollectionsNotice } from '../notices';
import { type IPart, listed } from '../parts';
import type { IPlace } from '../places';
import { LEVEL_PAGE, type TreeRequest } from '../requests';
import type { Draft, ITreeSource } from './drafts';
import { noticeDraft, pending } from './notes';
import { nameBelow, wayTo } from './ways';

/** The rows of a level: the children of a chain, what is in a folder, or all that is in no chain. */
export function levelPart(
  source: ITreeSource,
  repository: Repository,
  parent: string | null,
  folder: string | null,
  id: string
): IPart<Draft> {
  const requestOf = (page: number): TreeRequest => ({ what: 'level', repository, parent, folder, page });
  const first = source.level(repository, parent, folder, 0);
  if (first.status !== 'loaded') {
    const what = parent === null ? trans.__('collections') : trans.__('the children of %1', parent);
    return listed([pending(id, first, what, requestOf(0))]);
  }
  const { total } = first.value;
  if (total === 0) {
    return listed([noticeDraft(id, noCollectionsNotice(parent), null, requestOf(0))]);
  }
  const pages = Math.ceil(total / LEVEL_PAGE);
  return {
    length: total,
    at: index => {
      const page = Math.floor(index / LEVEL_PAGE);
      const state = page === 0 ? first : source.level(repository, parent, folder, page);
      const inPage = index - page * LEVEL_PAGE;
      const request = requestOf(page);
      if (state.status === 'loaded') {
        const entry = state.value.entries[inPage];
        if (entry !== undefined) {
          return entryDraft(source, repository, entry, folder ?? '', id, request);
        }
      } else if (inPage === 0 && (state.status === 'failed' || state.status === 'cancelled')) {
        return pending(`${id}|:page-${page}`, state, trans.__('collections'), request);
      }
      return { kind: 'absent', id: `${id}|:entry-${index}`, expanded: null, request };
    },
    indexOf: rowId => {
      const name = nameBelow(id, rowId);
      if (name === null) {
        return rowId === `${id}|:notice` ? 0 : -1;
      }
      const numbered = /^:entry-(\d+)$/.exec(name);
      if (numbered) {
        return Math.min(total - 1, Number(numbered[1]));
      }
      for (let page = 0; page < pages; page++) {
        const state = page === 0 ? first : source.level(repository, parent, folder, page);
        const index = state.status === 'loaded' ? placesIn(state.value).get(name) : undefined;
        if (index !== undefined) {
          return page * LEVEL_PAGE + index;
        }
      }
      return -1;
    },
    get open() {
      const open = source.openBelow(id).map(segment => this.indexOf(`${id}|${segment}`));
      return open.filter(index => index >= 0 && this.at(index).expanded).sort((a, b) => a - b);
    }
  };
}

const placesOfPages = new WeakMap<CollectionPage, ReadonlyMap<string, number>>();

/** Where each entry is on its page; made once, when somebody looks for one. */
function placesIn(page: CollectionPage): ReadonlyMap<string, number> {
  let places = placesOfPages.get(page);
  if (!places) {
    places = new Map(page.entries.map((entry, index) => [nameOfEntry(entry), index]));
    placesOfPages.set(page, places);
  }
  return places;
}

/** What an entry of a level is called there. */
export function nameOfEntry(entry: Collection | CollectionFolder): string {
  return entry.type === 'FOLDER' ? entry.path : entry.name;
}

function entryDraft(
  source: ITreeSource,
  repository: Repository,
  entry: Collection | CollectionFolder,
  folder: string,
  parent: string,
  request: TreeRequest
): Draft {
  const name = nameOfEntry(entry);
  const id = wayTo(parent, name);
  const expanded = source.expanded(id, false);
  // Chains' children have their whole names: `folder` is empty there.
  const short = name.slice(folder.length);
  if (entry.type === 'FOLDER') {
    return { kind: 'folder', id, repository, folder: entry, name: short, request, expanded };
  }
  const starred = source.isStarred(placeOf(repository, entry, null));
  return { kind: 'collection', id, repository, collection: entry, name: short, starred, request, expanded };
}

/** What a row is about, to be found again. */
export function placeOf(
  repository: Pick<Repository, 'kind' | 'label'>,
  collection: Pick<Collection, 'name'>,
  datasetType: string | null
): IPlace {
  return { kind: repository.kind, label: repository.label, collection: collection.name, datasetType };
}
