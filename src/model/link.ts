/**
 * A view of the panel as text, to be part of an address: `official:dp2?collection=dp2&type=visit_image`.
 */

import type { DatasetFilter, RepositoryKind } from '../api';
import { NO_FILTER } from './filters';

/** What a link, or whoever wants something shown, can name. */
export interface IView {
  readonly kind: RepositoryKind;
  readonly label: string;
  readonly collection?: string | undefined;
  readonly datasetType?: string | undefined;
  readonly filter?: DatasetFilter | null | undefined;
  /** Identifiers of datasets to be chosen. */
  readonly ids?: readonly string[] | undefined;
}

/** Most chosen datasets that a link names: addresses have an end. */
const MOST_IDS = 20;

/** A view as text. */
export function linkText(view: IView): string {
  const parameters = new URLSearchParams();
  if (view.collection !== undefined) {
    parameters.set('collection', view.collection);
  }
  if (view.datasetType !== undefined) {
    parameters.set('type', view.datasetType);
  }
  if (view.filter) {
    parameters.set('filter', JSON.stringify(view.filter));
  }
  view.ids?.slice(0, MOST_IDS).forEach(id => parameters.append('id', id));
  return `${view.kind}:${encodeURIComponent(view.label)}${parameters.size > 0 ? `?${parameters}` : ''}`;
}

/** The view that a text names, or null if it is no such text. */
export function viewOf(text: string): IView | null {
  const [, kind, label, rest] = /^(official|personal):([^?]+)(?:\?(.*))?$/s.exec(text) ?? [];
  if (kind === undefined || label === undefined) {
    return null;
  }
  const parameters = new URLSearchParams(rest ?? '');
  return {
    kind: kind as RepositoryKind,
    label: decoded(label),
    collection: parameters.get('collection') ?? undefined,
    datasetType: parameters.get('type') ?? undefined,
    filter: filterOf(parameters.get('filter')),
    ids: parameters.getAll('id').slice(0, MOST_IDS)
  };
}

/** An address that opens JupyterLab with a view; whatever else the page's own address held is left out. */
export function linkTo(
  view: IView,
  lab: { readonly url: string; readonly hubPrefix: string | null }
): string {
  // On a hub, an address with somebody's name in it would be of no use to anybody else.
  const base =
    lab.hubPrefix === null ? lab.url : new URL(`${lab.hubPrefix}user-redirect/lab`, lab.url).toString();
  const address = new URL(base);
  address.search = '';
  address.hash = '';
  address.searchParams.set('butler', linkText(view));
  return address.toString();
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The same of what a text says. */
function filterOf(text: string | null): DatasetFilter | null {
  if (text === null) {
    return null;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return filterFrom(value);
}

/** A filter with all its parts; what has another form is no filter, and the server checks what is in it. */
export function filterFrom(value: unknown): DatasetFilter | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...NO_FILTER, ...(value as Partial<DatasetFilter>) }
    : null;
}
