import type { ReactElement } from 'react';

import type { ObjectPreview, TextPreview } from '../../api';
import { exactNumber, shortSize } from '../../model';
import { trans } from '../../trans';

export interface ITextViewProps {
  readonly preview: TextPreview | ObjectPreview;
}

/** A text as it stands in its file, or what Python says of an object. */
export function TextView({ preview }: ITextViewProps): ReactElement {
  const { text, whole } = preview;
  return (
    <div className="pb-Contents">
      <p className="pb-Viewer-text pb-mod-faint" role="status">
        {preview.form === 'object'
          ? trans.__('A Python object of class %1, as it describes itself.', preview.type)
          : describe(preview)}
        {!whole && ` ${trans.__('Only the first %1 characters are shown.', exactNumber(text.length))}`}
      </p>
      <pre className="pb-Contents-text" tabIndex={0} aria-label={trans.__('Contents')}>
        {text}
      </pre>
    </div>
  );
}

function describe({ language, size }: TextPreview): string {
  const kind = language === '' ? trans.__('Text') : language.toUpperCase();
  return size === null ? `${kind}.` : trans.__('%1, %2.', kind, shortSize(size));
}
