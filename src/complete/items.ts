/**
 * From what is wanted at a place to what may be put there.
 */

import type { CompletionQuestion } from '../api';
import { completeColumn, completeWhere, type IWhereCompletion } from '../model';
import { trans } from '../trans';
import type { IPlaceToComplete, Want } from './context';
import type { IButlerInCode, IWord, Words } from './words';

/** One thing that may be put at the place. */
export interface IItem {
  readonly label: string;
  readonly insertText: string;
  /** What kind of word it is, in one word. */
  readonly type: string;
  readonly documentation?: string;
}

/** What may be put at a place, and where exactly. */
export interface IItems {
  /** Where what is begun begins, in the code. */
  readonly from: number;
  readonly items: readonly IItem[];
}

/**
 * Find what may be put at a place.
 *
 * @param butler - The one that the place is about, and the collections it searches if none are named.
 */
export async function itemsAt(
  place: IPlaceToComplete,
  butler: IButlerInCode & { readonly collections: readonly string[] },
  words: Words
): Promise<IItems> {
  const { want, begun, from } = place;
  const ask = (question: CompletionQuestion): Promise<IWord[]> => words.complete(butler, question);
  switch (want.kind) {
    case 'repository': {
      const labels = new Set((await words.repositories()).map(({ label }) => label));
      return { from, items: [...labels].map(label => item(label, trans.__('repository'))) };
    }
    case 'collection':
      return { from, items: named(await ask({ what: 'collection', prefix: begun }), trans.__('collection')) };
    case 'dataset_type': {
      const collections = want.collections ?? butler.collections;
      const found = await ask({ what: 'dataset_type', prefix: begun, collections });
      return { from, items: named(found, trans.__('dataset type')) };
    }
    case 'dimension':
      return { from, items: await dimensions(want, begun, butler, words) };
    case 'value': {
      const isText = (await words.vocabulary(butler))?.elements.find(
        ({ name }) => name === want.column
      )?.key_type;
      if (isText !== 'string' && isText !== 'int') {
        return { from, items: [] };
      }
      const { column, dataId } = want;
      const found = await ask({ what: 'value', prefix: begun, column, dataId });
      return { from, items: values(found, want.quoted || isText === 'int' ? '' : '"') };
    }
    default:
      return inExpression(want, place, butler, words);
  }
}

async function dimensions(
  want: Extract<Want, { kind: 'dimension' }>,
  begun: string,
  butler: IButlerInCode,
  words: Words
): Promise<IItem[]> {
  const vocabulary = await words.vocabulary(butler);
  const elements = (vocabulary?.elements ?? []).filter(element => element.is_dimension);
  const own = want.datasetType === null ? null : await dimensionsOf(want.datasetType, butler, words);
  // What follows from the dimensions of a dataset type, as the band does from a visit, is no part of its data ID.
  return elements
    .filter(({ name }) => (own === null || own.includes(name)) && !want.taken.includes(name))
    .filter(({ name }) => name.startsWith(begun))
    .map(({ name, doc }) => item(want.style === 'keyword' ? `${name}=` : name, trans.__('dimension'), doc));
}

/** Required dimensions of a dataset type; null if it is not known. */
async function dimensionsOf(
  name: string,
  butler: IButlerInCode,
  words: Words
): Promise<readonly string[] | null> {
  const found = await words.complete(butler, { what: 'dataset_type', prefix: name, collections: [] });
  return found.find(({ value }) => value === name)?.dimensions ?? null;
}

async function inExpression(
  want: Extract<Want, { kind: 'where' | 'order_by' }>,
  { begun, from }: IPlaceToComplete,
  butler: IButlerInCode,
  words: Words
): Promise<IItems> {
  const vocabulary = await words.vocabulary(butler);
  if (!vocabulary) {
    return { from, items: [] };
  }
  const own = want.datasetType === null ? null : await dimensionsOf(want.datasetType, butler, words);
  const scope = {
    bind: want.bind,
    ...(own ? { dimensions: own } : {}),
    ...(want.datasetType === null ? {} : { datasetTypes: [want.datasetType] })
  };
  const complete = want.kind === 'where' ? completeWhere : completeColumn;
  const found: IWhereCompletion = complete(begun, begun.length, vocabulary, scope);
  const items = found.words.map(({ text, kind, detail, doc }) => item(text, detail || kindName(kind), doc));
  if (found.values) {
    const { column, prefix, quoted } = found.values;
    const dataId = {};
    const known = await words.complete(butler, { what: 'value', prefix, column, dataId });
    items.unshift(...values(known, quoted ? "'" : ''));
  }
  return { from: from + found.from, items };
}

function kindName(kind: IWhereCompletion['words'][number]['kind']): string {
  switch (kind) {
    case 'dimension':
      return trans.__('dimension');
    case 'field':
      return trans.__('field');
    case 'function':
      return trans.__('function');
    case 'operator':
      return trans.__('operator');
    case 'bind':
      return trans.__('bound value');
    case 'value':
      return trans.__('value');
  }
}

function named(found: readonly IWord[], type: string): IItem[] {
  return found.map(({ value, note, dimensions: own }) =>
    item(String(value), type, [note, own.join(', ')].filter(part => part !== '').join(' · '))
  );
}

function values(found: readonly IWord[], quote: string): IItem[] {
  return found.map(({ value }) => item(`${quote}${value}${quote}`, trans.__('value')));
}

function item(text: string, type: string, documentation = ''): IItem {
  return { label: text, insertText: text, type, ...(documentation === '' ? {} : { documentation }) };
}
