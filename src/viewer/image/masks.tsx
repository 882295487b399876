import type { ReactElement } from 'react';

import { trans } from '../../trans';
import type { ImageModel } from './model';

/** The planes of the mask: which are drawn, in which colour, and what they mean. */
export function Masks({ model }: { readonly model: ImageModel }): ReactElement {
  const { shown, opacity } = model.mask;
  const toggle = (name: string): void => {
    const next = new Set(shown);
    if (!next.delete(name)) {
      next.add(name);
    }
    model.setMask({ shown: next });
  };
  return (
    <div className="pb-Image-masks" role="group" aria-label={trans.__('Mask planes')}>
      <label className="pb-Image-opacity">
        {trans.__('Opacity')}
        <input
          type="range"
          min={0}
          max={1}
          step={0.05}
          value={opacity}
          onChange={event => model.setMask({ opacity: event.target.valueAsNumber })}
        />
      </label>
      <div className="pb-Image-group">
        <button
          type="button"
          className="pb-Link"
          onClick={() => model.setMask({ shown: new Set(model.maskPlanes.map(({ plane }) => plane.name)) })}
        >
          {trans.__('All')}
        </button>
        <button type="button" className="pb-Link" onClick={() => model.setMask({ shown: new Set() })}>
          {trans.__('None')}
        </button>
      </div>
      {model.maskPlanes.map(({ plane: { name, description }, colour }) => (
        <label key={name} className="pb-Image-mask" title={description}>
          <input type="checkbox" checked={shown.has(name)} onChange={() => toggle(name)} />
          <span className="pb-Image-swatch" style={{ background: colour }} aria-hidden="true" />
          <span className="pb-Image-maskName">{name}</span>
          <span className="pb-Image-maskText">{description}</span>
        </label>
      ))}
    </div>
  );
}
