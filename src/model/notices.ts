/**
 * The one place that says, for each state a thing can be in, what happened and what to do.
 */

import type { CollectionType, ErrorReport, Repository } from '../api';
import { trans } from '../trans';
import { exactNumber } from './format';

/** Every state other than simply being there. */
export type NoticeState =
  | 'loading'
  | 'empty'
  | 'capped'
  | 'cancelled'
  | 'superseded'
  | 'busy'
  | 'offline'
  | 'token'
  | 'forbidden'
  | 'absent'
  | 'gone'
  | 'error';

/** What a person reads in the place of what is not there. */
export interface INotice {
  readonly state: NoticeState;
  /** What happened, to what: one sentence. */
  readonly message: string;
  /** What the person can do about it; empty if there is nothing to do. */
  readonly nextStep: string;
  /** The word on the button that asks again, or null if asking again would change nothing. */
  readonly retry: string | null;
  /** When it will be asked again by itself, in milliseconds since the epoch. */
  readonly retryAt: number | null;
  /** The failure behind it, for a report to support. */
  readonly error: ErrorReport | null;
}

function notice(state: NoticeState, message: string, rest: Partial<INotice> = {}): INotice {
  return { state, message, nextStep: '', retry: null, retryAt: null, error: null, ...rest };
}

/** Something is under way. */
export function loadingNotice(what: string): INotice {
  return notice('loading', trans.__('Loading %1 …', what));
}

/** The person stopped it. */
export function cancelledNotice(what: string): INotice {
  return notice('cancelled', trans.__('Loading %1 was stopped.', what), { retry: trans.__('Load') });
}

/** It failed. */
export function errorNotice(error: ErrorReport, retryAt: number | null = null): INotice {
  return notice(stateOf(error), error.message, {
    // To wait is all there is to do about a busy server, and when it ends is told beside it.
    nextStep: retryAt !== null && error.kind === 'busy' ? '' : error.next_step,
    retry: trans.__('Retry'),
    retryAt,
    error
  });
}

/** The server asked to come back later, and that is being done. */
export function waitingNotice(retryAt: number): INotice {
  return notice('busy', trans.__('The server is busy; the query goes on by itself.'), { retryAt });
}

/** A newer query took the place of this one. */
export function supersededNotice(): INotice {
  return notice('superseded', trans.__('Another view asked this repository for something else.'), {
    nextStep: trans.__('This list waits, so that your notebook keeps its share of the server.'),
    retry: trans.__('Continue')
  });
}

/** Why a repository cannot be read, or null if it can. */
export function repositoryNotice(repository: Repository): INotice | null {
  if (repository.state === 'connected') {
    return null;
  }
  if (repository.state === 'absent') {
    return notice('absent', trans.__('You have not written anything yet.'), {
      nextStep: trans.__('The first put from a notebook creates this repository.')
    });
  }
  if (repository.error) {
    return errorNotice(repository.error);
  }
  const message = trans.__('The repository %1 is %2.', repository.label, stateWord(repository.state));
  return notice(repository.state, message, { retry: trans.__('Retry') });
}

/** Nothing at all is known here. */
export function noRepositoriesNotice(): INotice {
  return notice('empty', trans.__('No Butler repository is known here.'), {
    nextStep: trans.__('Name one in the file that DAF_BUTLER_REPOSITORY_INDEX points to, then press Retry.'),
    retry: trans.__('Retry')
  });
}

/** A level of the tree without collections. */
export function noCollectionsNotice(parent: string | null): INotice {
  return parent === null
    ? notice('empty', trans.__('This repository has no collections.'))
    : notice('empty', trans.__('This chain has no collections in it.'));
}

/** A collection without datasets. */
export function noDatasetTypesNotice(type: CollectionType): INotice {
  return notice(
    'empty',
    type === 'CHAINED'
      ? trans.__('Nothing in this chain holds datasets.')
      : trans.__('This collection is empty.')
  );
}

