/**
 * Which butler the code reads from: a variable the notebook has, or one made by a constructor.
 */

import type { IDatasetSelection } from '../model';
import { freeName, keywords, statement } from '../python/literals';
import type { IButlerVariable, INames } from '../python/butlers';

/** What is known about the place that code goes to. */
export interface IPlace {
  /** Names bound by the code cells above the place. */
  readonly names: INames;
  /** Butlers that the kernel has now, if it could be asked. */
  readonly kernel: readonly IButlerVariable[];
}

/** A place about which nothing is known, such as the clipboard. */
export const NOWHERE: IPlace = {
  names: { butlers: [], taken: new Set(), imports: new Set(), usesPythonButler: false },
  kernel: []
};

/** A butler to read from. */
export interface IButlerSource {
  readonly variable: string;
  /** Statements that must run first; empty if the notebook has the variable already. */
  readonly imports: readonly string[];
  readonly setup: readonly string[];
  /** The collection to name in each call, or null if the butler's default is the right one. */
  readonly collection: string | null;
}

/**
 * Choose the butler for a selection.
 *
 * @param preferPythonButler - Whether official data, too, is to be read through `python_butler`; if not
 *     given, whether the notebook already uses it.
 */
export function chooseButler(
  selection: IDatasetSelection,
  place: IPlace,
  preferPythonButler?: boolean
): IButlerSource {
  const collection = selection.collection.name;
  const known = [...place.names.butlers, ...place.kernel].filter(butler => canRead(butler, selection));
  // The last one that needs no more words, else the last one: what was done last is what is meant.
  const fitting = known.filter(({ collections }) => collections?.[0] === collection);
  const butler = fitting.at(-1) ?? known.at(-1);
  if (butler) {
    const isDefault = butler.collections?.[0] === collection;
    return { variable: butler.name, imports: [], setup: [], collection: isDefault ? null : collection };
  }

  const { label, kind } = selection.repository;
  const taken = new Set([...place.names.taken, ...place.kernel.map(({ name }) => name)]);
  const variable = taken.has('butler') ? freeName(`butler_${label.replace(/\W/g, '_')}`, taken) : 'butler';
  const both = (preferPythonButler ?? place.names.usesPythonButler) || kind === 'personal';
  return {
    variable,
    imports: [both ? 'import python_butler' : 'from lsst.daf.butler import Butler'],
    setup: [
      statement(`${variable} = `, both ? 'python_butler.open' : 'Butler', [
        JSON.stringify(label),
        ...keywords({ collections: collection })
      ])
    ],
    collection: null
  };
}

function canRead(butler: IButlerVariable, { repository }: IDatasetSelection): boolean {
  if (repository.kind === 'personal') {
    return (
      (butler.reads === 'both' && butler.label === repository.label) || butler.label === repository.location
    );
  }
  return butler.label === repository.label;
}
