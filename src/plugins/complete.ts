/**
 * The plugin of completion.
 */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICompletionProviderManager } from '@jupyterlab/completer';

import { VocabularyClient } from '../api';
import { ButlerCompletionProvider, Words } from '../complete';
import { IButler } from '../tokens';

/** Completes names and values of repositories wherever Python is written. */
export const completePlugin: JupyterFrontEndPlugin<void> = {
  id: 'python-butler:complete',
  description: 'Completes collections, dataset types, data IDs and where-expressions in calls of a butler.',
  autoStart: true,
  requires: [IButler],
  optional: [ICompletionProviderManager],
  activate: (
    _: JupyterFrontEnd,
    { transport, client }: IButler,
    manager: ICompletionProviderManager | null
  ): void => {
    const words = new Words(new VocabularyClient(transport), async signal => {
      const { repositories } = await client.repositories(signal);
      return repositories;
    });
    manager?.registerProvider(new ButlerCompletionProvider(words, id => manager.invoke(id)));
  }
};
