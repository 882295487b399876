import { type ReactElement, useId, useState } from 'react';

export interface IFieldProps {
  readonly label: string;
  /** What is applied now, as text. */
  readonly value: string;
  readonly placeholder?: string;
  /** What is wrong with what was tried last; empty if nothing. */
  readonly problem?: string;
  /** A number or so: no wider than it needs. */
  readonly isShort?: boolean;
  readonly help?: string;
  /** Take what was written; what does not change anything is not told. */
  readonly onCommit: (text: string) => void;
}

/** One line to write into, taken with Enter or by leaving it. */
export function Field(props: IFieldProps): ReactElement {
  const { label, value, placeholder, problem, isShort, help, onCommit } = props;
  const id = useId();
  const [draft, setDraft] = useState<string | null>(null);
  const [applied, setApplied] = useState(value);
  if (applied !== value) {
    // What somebody else applied takes the place of what was being written.
    setApplied(value);
    setDraft(null);
  }
  const commit = (): void => {
    if (draft !== null && draft.trim() !== value.trim()) {
      onCommit(draft.trim());
    }
  };
  return (
    <div
      className={`pb-QueryField${isShort ? ' pb-mod-short' : ''}`}
      data-invalid={problem ? true : undefined}
    >
      <label className="pb-Query-label" htmlFor={id}>
        {label}
      </label>
      <input
        id={id}
        className="pb-QueryField-input"
        value={draft ?? value}
        placeholder={placeholder}
        title={help}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-problem` : undefined}
        onChange={event => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            commit();
          } else if (event.key === 'Escape' && draft !== null) {
            setDraft(null);
            event.stopPropagation();
          }
        }}
      />
      {problem && (
        <div id={`${id}-problem`} className="pb-QueryField-problem" role="alert">
          {problem}
        </div>
      )}
    </div>
  );
}
