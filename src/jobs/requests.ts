/**
 * What a job is about, made of what is chosen in the panel or of what a command is given.
 */

import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { Dataset, JobAction, JobRequest, RepositoryKind } from '../api';
import { type IDatasetSelection, type IDatasetTarget, NO_FILTER } from '../model';

/** Most datasets that can be named one by one; more are asked for as all that was found. */
export const MOST_CHOSEN = 50_000;

/** Actions that begin with official datasets, too. */
const OFFICIAL: readonly JobAction[] = ['reference', 'pin', 'prefetch'];

/** The run of a version: its chain, and its number. */
const VERSION = /^(.+)\/v([1-9]\d*)$/;

/** A request in which nothing is said but what is to be done. */
export function emptyRequest(action: JobAction, label: string): JobRequest {
  return {
    action,
    label,
    chosen: null,
    query: null,
    versions: [],
    prune: null,
    purge: false,
    create: false,
    most: null
  };
}

/** Whether datasets of a repository can be the object of an action. */
export function fits(action: JobAction, kind: RepositoryKind): boolean {
  return action === 'reference' ? kind === 'official' : kind === 'personal' || OFFICIAL.includes(action);
}

/** A request about the chosen datasets, or null if the action is not for them. */
export function requestForSelection(action: JobAction, selection: IDatasetSelection): JobRequest | null {
  const { repository, collection, datasetType, datasets } = selection;
  if (!fits(action, repository.kind)) {
    return null;
  }
  if (action === 'retire') {
    const versions = versionsOf(datasets);
    return versions.length > 0 ? { ...emptyRequest(action, repository.label), versions } : null;
  }
  return {
    ...emptyRequest(action, repository.label),
    chosen: {
      kind: repository.kind,
      collection: collection.name,
      dataset_type: datasetType.name,
      datasets: [...datasets]
    }
  };
}

/** A request about all that a list would show, or null if the action is not for it. */
export function requestForAll(action: JobAction, target: IDatasetTarget): JobRequest | null {
  const { repository, collection, datasetType, filter } = target;
  if (!fits(action, repository.kind) || action === 'retire' || action === 'prune') {
    return null;
  }
  return {
    ...emptyRequest(action, repository.label),
    query: {
      kind: repository.kind,
      label: repository.label,
      collection: collection.name,
      dataset_type: datasetType.name,
      filter: filter ?? NO_FILTER
    }
  };
}

/** A request made of a command's arguments, or null if they name no datasets. */
export function requestForArguments(action: JobAction, args: ReadonlyPartialJSONObject): JobRequest | null {
  const { kind, label, collection, datasetType, datasets, versions } = args;
  if (typeof label !== 'string') {
    return null;
  }
  if (action === 'retire' && Array.isArray(versions)) {
    return { ...emptyRequest(action, label), versions: versions.map(String) };
  }
  if (
    (kind !== 'official' && kind !== 'personal') ||
    typeof datasetType !== 'string' ||
    !Array.isArray(datasets) ||
    datasets.length === 0 ||
    !fits(action, kind)
  ) {
    return null;
  }
  const chosen = datasets as unknown as Dataset[];
  if (action === 'retire') {
    const runs = versionsOf(chosen);
    return runs.length > 0 ? { ...emptyRequest(action, label), versions: runs } : null;
  }
  return {
    ...emptyRequest(action, label),
    chosen: {
      kind,
      collection: typeof collection === 'string' ? collection : null,
      dataset_type: datasetType,
      datasets: chosen
    }
  };
}

/** The versions that datasets belong to, by their runs. */
export function versionsOf(datasets: readonly Dataset[]): string[] {
  return [...new Set(datasets.map(({ run }) => run))].filter(run => VERSION.test(run));
}
