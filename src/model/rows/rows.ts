/**
 * The rows of the whole tree: what is below each of them, and where each is.
 */

import type { Repository } from '../../api';
import { trans } from '../../trans';
import { loadingNotice, noRepositoriesNotice, repositoryNotice } from '../notices';
import { Branch, type IPart, joined, listed } from '../parts';
import { placeId } from '../places';
import { repositoryId, type TreeRequest } from '../requests';
import type { Draft, ITreeSource, PlacesKind, TreeRow } from './drafts';
import { levelPart } from './level';
import { noticeDraft, pending } from './notes';
import { typesDraft, typesPart } from './types';
import { wayTo } from './ways';

/** The rows that are not hidden in a collapsed one, from top to bottom. */
export class TreeRows implements Iterable<TreeRow> {
  constructor(source: ITreeSource) {
    this._all = new Branch<Draft>(rootPart(source), draft => partBelow(source, draft));
  }

  get length(): number {
    return this._all.length;
  }

  /** The row at this place, or undefined behind the end. */
  at(index: number): TreeRow | undefined {
    if (index < 0 || index >= this.length) {
      return undefined;
    }
    const { draft, ...placed } = this._all.at(index);
    return { ...draft, ...placed };
  }

  /** Where the row is, or -1. */
  indexOf(id: string): number {
    return this._all.indexOf(id);
  }

  /** The rows from one place to before another. */
  slice(first: number, end: number): TreeRow[] {
    const rows: TreeRow[] = [];
    for (let index = Math.max(0, first); index < Math.min(end, this.length); index++) {
      const row = this.at(index);
      if (row) {
        rows.push(row);
      }
    }
    return rows;
  }

  *[Symbol.iterator](): Iterator<TreeRow> {
    yield* this.slice(0, this.length);
  }

  private readonly _all: Branch<Draft>;
}

function rootPart(source: ITreeSource): IPart<Draft> {
  const places = (['favourites', 'recent'] as const).flatMap((which): Draft[] => {
    const total = source.places(which).length;
    const id = `:${which}`;
    const expanded = source.expanded(id, which === 'favourites');
    return total === 0 ? [] : [{ kind: 'places', id, which, total, request: null, expanded }];
  });
  return listed([...places, ...repositoryDrafts(source)]);
}

function repositoryDrafts(source: ITreeSource): Draft[] {
  const request: TreeRequest = { what: 'repositories' };
  const repositories = source.repositories();
  if (repositories.status !== 'loaded') {
    return [pending('root', repositories, trans.__('repositories'), request)];
  }
  if (repositories.value.length === 0) {
    return [noticeDraft('root', noRepositoriesNotice(), request, request)];
  }
  return repositories.value.map(repository => {
    const id = repositoryId(repository);
    return {
      kind: 'repository',
      id,
      repository,
      checking: source.checking(repository),
      usage: source.usage(repository),
      // Remembered repositories are refreshed as soon as one of them is seen.
      request,
      expanded: source.expanded(id, false)
    };
  });
}

function partBelow(source: ITreeSource, draft: Draft): IPart<Draft> {
  switch (draft.kind) {
    case 'repository':
      return topPart(source, draft.repository, draft.id);
    case 'folder':
      return levelPart(source, draft.repository, null, draft.folder.path, draft.id);
    case 'collection': {
      const { repository, collection, id } = draft;
      return collection.type === 'CHAINED'
        ? joined([
            // One row, and the one most often wanted: before the children, where no scrolling is needed.
            listed([typesDraft(source, repository, collection, id)]),
            levelPart(source, repository, collection.name, null, id)
          ])
        : typesPart(source, repository, collection, id);
    }
    case 'types':
      return typesPart(source, draft.repository, draft.collection, draft.id);
    case 'places':
      return placesPart(source, draft.which, draft.id);
    default:
      return listed([]);
  }
}

function placesPart(source: ITreeSource, which: PlacesKind, id: string): IPart<Draft> {
  return listed(
    source.places(which).map(place => ({
      kind: 'place',
      id: wayTo(id, placeId(place)),
      which,
      place,
      starred: source.isStarred(place),
      request: null,
      expanded: null
    }))
  );
}

function topPart(source: ITreeSource, repository: Repository, id: string): IPart<Draft> {
  const folder = source.grouped() ? '' : null;
  const trouble = repositoryNotice(repository);
  if (trouble === null) {
    return levelPart(source, repository, null, folder, id);
  }
  if (source.checking(repository)) {
    const what = trans.__('the state of %1', repository.label);
    return listed([noticeDraft(id, loadingNotice(what), null, null)]);
  }
  const check: TreeRequest = { what: 'check', repository };
  const explanation = noticeDraft(`${id}|:state`, trouble, trouble.retry === null ? null : check, null);
  // What was already known stays in sight while the server is away.
  return source.level(repository, null, folder, 0).status === 'loaded'
    ? joined([listed([explanation]), levelPart(source, repository, null, folder, id)])
    : listed([explanation]);
}
