/**
 * Snippets that a person writes down in the settings: Python with named gaps, and what it is for.
 */

import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';

import { dictionary, keywords, literal } from '../../python/literals';
import { balance } from '../../python/tokens';
import { trans } from '../../trans';
import { collectionsArgument, nameFor, needsValidity, onlyDataset, Target, uuidSource } from './target';
import type { ICode, ISnippet, ISnippetContext } from './types';

/** A snippet as it stands in the settings. */
interface ITemplate {
  readonly label: string;
  readonly storageClass: string;
  readonly datasetType: string;
  readonly imports: readonly string[];
  readonly code: string;
  readonly expression: string | null;
}

/** What a gap is filled with; null where that has no meaning for what is selected. */
type Filler = (context: ISnippetContext) => string | null;

/** The gaps that a template may have. */
export const PLACEHOLDERS: Readonly<Record<string, Filler>> = {
  butler: ({ butler }) => butler,
  name: context => nameFor(context),
  dataset_type: ({ selection }) => literal(selection.datasetType.name),
  storage_class: ({ selection }) => literal(selection.datasetType.storage_class),
  collection: ({ selection }) => literal(selection.collection.name),
  get: context =>
    ofOne(context, dataset => new Target({ ...context, form: 'expression' }, dataset).expression()),
  ref: context => ofOne(context, dataset => `${context.butler}.get_dataset(${uuidSource(dataset)})`),
  id: context => ofOne(context, dataset => literal(dataset.id)),
  run: context => ofOne(context, dataset => literal(dataset.run)),
  data_id: context => ofOne(context, dataset => dictionary(dataset.data_id)),
  // A data ID alone does not name one of several calibrations.
  keywords: context =>
    needsValidity(context.selection)
      ? null
      : ofOne(context, dataset => [...keywords(dataset.data_id), ...collectionsArgument(context)].join(', ')),
  refs: context => ofAll(context, dataset => `${context.butler}.get_dataset(${uuidSource(dataset)})`),
  ids: context => ofAll(context, dataset => literal(dataset.id)),
  data_ids: context => ofAll(context, dataset => dictionary(dataset.data_id))
};

type Dataset = ISnippetContext['selection']['datasets'][number];

function ofOne({ selection }: ISnippetContext, write: (dataset: Dataset) => string): string | null {
  const dataset = onlyDataset(selection);
  return dataset && write(dataset);
}

function ofAll({ selection }: ISnippetContext, write: (dataset: Dataset) => string): string | null {
  return selection.datasets.length > 0 ? `[${selection.datasets.map(write).join(', ')}]` : null;
}

const GAP = /\$(?:\{(?<name>[^}]*)\}|\$)/g;

/**
 * Read the snippets of the settings.
 *
 * @returns those that can be used, and for each of the others one sentence that says what is wrong with it.
 */
export function readTemplates(value: ReadonlyPartialJSONValue | undefined): {
  readonly snippets: ISnippet[];
  readonly problems: string[];
} {
  const snippets: ISnippet[] = [];
  const problems: string[] = [];
  const labels = new Set<string>();
  for (const [index, item] of (Array.isArray(value) ? value : []).entries()) {
    const template = complete(item);
    const problem = labels.has(template.label)
      ? trans.__('there is another one of this name')
      : problemOf(template);
    labels.add(template.label);
    if (problem === null) {
      snippets.push(snippetOf(template));
    } else {
      const name = template.label === '' ? trans.__('Snippet %1', index + 1) : `“${template.label}”`;
      problems.push(trans.__('%1 cannot be used: %2.', name, problem));
    }
  }
  return { snippets, problems };
}

function complete(item: unknown): ITemplate {
  const fields = typeof item === 'object' && item !== null ? (item as Record<string, unknown>) : {};
  const text = (name: string): string => {
    const field = fields[name];
    return typeof field === 'string' ? field : '';
  };
  const { imports, expression } = fields;
  return {
    label: text('label').trim(),
    storageClass: text('storageClass') || '*',
    datasetType: text('datasetType') || '*',
    imports: Array.isArray(imports) ? imports.map(String) : [],
    code: text('code').trimEnd(),
    expression: typeof expression === 'string' && expression !== '' ? expression : null
  };
}

/** What is wrong with a template, to be read after a colon; null if nothing is. */
function problemOf({ label, imports, code, expression }: ITemplate): string | null {
  if (label === '') {
    return trans.__('it has no label');
  }
  if (code.trim() === '') {
    return trans.__('it has no code');
  }
  const known = Object.keys(PLACEHOLDERS);
  for (const [, name] of [...code.matchAll(GAP), ...(expression ?? '').matchAll(GAP)]) {
    if (name !== undefined && !known.includes(name)) {
      return trans.__('there is no placeholder ${%1}; there are %2', name, known.join(', '));
    }
  }
  const wrong = imports.find(line => !/^(import|from)\s+\w/.test(line));
  if (wrong !== undefined) {
    return trans.__('%1 is no import statement', wrong);
  }
  for (const part of [code, expression ?? '']) {
    const open = balance(part);
    if (open !== null) {
      return trans.__('the bracket %1 in its code has no counterpart', open);
    }
  }
  return null;
}

function snippetOf(template: ITemplate): ISnippet {
  const storageClass = pattern(template.storageClass);
  const datasetType = pattern(template.datasetType);
  return {
    id: `settings:${template.label}`,
    label: template.label,
    icon: 'ui-components:code',
    get group() {
      return trans.__('My snippets');
    },
    getCode: (context): ICode | null => {
      const { datasetType: type } = context.selection;
      const source = context.form === 'cell' ? template.code : template.expression;
      if (source === null || !storageClass.test(type.storage_class) || !datasetType.test(type.name)) {
        return null;
      }
      const body = fill(source, context);
      return body === null
        ? null
        : { imports: needed(template.imports, body), body, needsButler: mentions(body, context.butler) };
    }
  };
}

/** Code with its gaps filled; null if one of them has no meaning here. */
function fill(source: string, context: ISnippetContext): string | null {
  const fillings = new Map<string, string>();
  for (const [, name] of source.matchAll(GAP)) {
    if (name !== undefined) {
      const filling = PLACEHOLDERS[name]?.(context) ?? null;
      if (filling === null) {
        return null;
      }
      fillings.set(name, filling);
    }
  }
  return source.replace(GAP, (_, name?: string) => (name === undefined ? '$' : (fillings.get(name) ?? '')));
}

/** The imports that a person wrote, and those that the fillings need. */
function needed(imports: readonly string[], body: string): string[] {
  return [...imports, ...(mentions(body, 'uuid') ? ['import uuid'] : [])];
}

function mentions(body: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(body);
}

/** A pattern of names with `*` and `?`; several are separated by commas. */
function pattern(text: string): RegExp {
  const parts = text.split(',').map(part =>
    part
      .trim()
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')
  );
  return new RegExp(`^(${parts.join('|')})$`);
}
