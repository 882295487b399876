/**
 * The preview of everything that is neither an image nor a table. Loaded when it is shown.
 */

import { type ReactElement, useCallback, useMemo } from 'react';

import { type IPreviewWish, type Preview, ViewerClient } from '../../api';
import { Status } from '../../parts';
import { trans } from '../../trans';
import { useLoading } from '../loading';
import type { IPreviewProps } from '../previews';
import { DocumentView } from './document';
import { FigureView } from './figure';
import { LogView } from './log';
import { TextView } from './text';

/** Asks for a part of what is in the dataset. */
export type FetchPart = (wish: IPreviewWish, signal: AbortSignal) => Promise<Preview>;

/** What is in a dataset, in the form that suits it. */
export default function Contents({ transport, repository, details }: IPreviewProps): ReactElement {
  const client = useMemo(() => new ViewerClient(transport), [transport]);
  const { kind, label } = repository;
  const { id } = details;
  const fetch: FetchPart = useCallback(
    (wish, signal) => client.preview({ kind, label }, id, wish, signal),
    [client, kind, label, id]
  );
  const { state, retry, cancel } = useLoading(useCallback(signal => fetch({}, signal), [fetch]));
  if (state.status !== 'loaded') {
    return <Status state={state} what={trans.__('what is in it')} onRetry={retry} onCancel={cancel} />;
  }
  const preview = state.value;
  switch (preview.form) {
    case 'document':
      return <DocumentView preview={preview} fetch={fetch} />;
    case 'log':
      return <LogView first={preview} fetch={fetch} />;
    case 'figure':
      return <FigureView preview={preview} client={client} repository={repository} id={id} />;
    case 'text':
    case 'object':
      return <TextView preview={preview} />;
  }
}
