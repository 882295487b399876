import { type ReactElement, useCallback, useEffect, useRef, useState } from 'react';

import type { FigurePreview, IRepositoryKey, IViewerClient } from '../../api';
import { exactNumber, shortSize } from '../../model';
import { Status } from '../../parts';
import { trans } from '../../trans';
import { useLoading } from '../loading';

export interface IFigureViewProps {
  readonly preview: FigurePreview;
  readonly client: IViewerClient;
  readonly repository: IRepositoryKey;
  readonly id: string;
}

/** A figure, as large as there is room, or in its own size. */
export function FigureView({ preview, client, repository, id }: IFigureViewProps): ReactElement {
  const { width, height, size } = preview;
  const { kind, label } = repository;
  const [isWhole, setIsWhole] = useState(true);
  const { state, retry, cancel } = useLoading(
    useCallback(signal => client.figure({ kind, label }, id, signal), [client, kind, label, id])
  );
  const blob = state.status === 'loaded' ? state.value : null;
  return (
    <div className="pb-Contents">
      <div className="pb-Contents-bar">
        <span className="pb-mod-faint">
          {trans.__('%1 × %2 pixels, %3', exactNumber(width), exactNumber(height), shortSize(size))}
          {blob && blob.size < size && ` · ${trans.__('shown smaller, as %1', shortSize(blob.size))}`}
        </span>
        <label>
          <input type="checkbox" checked={isWhole} onChange={event => setIsWhole(event.target.checked)} />{' '}
          {trans.__('Fit')}
        </label>
      </div>
      <Status state={state} what={trans.__('the figure')} onRetry={retry} onCancel={cancel} />
      {blob && (
        <div className="pb-Figure" tabIndex={0} role="group" aria-label={trans.__('Figure')}>
          <Picture blob={blob} isWhole={isWhole} alt={trans.__('Figure of %1 by %2 pixels', width, height)} />
        </div>
      )}
    </div>
  );
}

/** A picture made of bytes in this page. */
function Picture({ blob, isWhole, alt }: IPictureProps): ReactElement {
  const image = useRef<HTMLImageElement>(null);
  useEffect(() => {
    const address = URL.createObjectURL(blob);
    if (image.current) {
      image.current.src = address;
    }
    return () => URL.revokeObjectURL(address);
  }, [blob]);
  return <img ref={image} className={isWhole ? 'pb-mod-fit' : ''} alt={alt} />;
}

interface IPictureProps {
  readonly blob: Blob;
  readonly isWhole: boolean;
  readonly alt: string;
}
