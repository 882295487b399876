import { type KeyboardEvent, type ReactElement, type ReactNode, useRef } from 'react';

import { trans } from '../trans';
import type { SkyModel } from './model';
import type { SkyMap } from './map';

export interface ISkyToolbarProps {
  readonly model: SkyModel;
  readonly map: SkyMap;
  readonly isListed: boolean;
  readonly toggleList: () => void;
}

/** Everything that the map can do, as buttons: one tab stop, arrows in between. */
export function SkyToolbar({ model, map, isListed, toggleList }: ISkyToolbarProps): ReactElement {
  const near = model.target?.filter?.near ?? null;
  const toggle = (tool: 'lasso' | 'circle'): void => {
    map.use(map.tool === tool ? 'move' : tool);
    map.activate();
  };
  return (
    <Bar label={trans.__('Sky map')}>
      <Tool label={trans.__('Zoom in')} onClick={() => map.zoom(1.6)}>
        +
      </Tool>
      <Tool label={trans.__('Zoom out')} onClick={() => map.zoom(1 / 1.6)}>
        −
      </Tool>
      <Tool
        label={trans.__('Show all footprints, as large as possible (Home)')}
        onClick={() => map.showAll()}
      >
        {trans.__('Fit')}
      </Tool>
      <Tool label={trans.__('Show the whole sky')} onClick={() => map.showWhole()}>
        {trans.__('All sky')}
      </Tool>
      <Tool
        label={trans.__('Choose footprints by drawing a line around them (or drag with Shift)')}
        pressed={map.tool === 'lasso'}
        onClick={() => toggle('lasso')}
      >
        {trans.__('Lasso')}
      </Tool>
      <Tool
        label={trans.__(
          'List only what overlaps a circle: drag from its centre, or move the map under it, change it with [ and ], and press Enter'
        )}
        pressed={map.tool === 'circle'}
        onClick={() => toggle('circle')}
      >
        {trans.__('Search here')}
      </Tool>
      {near !== null && (
        <Tool label={trans.__('List everything again, wherever it is')} onClick={() => model.search(null)}>
          {trans.__('Remove circle')}
        </Tool>
      )}
      <span className="pb-Sky-space" role="presentation" />
      <Tool
        label={trans.__('Write right ascensions in hours')}
        pressed={map.unit === 'hours'}
        onClick={() => map.writeIn(map.unit === 'hours' ? 'degrees' : 'hours')}
      >
        {trans._p('hours of right ascension', 'h')}
      </Tool>
      <Tool label={trans.__('List of footprints')} pressed={isListed} onClick={toggleList}>
        {trans.__('List')}
      </Tool>
    </Bar>
  );
}

function Bar({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactElement {
  const bar = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const buttons = [...(bar.current?.querySelectorAll('button') ?? [])];
    const at = buttons.findIndex(button => button === document.activeElement);
    if (step !== undefined && at >= 0) {
      event.preventDefault();
      buttons[(at + step + buttons.length) % buttons.length]?.focus();
    }
  };
  return (
    <div ref={bar} className="pb-Sky-tools" role="toolbar" aria-label={label} onKeyDown={onKeyDown}>
      {children}
    </div>
  );
}

interface IToolProps {
  readonly label: string;
  readonly pressed?: boolean;
  readonly onClick: () => void;
  readonly children: string;
}

function Tool({ label, pressed, onClick, children }: IToolProps): ReactElement {
  return (
    <button
      type="button"
      className="pb-Button pb-Sky-tool"
      title={label}
      aria-label={children.length < 3 ? label : undefined}
      aria-pressed={pressed}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
