import type { ReactElement, ReactNode } from 'react';

import { trans } from '../../trans';
import type { ImageModel } from './model';
import { ColourBar } from './toolbar';
import { binText, skyTexts, valueText } from './words';

/** What there is at the cursor, what the colours mean, and what is left out. */
export function Readout({
  model,
  unit
}: {
  readonly model: ImageModel;
  readonly unit: string;
}): ReactElement {
  const { reading, description } = model;
  if (description.status !== 'loaded') {
    return <div className="pb-Image-readout" />;
  }
  const { sky } = description.value;
  const where = reading && skyTexts(reading);
  return (
    <div className="pb-Image-readout">
      <div className="pb-Image-reading">
        {reading ? (
          <>
            <Field label="x">{reading.x}</Field>
            <Field label="y">{reading.y}</Field>
            <Field label={trans.__('value')}>
              {valueText(reading.value, unit)}
              {reading.bin > 1 && (
                <span className="pb-mod-faint"> {trans.__('(mean of %1 × %1)', reading.bin)}</span>
              )}
            </Field>
            {where && (
              <span title={skyTitle(sky)}>
                <Field label={trans.__('RA, Dec')}>{where.degrees}</Field>{' '}
                <span className="pb-mod-faint">{where.sexagesimal}</span>
              </span>
            )}
            {reading.flags && reading.flags.length > 0 && (
              <Field label={trans.__('mask')}>{reading.flags.join(', ')}</Field>
            )}
          </>
        ) : (
          <span className="pb-mod-faint">
            {trans.__('Point at a pixel, or move a cursor with the arrow keys.')}
          </span>
        )}
      </div>
      <div className="pb-Image-status">
        <ColourBar model={model} />
        <span>{binText(model.bin)}</span>
      </div>
    </div>
  );
}

function skyTitle(sky: { readonly error: number; readonly source: string } | null): string {
  return sky
    ? trans.__(
        'ICRS. Agrees with %1 to %2 pixels.',
        sky.source,
        sky.error < 1e-4 ? '0.0001' : sky.error.toPrecision(1)
      )
    : '';
}

function Field({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactElement {
  return (
    <span className="pb-Image-field">
      <span className="pb-mod-faint">{label}</span> <span className="pb-Image-figure">{children}</span>
    </span>
  );
}
