import type { ReactElement } from 'react';

import type { DatasetMark } from '../model';
import { trans } from '../trans';
import { MARK_ICONS } from './icons';

/** How a dataset is in the person's satellite, as a cell at the end of its row. */
export function Mark({ mark }: { readonly mark: DatasetMark | null }): ReactElement {
  if (mark === null) {
    return <span className="pb-Mark" aria-hidden="true" />;
  }
  const Icon = MARK_ICONS[mark];
  return (
    <span
      className="pb-Mark"
      data-mark={mark}
      role="gridcell"
      aria-label={markWord(mark)}
      title={markTitle(mark)}
    >
      <Icon.react tag="span" aria-hidden="true" />
    </span>
  );
}

function markWord(mark: DatasetMark): string {
  return mark === 'pinned' ? trans.__('pinned') : trans.__('referenced');
}

function markTitle(mark: DatasetMark): string {
  return mark === 'pinned'
    ? trans.__('Pinned: your personal repository has a copy of its file')
    : trans.__('Referenced: it is in your personal repository, its file on the official server');
}
