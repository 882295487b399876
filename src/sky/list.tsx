import { type KeyboardEvent, type ReactElement, useEffect, useRef } from 'react';

import { counted } from '../model';
import { trans } from '../trans';
import { type IFootprint, nameOf } from './footprints';

/** Most footprints listed: this is for those near the middle, not for browsing. */
export const MOST_LISTED = 200;

export interface ISkyListProps {
  /** Those at the place that was chosen; else those in view, the ones to be listed first. */
  readonly here: readonly IFootprint[];
  readonly inView: readonly IFootprint[];
  readonly chosen: ReadonlySet<number>;
  readonly choose: (footprint: IFootprint) => void;
  readonly mark: (footprint: IFootprint | null) => void;
  readonly open: () => void;
}

/** The map in words: the footprints in view as a list, for those who do not see it, or want to read names. */
export function SkyList({ here, inView, chosen, choose, mark, open }: ISkyListProps): ReactElement {
  const list = useRef<HTMLUListElement>(null);
  const all = here.length > 1 ? here : inView;
  const shown = all.slice(0, MOST_LISTED);
  const at = shown.findIndex(({ index }) => chosen.has(index));
  const title =
    here.length > 1
      ? trans._n('%1 footprint at this place', '%1 footprints at this place', here.length)
      : trans._n('%1 footprint in view', '%1 footprints in view', inView.length);

  useEffect(() => {
    const option = list.current?.children[at];
    option?.scrollIntoView({ block: 'nearest' });
    if (option instanceof HTMLElement && list.current?.contains(document.activeElement)) {
      option.focus();
    }
  }, [at, here]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      const focused = [...(list.current?.children ?? [])].findIndex(
        child => child === document.activeElement
      );
      const to = Math.max(0, Math.min(shown.length - 1, focused + step));
      const next = shown[to];
      if (next) {
        choose(next);
        (list.current?.children[to] as HTMLElement | undefined)?.focus();
      }
    } else if (event.key === 'Enter') {
      open();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <>
      <div className="pb-Sky-listTitle">{title}</div>
      <ul ref={list} className="pb-Sky-list" role="listbox" aria-label={title} onKeyDown={onKeyDown}>
        {shown.map((footprint, index) => (
          <li
            key={footprint.index}
            className="pb-Sky-option"
            role="option"
            tabIndex={index === Math.max(0, at) ? 0 : -1}
            aria-selected={chosen.has(footprint.index)}
            onClick={() => choose(footprint)}
            onDoubleClick={open}
            onMouseEnter={() => mark(footprint)}
            onMouseLeave={() => mark(null)}
          >
            <span className="pb-Sky-name">{nameOf(footprint)}</span>
            {footprint.datasets.length !== 1 && (
              <span className="pb-mod-faint">{counted(footprint.datasets.length, 'dataset')}</span>
            )}
          </li>
        ))}
      </ul>
      {all.length > MOST_LISTED && (
        <div className="pb-Sky-listFoot">
          {trans.__('The %1 nearest to the middle; zoom in to see others.', MOST_LISTED)}
        </div>
      )}
    </>
  );
}
