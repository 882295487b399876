import { type KeyboardEvent, type ReactElement, useEffect, useId, useRef, useState } from 'react';

import { AbortedError, type ErrorReport, type FacetDimension, type FacetValues, reportOf } from '../api';
import { trans } from '../trans';

type Value = string | number;

export interface IFacetProps {
  readonly dimension: FacetDimension;
  readonly chosen: readonly Value[];
  /** Changes whenever remembered values may be others. */
  readonly list: unknown;
  readonly values: (prefix: string, signal: AbortSignal) => Promise<FacetValues>;
  readonly onChange: (values: readonly Value[]) => void;
}

/** How long typing must rest before values are asked for, in milliseconds. */
const REST = 150;

type Offered =
  | { readonly status: 'loading' }
  | { readonly status: 'loaded'; readonly prefix: string; readonly found: FacetValues }
  | { readonly status: 'failed'; readonly error: ErrorReport };

/**
 * One dimension: the values chosen, and a field that offers those that occur.
 */
export function Facet({ dimension, chosen, list, values, onChange }: IFacetProps): ReactElement {
  const { name, type } = dimension;
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const [offered, setOffered] = useState<Offered>({ status: 'loading' });
  const [attempt, setAttempt] = useState(0);
  const found = offered.status === 'loaded' ? offered.found.values : [];

  useEffect(() => {
    if (!isOpen) {
      return;
    }
    const asking = new AbortController();
    const timer = setTimeout(() => {
      setOffered(before => (before.status === 'failed' ? { status: 'loading' } : before));
      values(text.trim(), asking.signal).then(
        answer => {
          if (!asking.signal.aborted) {
            setOffered({ status: 'loaded', prefix: text.trim(), found: answer });
            setAt(-1);
          }
        },
        (reason: unknown) => {
          if (!asking.signal.aborted && !(reason instanceof AbortedError)) {
            setOffered({ status: 'failed', error: reportOf(reason) });
          }
        }
      );
    }, REST);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
    // `values` is another function in each rendering, but asks the same as long as the list is the same.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isOpen, text, list, attempt]);

  const toggle = (value: Value): void => {
    onChange(chosen.includes(value) ? chosen.filter(other => other !== value) : [...chosen, value]);
    setText('');
  };

  const take = (): void => {
    const value = found[at];
    if (value !== undefined) {
      toggle(value);
      return;
    }
    const typed = parse(text, type);
    if (typed.length > 0) {
      onChange([...new Set([...chosen, ...typed])]);
      setText('');
    }
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      setOpen(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setAt(before => Math.max(-1, Math.min(found.length - 1, before + step)));
    } else if (event.key === 'Enter') {
      take();
    } else if (event.key === 'Escape' && isOpen) {
      setOpen(false);
    } else if (event.key === 'Backspace' && text === '' && chosen.length > 0) {
      onChange(chosen.slice(0, -1));
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      className="pb-Facet"
      onBlur={event => {
        if (!event.currentTarget.contains(event.relatedTarget)) {
          setOpen(false);
        }
      }}
    >
      <label className="pb-Query-label" htmlFor={`${id}-field`}>
        {name}
      </label>
      <div className="pb-Facet-box" onClick={() => field.current?.focus()}>
        {chosen.map(value => (
          <span key={value} className="pb-Facet-chip">
            {value}
            <button
              type="button"
              className="pb-Facet-remove"
              aria-label={trans.__('Remove %1 %2', name, value)}
              onClick={() => toggle(value)}
            >
              ×
            </button>
          </span>
        ))}
        <input
          ref={field}
          id={`${id}-field`}
          className="pb-Facet-input"
          role="combobox"
          aria-expanded={isOpen}
          aria-controls={`${id}-values`}
          aria-autocomplete="list"
          aria-activedescendant={isOpen && at >= 0 ? `${id}-${at}` : undefined}
          autoComplete="off"
          spellCheck={false}
          placeholder={chosen.length === 0 ? trans.__('any') : ''}
          value={text}
          onFocus={() => setOpen(true)}
          onChange={event => {
            setText(event.target.value);
            setOpen(true);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      {isOpen && (
        <div className="pb-Facet-offer">
          <ul id={`${id}-values`} role="listbox" aria-multiselectable="true" aria-label={name}>
            {found.map((value, index) => (
              <li
                key={value}
                id={`${id}-${index}`}
                role="option"
                className={`pb-Facet-value${index === at ? ' pb-mod-active' : ''}`}
                aria-selected={chosen.includes(value)}
                onMouseDown={event => event.preventDefault()}
                onClick={() => toggle(value)}
              >
                <span className="pb-Facet-tick" aria-hidden="true">
                  {chosen.includes(value) ? '✓' : ''}
                </span>
                {value}
              </li>
            ))}
          </ul>
          <div className="pb-Facet-note" role="status">
            {noteOf(offered)}
            {offered.status === 'failed' && (
              <button type="button" className="pb-Link" onClick={() => setAttempt(attempt + 1)}>
                {trans.__('Retry')}
              </button>
            )}
          </div>
        </div>
      )}
    </div>
  );
}

function noteOf(offered: Offered): string {
  if (offered.status === 'loading') {
    return trans.__('Looking for values …');
  }
  if (offered.status === 'failed') {
    return `${offered.error.message} `;
  }
  const { values, capped } = offered.found;
  if (values.length === 0) {
    return offered.prefix
      ? trans.__('No value begins with %1.', offered.prefix)
      : trans.__('No values: nothing is found.');
  }
  return capped ? trans.__('The first %1; type to narrow.', values.length) : '';
}

/** Values as somebody writes or pastes them, several with commas or spaces between. */
export function parse(text: string, type: FacetDimension['type']): Value[] {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  return type === 'str' ? words : words.filter(word => /^\d+$/.test(word)).map(Number);
}
