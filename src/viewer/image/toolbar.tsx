import type { ReactElement } from 'react';

import { trans } from '../../trans';
import { STEP } from './canvas';
import { COLOUR_MAPS, type ColourMap, gradientOf } from './colours';
import type { ImageModel } from './model';
import { LIMITS, type Limits, type Scale, SCALES } from './stretch';
import { limitsText, mapText, planeText, scaleText } from './words';

export interface IToolbarProps {
  readonly model: ImageModel;
  readonly maskOpen: boolean;
  readonly onMask: () => void;
  /** Insert code that reads what is seen. */
  readonly onInsert: () => void;
  /** Insert code that reads a circle of the sky; null if the library cannot cut one out of such an image. */
  readonly onInsertCircle: (() => void) | null;
}

/** What can be done with the picture. */
export function Toolbar(props: IToolbarProps): ReactElement | null {
  const { model, maskOpen, onMask, onInsert, onInsertCircle } = props;
  const { description, look, view } = model;
  if (description.status !== 'loaded' || !view) {
    return null;
  }
  const { planes, mask } = description.value;
  return (
    <div className="pb-Image-toolbar" role="toolbar" aria-label={trans.__('Picture')}>
      {planes.length > 1 && (
        <Choice
          label={trans.__('Plane')}
          value={model.plane}
          options={planes.map(({ id }) => [id, planeText(id)])}
          onChange={plane => model.choosePlane(plane)}
        />
      )}
      <Choice
        label={trans.__('Scale')}
        value={look.scale}
        options={SCALES.map(scale => [scale, scaleText(scale)])}
        onChange={scale => model.setLook({ scale: scale as Scale })}
      />
      <Choice
        label={trans.__('Limits')}
        value={look.limits}
        options={LIMITS.map(limits => [limits, limitsText(limits)])}
        onChange={limits => model.setLook({ limits: limits as Limits, manual: null })}
      />
      {look.limits === 'manual' && <Manual model={model} />}
      <Choice
        label={trans.__('Colours')}
        value={look.map}
        options={COLOUR_MAPS.map(map => [map, mapText(map)])}
        onChange={map => model.setLook({ map: map as ColourMap })}
      />
      <button
        type="button"
        className="pb-Image-button"
        aria-pressed={look.inverted}
        title={trans.__('Exchange dark and bright')}
        onClick={() => model.setLook({ inverted: !look.inverted })}
      >
        {trans.__('Invert')}
      </button>
      <span className="pb-Image-group" role="group" aria-label={trans.__('Zoom')}>
        <Zoom label={trans.__('Zoom out')} text="−" onClick={() => model.setView(view.zoomed(1 / STEP))} />
        <span className="pb-Image-zoom">{zoomText(view.zoom)}</span>
        <Zoom label={trans.__('Zoom in')} text="+" onClick={() => model.setView(view.zoomed(STEP))} />
        <Zoom label={trans.__('Show all of the image')} text={trans.__('Fit')} onClick={() => model.fit()} />
        <Zoom
          label={trans.__('One pixel of the image on one of the screen')}
          text="1:1"
          onClick={() => model.setView(view.zoomedTo(1))}
        />
      </span>
      {mask.length > 0 && (
        <button
          type="button"
          className="pb-Image-button"
          aria-pressed={maskOpen}
          title={trans.__('Show what the mask says over the image')}
          onClick={onMask}
        >
          {trans.__('Mask')}
        </button>
      )}
      <button
        type="button"
        className="pb-Image-button pb-mod-last"
        title={trans.__('Insert code that reads the part that is seen now')}
        onClick={onInsert}
      >
        {trans.__('Insert this cutout')}
      </button>
      {onInsertCircle && model.circle && (
        <button
          type="button"
          className="pb-Image-button"
          title={trans.__('Insert code that reads the circle of the sky around the middle of what is seen')}
          onClick={onInsertCircle}
          onPointerEnter={() => model.showCircle(true)}
          onPointerLeave={() => model.showCircle(false)}
          onFocus={() => model.showCircle(true)}
          onBlur={() => model.showCircle(false)}
        >
          {trans.__('Insert circle')}
        </button>
      )}
    </div>
  );
}

interface IChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [string, string])[];
  readonly onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: IChoiceProps): ReactElement {
  return (
    <label className="pb-Image-choice">
      <span>{label}</span>
      {/* A name of its own: that of the label would have all options in it. */}
      <select aria-label={label} value={value} onChange={event => onChange(event.target.value)}>
        {options.map(([id, text]) => (
          <option key={id} value={id}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Zoom({
  label,
  text,
  onClick
}: {
  readonly label: string;
  readonly text: string;
  readonly onClick: () => void;
}): ReactElement {
  return (
    <button type="button" className="pb-Image-button" aria-label={label} title={label} onClick={onClick}>
      {text}
    </button>
  );
}

function zoomText(zoom: number): string {
  return zoom >= 1
    ? trans.__('%1×', Number(zoom.toPrecision(3)))
    : trans.__('1/%1', Number((1 / zoom).toPrecision(3)));
}

/** Limits by hand: a number that makes no sense yet changes nothing. */
function Manual({ model }: { readonly model: ImageModel }): ReactElement {
  const { low, high } = model.range;
  const set = (range: { low?: number; high?: number }): void => {
    const manual = { low, high, ...range };
    if (Number.isFinite(manual.low) && Number.isFinite(manual.high) && manual.high > manual.low) {
      model.setLook({ manual });
    }
  };
  const field = (label: string, value: number, change: (value: number) => void): ReactElement => (
    <input
      key={`${label} ${value}`}
      className="pb-Image-number"
      type="number"
      step="any"
      aria-label={label}
      title={label}
      defaultValue={Number(value.toPrecision(5))}
      onBlur={event => change(event.target.valueAsNumber)}
      onKeyDown={event => event.key === 'Enter' && change(event.currentTarget.valueAsNumber)}
    />
  );
  return (
    <span className="pb-Image-group">
      {field(trans.__('Lower limit'), low, value => set({ low: value }))}
      {field(trans.__('Upper limit'), high, value => set({ high: value }))}
    </span>
  );
}

/** From which value to which the colours go. */
export function ColourBar({ model }: { readonly model: ImageModel }): ReactElement {
  const { low, high } = model.range;
  const { map, inverted } = model.look;
  const text = (value: number): string => String(Number(value.toPrecision(4)));
  return (
    <span className="pb-Image-bar" title={trans.__('Values from %1 to %2', text(low), text(high))}>
      <span>{text(low)}</span>
      <span className="pb-Image-gradient" style={{ background: gradientOf(map, inverted) }} />
      <span>{text(high)}</span>
    </span>
  );
}
