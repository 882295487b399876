import { copyIcon } from '@jupyterlab/ui-components';
import { Fragment, type ReactElement, type ReactNode } from 'react';

import type { DimensionRecord } from '../api';
import { trans } from '../trans';

export interface IFieldProps {
  readonly name: string;
  readonly children: ReactNode;
}

/** One line of what is known of something, within a `dl` of class `pb-Fields`. */
export function Field({ name, children }: IFieldProps): ReactElement {
  return (
    <div className="pb-Field">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A long name that breaks, if it has to, where its parts end. */
export function Path({ name }: { readonly name: string }): ReactElement {
  return (
    <>
      {name.split(/(?<=[/_])/).map((part, index) => (
        <Fragment key={index}>
          {part}
          <wbr />
        </Fragment>
      ))}
    </>
  );
}

export interface ICopyButtonProps {
  readonly label: string;
  onClick(): void;
}

/** Copies what stands before it. */
export function CopyButton({ label, onClick }: ICopyButtonProps): ReactElement {
  return (
    <button type="button" className="pb-IconButton" title={label} aria-label={label} onClick={onClick}>
      <copyIcon.react tag="span" aria-hidden="true" />
    </button>
  );
}

/** What is known of one dimension, closed at first: there is much of it. */
export function Record({ record }: { readonly record: DimensionRecord }): ReactElement {
  return (
    <details className="pb-Record">
      <summary>{record.element}</summary>
      <dl className="pb-Fields">
        {Object.entries(record.fields).map(([name, value]) => (
          <Field key={name} name={name}>
            {value === null ? <span className="pb-mod-faint">{trans.__('none')}</span> : String(value)}
          </Field>
        ))}
      </dl>
    </details>
  );
}
