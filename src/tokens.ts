/**
 * What the rooms, and other extensions, share: the backend and what the panel shows.
 */

import { Token } from '@lumino/coreutils';

import type { IButlerClient, Transport } from './api';
import type { ISnippetRegistry as ISnippets, IWorkspace } from './insert';
import type { IChanges as IChangeFeed } from './jobs';
import type { ButlerModel } from './model';

/** The one connection to the backend, and the one state, of this page. */
export interface IButler {
  /** Asks the backend anything. */
  readonly transport: Transport;
  readonly client: IButlerClient;
  /** What the panel shows. */
  readonly model: ButlerModel;
  /** Where code goes to. */
  readonly workspace: IWorkspace;
}

/** Provided by the plugin of the panel. */
export const IButler = new Token<IButler>(
  'python-butler:IButler',
  'The Butler panel: its connection to the backend, and what is chosen in it.'
);

/** Tells what changes outside of this page. */
export type IChanges = IChangeFeed;

/** Provided by the plugin of jobs. */
export const IChanges = new Token<IChanges>(
  'python-butler:IChanges',
  'Tells of what changes outside of the page, while somebody wants to know.'
);

/** Takes further ways of writing datasets as code. */
export type ISnippetRegistry = ISnippets;

/** Provided by the plugin of snippets. */
export const ISnippetRegistry = new Token<ISnippetRegistry>(
  'python-butler:ISnippetRegistry',
  'Takes snippets: ways of writing datasets as code, for the menus of the Butler panel.'
);
