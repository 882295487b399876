/**
 * Where this JupyterLab is, for links to what the panel shows.
 */

import { PageConfig, URLExt } from '@jupyterlab/coreutils';

import { type IView, linkTo, viewOf } from '../model';

/** An address that can be sent to others. */
export function addressOf(view: IView): string {
  return linkTo(view, { url: labAddress(), hubPrefix: hubPrefix() });
}

/**
 * The same for the text of a notebook. On one's own machine JupyterLab is at another port every time, so
 * that the notebook says only where on it.
 */
export function lastingAddressOf(view: IView): string {
  const address = new URL(addressOf(view));
  return hubPrefix() === null ? `${address.pathname}${address.search}` : address.toString();
}

/** The view that an address leads to, if it is one of this JupyterLab's. */
export function viewAt(address: string): IView | null {
  const url = new URL(address, window.location.href);
  const text = url.searchParams.get('butler');
  const known = new URL(addressOf({ kind: 'official', label: '' }));
  return text !== null && url.origin === known.origin && url.pathname === known.pathname
    ? viewOf(text)
    : null;
}

function labAddress(): string {
  const base = URLExt.join(PageConfig.getBaseUrl(), PageConfig.getOption('appUrl') || '/lab');
  return new URL(base, window.location.href).toString();
}

function hubPrefix(): string | null {
  return PageConfig.getOption('hubPrefix') || null;
}
