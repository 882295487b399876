/**
 * What has been loaded already, searched at once while a person types.
 */

import type {
  CollectionPage,
  CollectionType,
  DatasetType,
  DatasetTypeList,
  Repository,
  SearchMatch
} from '../api';
import type { IPlace } from './places';
import { repositoryId, type TreeRequest } from './requests';

/** Something that has been loaded, and what it was asked with. */
export interface IKnown {
  readonly repository: Repository;
  readonly request: TreeRequest;
  readonly value: CollectionPage | DatasetTypeList;
}

/** One thing that was found. */
export interface ISearchResult {
  /** The same whether it was loaded or came from the server. */
  readonly id: string;
  readonly repository: Repository;
  readonly what: SearchMatch['what'];
  /** Name of the collection or dataset type; the data ID of a dataset. */
  readonly name: string;
  /** Where to go for it; null if that is not known. */
  readonly place: IPlace | null;
  readonly collectionType: CollectionType | null;
  readonly datasetType: DatasetType | null;
  /** Identifier of a dataset. */
  readonly dataset: string | null;
  /** Documentation of a collection. */
  readonly doc: string;
}

/** Words that have all to occur, and globs that have to match the whole name; case does not matter. */
export class Wording {
  constructor(text: string) {
    const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
    this._words = parts.filter(part => !GLOB.test(part));
    this._globs = parts.filter(part => GLOB.test(part)).map(globOf);
  }

  /** Whether a name, in lower case, matches. */
  matches(name: string): boolean {
    return this._words.every(word => name.includes(word)) && this._globs.every(glob => glob.test(name));
  }

  private readonly _words: readonly string[];
  private readonly _globs: readonly RegExp[];
}

/**
 * Searches what has been loaded, once for each key that a person types.
 *
 * The same name may have been loaded at several places: which of them count is found out once for each state of
 * what is known, so that a key costs no more than a look at each name.
 */
export class KnownSearch {
  /** All that matches of what has been loaded: how many, and the first of them. */
  search(
    known: readonly IKnown[],
    text: string,
    limit: number
  ): { readonly results: ISearchResult[]; readonly total: number } {
    this.learn(known);
    const wording = new Wording(text);
    const results: ISearchResult[] = [];
    let total = 0;
    for (const { each, kind, names, places } of this._first) {
      for (let at = 0; at < names.length; at++) {
        const name = names[at] ?? '';
        if (wording.matches(name)) {
          total += 1;
          if (results.length < limit) {
            const { repository, request, value } = each;
            const id = idOf(repository, kind, name);
            results.push(resultOf(id, repository, request, value, places[at] ?? 0));
          }
        }
      }
    }
    return { results, total };
  }

  /** Find out which names there are, before a person types; `search` does it too if they have changed. */
  learn(known: readonly IKnown[]): void {
    const isSame =
      known.length === this._known.length &&
      known.every(({ repository, value }, index) => {
        const before = this._known[index];
        return before?.value === value && before.repository === repository;
      });
    if (isSame) {
      return;
    }
    this._known = known;
    const seen = new Map<string, Set<string>>();
    this._first = known.map(each => {
      const kind = 'entries' in each.value ? 'collection' : 'dataset-type';
      const key = idOf(each.repository, kind, '');
      const before = seen.get(key) ?? new Set();
      seen.set(key, before);
      const names: string[] = [];
      const places: number[] = [];
      namesIn(each.value).forEach((name, place) => {
        if (name !== '' && !before.has(name)) {
          before.add(name);
          names.push(name);
          places.push(place);
        }
      });
      return { each, kind, names, places };
    });
  }

  private _known: readonly IKnown[] = [];
  /** Of each stretch the names that were at none before it, and where on it they are. */
  private _first: readonly {
    readonly each: IKnown;
    readonly kind: SearchMatch['what'];
    readonly names: readonly string[];
    readonly places: readonly number[];
  }[] = [];
}