/** A list without datasets: summaries of collections promise more than may be left. */
export function noDatasetsNotice(datasetType: string, collection: string): INotice {
  return notice('empty', trans.__('No %1 in %2.', datasetType, collection), {
    nextStep: trans.__('The summary of the collection names it, but every one has been removed.')
  });
}

/** A list that filters have left nothing of. */
export function noMatchNotice(): INotice {
  return notice('empty', trans.__('Nothing matches the filters.'), { retry: trans.__('Clear filters') });
}

/** Nobody has chosen yet what to list. */
export function nothingChosenNotice(what: 'query' | 'type' | 'dataset'): INotice {
  switch (what) {
    case 'query':
      return notice('empty', trans.__('Select a dataset type above to narrow what is listed of it.'));
    case 'type':
      return notice('empty', trans.__('Select a dataset type above to list its datasets.'));
    case 'dataset':
      return notice('empty', trans.__('Select a dataset to see what it is.'));
  }
}

/** What a search has not found. */
export function nothingFoundNotice(text: string, where: readonly string[]): INotice {
  const nextStep =
    where.length === 0
      ? ''
      : trans.__(
          'Names and documentation of collections and names of dataset types in %1 were searched.',
          where.join(', ')
        );
  return notice('empty', trans.__('Nothing matches “%1”.', text), { nextStep });
}

/** Only some of what a search found is shown. */
export function cappedSearchNotice(shown: number, total: number): INotice {
  return notice('capped', trans.__('%1 of %2 matches are shown.', exactNumber(shown), exactNumber(total)), {
    nextStep: trans.__('Type more to narrow the search.')
  });
}

/** A repository that cannot be searched now. */
export function awayNotice(repository: Repository): INotice {
  return notice(
    'offline',
    trans.__('%1 is %2 and was not searched.', repository.label, stateWord(repository.state)),
    {
      nextStep: trans.__('What had been loaded of it was.'),
      retry: trans.__('Retry')
    }
  );
}

/** The person stopped the search. */
export function cancelledSearchNotice(repository: Repository): INotice {
  return notice('cancelled', trans.__('The search of %1 was stopped.', repository.label), {
    retry: trans.__('Search')
  });
}

/** The registry knows the dataset, but its file is not there. */
export function goneNotice(): INotice {
  return notice('gone', trans.__('The file of this dataset is not there.'), {
    nextStep: trans.__('Its data ID and provenance remain; reading it will fail.')
  });
}

/** A state in one or two words, beside the name of what is in it. */
export function stateWord(state: Repository['state']): string {
  switch (state) {
    case 'connected':
      return trans.__('connected');
    case 'absent':
      return trans.__('not created yet');
    case 'busy':
      return trans.__('busy');
    case 'offline':
      return trans.__('offline');
    case 'token':
      return trans.__('token not accepted');
    case 'forbidden':
      return trans.__('no access');
    case 'error':
      return trans.__('in error');
  }
}

/** A notice in one sentence or two, for those who listen. */
export function spokenNotice(notice: INotice): string {
  return [notice.message, notice.nextStep].filter(Boolean).join(' ');
}

/** What a person sends to support: never more than the report itself holds. */
export function diagnosticOf(error: ErrorReport): string {
  return [
    `kind: ${error.kind}`,
    `message: ${error.message}`,
    `next step: ${error.next_step}`,
    `request: ${error.request_id}`
  ].join('\n');
}

/** The state of a repository that a failure of one of its queries reveals, or null if none. */
export function repositoryStateOf(error: ErrorReport): Repository['state'] | null {
  const { kind } = error;
  return kind === 'busy' || kind === 'offline' || kind === 'token' || kind === 'forbidden' ? kind : null;
}

function stateOf(error: ErrorReport): NoticeState {
  const { kind } = error;
  return kind === 'busy' || kind === 'offline' || kind === 'token' || kind === 'forbidden' || kind === 'gone'
    ? kind
    : 'error';
}
