import type { ReactElement } from 'react';

import type { Provenance, ProvenanceNode } from '../../api';
import { trans } from '../../trans';
import { type IViewerActions, keyOfNode } from '../actions';

type Maker = NonNullable<Provenance['maker']>;

export interface IStoryProps {
  readonly step: Provenance;
  /** Of the repository. */
  readonly label: string;
  readonly actions: IViewerActions;
}

/** Packages that matter most, in this order; the others follow by name. */
const FIRST = ['lsst_distrib', 'lsst', 'python-butler', 'numpy', 'astropy'];

/** How a dataset was made, in words: what was recorded, by whom, and what was not. */
export function Story({ step, label, actions }: IStoryProps): ReactElement {
  const { maker, tasks, packages } = step;
  const link = (node: ProvenanceNode | null, words: string): ReactElement | null => {
    const key = node && keyOfNode(label, node);
    return (
      key && (
        <button type="button" className="pb-Link" onClick={() => actions.open(key)}>
          {words}
        </button>
      )
    );
  };
  return (
    <div className="pb-Story">
      <p>{howKnown(step)}</p>
      {maker && maker.time !== '' && (
        <p>
          {maker.task === ''
            ? trans.__('Stored %1 UTC', timeOf(maker))
            : trans.__('Made by the task %1 at %2 UTC', maker.task, timeOf(maker))}
          {maker.user !== '' && ` ${trans.__('by %1', maker.user)}`}
          {maker.notebook !== '' && `, ${trans.__('from %1', maker.notebook)}`}
          {maker.notebook === '' &&
            maker.program !== '' &&
            `, ${trans.__('by the program %1', maker.program)}`}
          {maker.python !== '' && `, ${trans.__('with Python %1', maker.python)}`}.
          {maker.doc !== '' && ` ${maker.doc}`}
        </p>
      )}
      {maker?.quantum && (
        <p>
          {trans.__('Quantum')} <code className="pb-Identifier">{maker.quantum}</code>
        </p>
      )}
      {maker && maker.code !== '' && (
        <details className="pb-Record">
          <summary>
            {maker.execution === null
              ? trans.__('The code that ran')
              : trans.__('The code of cell [%1]', maker.execution)}
          </summary>
          <pre className="pb-Contents-text">{maker.code}</pre>
        </details>
      )}
      {maker && maker.configuration !== '' && (
        <details className="pb-Record">
          <summary>{trans.__('Configuration of the task %1', maker.task_class)}</summary>
          <pre className="pb-Contents-text">{maker.configuration}</pre>
        </details>
      )}
      {maker && Object.keys(maker.software).length > 0 && <Software software={maker.software} />}
      {tasks.length > 0 && (
        <>
          <p>
            {tasks.length === 1
              ? trans.__('One task left traces in its run for this data ID:')
              : trans.__(
                  'Tasks that left traces in its run for this data ID; which of them wrote it is not recorded:'
                )}
          </p>
          <ul className="pb-Story-tasks">
            {tasks.map(task => (
              <li key={task.label}>
                <span className="pb-mod-strong">{task.label}</span>
                {!task.same_dimensions && (
                  <span className="pb-mod-faint"> {trans.__('(for a part of the data ID)')}</span>
                )}{' '}
                {link(task.metadata, trans.__('metadata'))} {link(task.log, trans.__('log'))}
              </li>
            ))}
          </ul>
        </>
      )}
      {packages && <p>{link(packages, trans.__('Versions of the software of this run'))}</p>}
    </div>
  );
}

function timeOf({ time }: Maker): string {
  return time.replace('T', ' ').slice(0, 19);
}

function howKnown({ sources, inputs, inputs_are, inputs_left_out, outputs }: Provenance): string {
  const made =
    outputs.length > 0
      ? ` ${trans._n('%1 of your datasets was made from it.', '%1 of your datasets were made from it.', outputs.length)}`
      : '';
  const count = inputs.length + inputs_left_out;
  if (sources.length === 0) {
    return trans.__('Nobody recorded what this dataset was made from.') + made;
  }
  if (count === 0) {
    return trans.__('No inputs were recorded.') + made;
  }
  switch (inputs_are) {
    case 'given':
      return (
        trans._n(
          'Made from %1 dataset, named by its author.',
          'Made from %1 datasets, named by its author.',
          count
        ) + made
      );
    case 'read before':
      return (
        trans._n(
          'The same process had read %1 dataset before it was stored.',
          'The same process had read %1 datasets before it was stored.',
          count
        ) + made
      );
    case 'recorded':
      return (
        trans._n(
          'Made from %1 dataset, as its file records.',
          'Made from %1 datasets, as its file records.',
          count
        ) + made
      );
    case 'contributing':
      return (
        trans._n(
          'Pixels of %1 image went into it. Its file names visits and detectors, not files: the images of this release are shown for them.',
          'Pixels of %1 images went into it. Its file names visits and detectors, not files: the images of this release are shown for them.',
          count
        ) + made
      );
  }
}

function Software({ software }: { readonly software: Readonly<Record<string, string>> }): ReactElement {
  const rank = (name: string): number => {
    const index = FIRST.findIndex(first => name.startsWith(first));
    return index < 0 ? FIRST.length : index;
  };
  const names = Object.keys(software).sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  return (
    <details className="pb-Record">
      <summary>{trans._n('%1 package', 'Versions of %1 packages', names.length)}</summary>
      <dl className="pb-Fields pb-Story-software">
        {names.map(name => (
          <div className="pb-Field" key={name}>
            <dt>{name}</dt>
            <dd>{software[name]}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
