import { type ReactElement, useId } from 'react';

import type { PruneRule } from '../api';
import { trans } from '../trans';

/** What a person says of what is to be pruned, as it is written. */
export interface IPruneWishes {
  readonly label: string;
  readonly age: string;
  readonly unit: 'd' | 'w' | 'y';
  readonly keep: string;
  readonly collections: string;
  readonly datasetTypes: string;
  readonly evenNewest: boolean;
  readonly evenTagged: boolean;
  readonly pinned: boolean;
}

/** Where one begins: old versions, of which a few are kept. */
export function usualWishes(label: string): IPruneWishes {
  return {
    label,
    age: '',
    unit: 'd',
    keep: '3',
    collections: '',
    datasetTypes: '',
    evenNewest: false,
    evenTagged: false,
    pinned: false
  };
}

/** The rule that was written, or null if it says too little or makes no sense. */
export function ruleOf(wishes: IPruneWishes): PruneRule | null {
  const age = wishes.age.trim();
  const keep = wishes.keep.trim();
  const isAge = /^\d+(\.\d+)?$/.test(age);
  const isCount = /^\d+$/.test(keep);
  const least = wishes.evenNewest ? 0 : 1;
  if ((age !== '' && !isAge) || (keep !== '' && (!isCount || Number(keep) < least)) || (!isAge && !isCount)) {
    return null;
  }
  return {
    older_than: isAge ? `${age}${wishes.unit}` : null,
    keep_versions: isCount ? Number(keep) : null,
    collections: patterns(wishes.collections),
    dataset_types: patterns(wishes.datasetTypes),
    even_newest: wishes.evenNewest,
    even_tagged: wishes.evenTagged,
    pinned: wishes.pinned
  };
}

function patterns(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

export interface IPruneFormProps {
  readonly wishes: IPruneWishes;
  /** Labels of the personal repositories that there are. */
  readonly labels: readonly string[];
  readonly onChange: (wishes: IPruneWishes) => void;
}

/** What is to be pruned: all that every condition applies to. */
export function PruneForm({ wishes, labels, onChange }: IPruneFormProps): ReactElement {
  const id = useId();
  const set = (change: Partial<IPruneWishes>): void => onChange({ ...wishes, ...change });
  return (
    <div className="pb-PruneForm">
      {labels.length > 1 && (
        <>
          <label htmlFor={`${id}label`}>{trans.__('Personal repository')}</label>
          <select
            id={`${id}label`}
            className="jp-mod-styled"
            value={wishes.label}
            onChange={event => set({ label: event.target.value })}
          >
            {labels.map(label => (
              <option key={label} value={label}>
                {label}
              </option>
            ))}
          </select>
        </>
      )}
      <label htmlFor={`${id}keep`}>{trans.__('Newer versions there must be, at least')}</label>
      <input
        id={`${id}keep`}
        className="jp-mod-styled"
        type="number"
        min={wishes.evenNewest ? 0 : 1}
        value={wishes.keep}
        placeholder={trans.__('any')}
        onChange={event => set({ keep: event.target.value })}
      />
      <label htmlFor={`${id}age`}>{trans.__('Older than')}</label>
      <span className="pb-PruneForm-age">
        <input
          id={`${id}age`}
          className="jp-mod-styled"
          type="number"
          min={0}
          value={wishes.age}
          placeholder={trans.__('any')}
          onChange={event => set({ age: event.target.value })}
        />
        <select
          className="jp-mod-styled"
          aria-label={trans.__('Unit of the age')}
          value={wishes.unit}
          onChange={event => set({ unit: event.target.value as IPruneWishes['unit'] })}
        >
          <option value="d">{trans.__('days')}</option>
          <option value="w">{trans.__('weeks')}</option>
          <option value="y">{trans.__('years')}</option>
        </select>
      </span>
      <label htmlFor={`${id}collections`}>{trans.__('Only in runs or names')}</label>
      <input
        id={`${id}collections`}
        className="jp-mod-styled"
        type="text"
        value={wishes.collections}
        placeholder={trans.__('all of mine; patterns such as u/me/tests/*')}
        onChange={event => set({ collections: event.target.value })}
      />
      <label htmlFor={`${id}types`}>{trans.__('Only dataset types')}</label>
      <input
        id={`${id}types`}
        className="jp-mod-styled"
        type="text"
        value={wishes.datasetTypes}
        placeholder={trans.__('all; patterns such as test_*')}
        onChange={event => set({ datasetTypes: event.target.value })}
      />
      <span className="pb-PruneForm-checks">
        {(
          [
            ['evenNewest', trans.__('Even the newest version')],
            ['evenTagged', trans.__('Even what is tagged, certified or in another chain')],
            ['pinned', trans.__('Copies of official datasets, too')]
          ] as const
        ).map(([name, text]) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={wishes[name]}
              onChange={event => set({ [name]: event.target.checked })}
            />
            {text}
          </label>
        ))}
      </span>
    </div>
  );
}