/** What the server found, in the same form. */
export function resultOfMatch(repository: Repository, match: SearchMatch): ISearchResult {
  const { kind, label } = repository;
  switch (match.what) {
    case 'collection': {
      const { name, type, doc } = match.collection;
      return {
        id: idOf(repository, 'collection', name.toLowerCase()),
        repository,
        what: 'collection',
        name,
        place: { kind, label, collection: name, datasetType: null },
        collectionType: type,
        datasetType: null,
        dataset: null,
        doc
      };
    }
    case 'dataset-type': {
      const { dataset_type: datasetType, collection } = match;
      const { name } = datasetType;
      return {
        id: idOf(repository, 'dataset-type', name.toLowerCase()),
        repository,
        what: 'dataset-type',
        name,
        place: collection && { kind, label, collection: collection.name, datasetType: name },
        collectionType: null,
        datasetType,
        dataset: null,
        doc: ''
      };
    }
    case 'dataset': {
      const { dataset_type: datasetType, collection, data_id: dataId } = match;
      return {
        id: idOf(repository, 'dataset', match.id),
        repository,
        what: 'dataset',
        name: Object.values(dataId).join(' · ') || match.id,
        place: { kind, label, collection: collection.name, datasetType: datasetType.name },
        collectionType: null,
        datasetType,
        dataset: match.id,
        doc: ''
      };
    }
  }
}

function resultOf(
  id: string,
  repository: Repository,
  request: TreeRequest,
  value: CollectionPage | DatasetTypeList,
  index: number
): ISearchResult {
  if ('entries' in value) {
    const entry = value.entries[index];
    if (!entry || entry.type === 'FOLDER') {
      throw new Error('A folder is not searched for.');
    }
    return resultOfMatch(repository, { what: 'collection', collection: entry, by: 'name' });
  }
  const datasetType = value.dataset_types[index];
  if (!datasetType) {
    throw new Error('There is no such dataset type.');
  }
  const { kind, label } = repository;
  const collection = request.what === 'types' ? request.collection : '';
  return {
    id,
    repository,
    what: 'dataset-type',
    name: datasetType.name,
    place: { kind, label, collection, datasetType: datasetType.name },
    collectionType: null,
    datasetType,
    dataset: null,
    doc: ''
  };
}

function idOf(repository: Repository, what: SearchMatch['what'], name: string): string {
  return `${repositoryId(repository)} ${what} ${name}`;
}

/** Names in lower case; empty for a folder. */
function namesIn(value: CollectionPage | DatasetTypeList): readonly string[] {
  return 'entries' in value
    ? value.entries.map(entry => (entry.type === 'FOLDER' ? '' : entry.name.toLowerCase()))
    : value.dataset_types.map(({ name }) => name.toLowerCase());
}

const GLOB = /[*?[]/;

/** A glob as the server understands it: stars stand for slashes too. */
function globOf(glob: string): RegExp {
  let pattern = '';
  for (let index = 0; index < glob.length; index++) {
    const character = glob.charAt(index);
    const closing = glob.indexOf(']', index + 2);
    if (character === '*') {
      pattern += pattern.endsWith('.*') ? '' : '.*';
    } else if (character === '?') {
      pattern += '.';
    } else if (character === '[' && closing > 0) {
      const set = glob.slice(index + 1, closing).replace(/[\\\]^]/g, '\\$&');
      pattern += set.startsWith('!') ? `[^${set.slice(1)}]` : `[${set}]`;
      index = closing;
    } else {
      pattern += character.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    }
  }
  try {
    // A star at an end leaves that end open, which is found much faster than everything up to it.
    return new RegExp(`^${pattern}$`.replace(/^\^\.\*/, '').replace(/\.\*\$$/, ''), 's');
  } catch {
    // A range the wrong way round; nothing has such a name.
    return /(?!)/;
  }
}
