import type { ISessionContext } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';

/**
 * Call whenever a notebook's kernel has finished something: it may have written to a repository.
 */
export function followKernels(notebooks: INotebookTracker, onIdle: () => void): void {
  const onStatus = (_: ISessionContext, status: Kernel.Status): void => {
    if (status === 'idle') {
      onIdle();
    }
  };
  notebooks.widgetAdded.connect((_, { sessionContext }) => {
    sessionContext.statusChanged.connect(onStatus);
  });
  notebooks.forEach(({ sessionContext }) => sessionContext.statusChanged.connect(onStatus));
}
