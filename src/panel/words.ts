/**
 * Words for what rows of the tree and of the search's results tell.
 */

import type { CollectionType, PersonalUsage, RepositoryKind, Validity } from '../api';
import { exactNumber, exactSize, type IHeldCount, shortSize } from '../model';
import { trans } from '../trans';

/** The kind of a collection in one word. */
export function kindWord(type: CollectionType): string {
  switch (type) {
    case 'CHAINED':
      return trans.__('chain');
    case 'RUN':
      return trans.__('run');
    case 'TAGGED':
      return trans.__('tagged');
    case 'CALIBRATION':
      return trans.__('calibration');
  }
}

/** The name of a repository, as its row in the tree has it. */
export function sourceOf({ kind, label }: { readonly kind: RepositoryKind; readonly label: string }): string {
  return kind === 'personal' ? trans.__('my %1', label) : label;
}

/** How much room is taken, and how much there is in all if that is known: `1.2 / 40 GB`. */
export function usageText({ bytes, quota }: PersonalUsage): string {
  const used = shortSize(bytes);
  if (quota === null) {
    return used;
  }
  const whole = shortSize(quota);
  const unit = whole.slice(whole.lastIndexOf(' '));
  return `${used.endsWith(unit) ? used.slice(0, -unit.length) : used} / ${whole}`;
}

/** The same in full. */
export function usageTitle({ bytes, quota, room, own, referenced, pinned }: PersonalUsage): string {
  return [
    trans.__('%1 taken', exactSize(bytes)),
    ...(quota === null ? [] : [trans.__('quota %1', exactSize(quota))]),
    ...(room === null ? [] : [trans.__('%1 may still be written', shortSize(room))]),
    trans.__(
      '%1 own datasets, %2 references, %3 pinned copies',
      exactNumber(own),
      exactNumber(referenced),
      exactNumber(pinned)
    )
  ].join('\n');
}

/** For which times calibrations are valid, by day: `2025-01-01 – 2025-04-01`, with a plus if not all were looked at. */
export function validityText({ begin, end, exact }: Validity): string {
  return `${begin?.slice(0, 10) ?? '…'} – ${end?.slice(0, 10) ?? '…'}${exact ? '' : ' +'}`;
}

/** The same in full. */
export function validityTitle({ begin, end, ranges, exact }: Validity): string {
  if (ranges === 0) {
    return trans.__('Nothing is certified for any time.');
  }
  return [
    trans.__('Valid from %1 to %2 (TAI)', begin ?? trans.__('any time'), end ?? trans.__('any time')),
    exact
      ? trans._n('%1 range', '%1 ranges', ranges)
      : trans._n('at least %1 range', 'at least %1 ranges', ranges),
    ...(exact
      ? []
      : [trans.__('There are too many calibrations to look at all: others may be valid earlier or later.')])
  ].join('\n');
}

/** How many datasets a satellite has, and how. */
export function heldText({ referenced, pinned }: IHeldCount): string {
  return [
    ...(referenced > 0 ? [trans.__('%1 referenced', exactNumber(referenced))] : []),
    ...(pinned > 0 ? [trans.__('%1 pinned', exactNumber(pinned))] : [])
  ].join(', ');
}
