/**
 * The one place that says, for each state a thing can be in, what happened and what to do.
 */

import type { CollectionType, ErrorReport, Repository } from '../api';
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
  return notice('loading', `Loading ${what} …`);
}

/** The person stopped it. */
export function cancelledNotice(what: string): INotice {
  return notice('cancelled', `Loading ${what} was stopped.`, { retry: 'Load' });
}

/** It failed. */
export function errorNotice(error: ErrorReport, retryAt: number | null = null): INotice {
  return notice(stateOf(error), error.message, {
    nextStep: error.next_step,
    retry: 'Retry',
    retryAt,
    error
  });
}

/** The server asked to come back later, and that is being done. */
export function waitingNotice(retryAt: number): INotice {
  return notice('busy', 'The server is busy; the query goes on by itself.', { retryAt });
}

/** A newer query took the place of this one. */
export function supersededNotice(): INotice {
  return notice('superseded', 'Another view asked this repository for something else.', {
    nextStep: 'This list waits, so that your notebook keeps its share of the server.',
    retry: 'Continue'
  });
}

/** Why a repository cannot be read, or null if it can. */
export function repositoryNotice(repository: Repository): INotice | null {
  if (repository.state === 'connected') {
    return null;
  }
  if (repository.state === 'absent') {
    return notice('absent', 'You have not written anything yet.', {
      nextStep: 'The first put from a notebook creates this repository.'
    });
  }
  if (repository.error) {
    return errorNotice(repository.error);
  }
  return notice(repository.state, `The repository ${repository.label} is ${STATE_WORDS[repository.state]}.`, {
    retry: 'Retry'
  });
}

/** Nothing at all is known here. */
export function noRepositoriesNotice(): INotice {
  return notice('empty', 'No Butler repository is known here.', {
    nextStep: 'Name one in the file that DAF_BUTLER_REPOSITORY_INDEX points to, then press Retry.',
    retry: 'Retry'
  });
}

/** A level of the tree without collections. */
export function noCollectionsNotice(parent: string | null): INotice {
  return parent === null
    ? notice('empty', 'This repository has no collections.')
    : notice('empty', 'This chain has no collections in it.');
}

/** A collection without datasets. */
export function noDatasetTypesNotice(type: CollectionType): INotice {
  return notice(
    'empty',
    type === 'CHAINED' ? 'Nothing in this chain holds datasets.' : 'This collection is empty.'
  );
}

/** A list without datasets: summaries of collections promise more than may be left. */
export function noDatasetsNotice(datasetType: string, collection: string): INotice {
  return notice('empty', `No ${datasetType} in ${collection}.`, {
    nextStep: 'The summary of the collection names it, but every one has been removed.'
  });
}

/** Nobody has chosen yet what to list. */
export function nothingChosenNotice(what: 'type' | 'dataset'): INotice {
  return what === 'type'
    ? notice('empty', 'Select a dataset type above to list its datasets.')
    : notice('empty', 'Select a dataset to see what it is.');
}

/** Only some collections are shown. */
export function cappedCollectionsNotice(shown: number, total: number): INotice {
  return notice('capped', `The first ${exactNumber(shown)} of ${exactNumber(total)} collections.`);
}

/** Only some datasets are shown. */
export function cappedDatasetsNotice(shown: number): INotice {
  return notice('capped', `The first ${exactNumber(shown)} datasets; the list ends here.`, {
    nextStep: 'Use butler.query_datasets in a notebook to reach the others.'
  });
}

/** The registry knows the dataset, but its file is not there. */
export function goneNotice(): INotice {
  return notice('gone', 'The file of this dataset is not there.', {
    nextStep: 'Its data ID and provenance remain; reading it will fail.'
  });
}

/** A state in one or two words, beside the name of what is in it. */
export const STATE_WORDS: Readonly<Record<Repository['state'], string>> = {
  connected: 'connected',
  absent: 'not created yet',
  busy: 'busy',
  offline: 'offline',
  token: 'token not accepted',
  forbidden: 'no access',
  error: 'in error'
};

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
