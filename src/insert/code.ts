/**
 * From a selection to code: the right snippet, the right butler, imports where they belong.
 */

import type { IDatasetSelection } from '../model';
import {
  snippetsFor as allSnippets,
  type IChoice,
  type ICode,
  type ISnippet,
  type ISnippetContext
} from './snippets';
import { chooseButler, NOWHERE, type IButlerSource, type IPlace } from './source';

/** What to write, apart from where. */
export interface ICodeOptions {
  /** Identifier of a snippet; the default is the first that applies. */
  readonly snippet?: string;
  readonly choice?: IChoice;
  /** Whether official data, too, is to be read through `python_butler`. */
  readonly preferPythonButler?: boolean;
  /** Snippets that are not our own. */
  readonly others?: readonly ISnippet[];
}

/** An expression, and what the cell it stands in must say first. */
export interface IExpression {
  readonly text: string;
  /** Whole lines, or nothing. */
  readonly preamble: string;
}

/** The snippets that apply to a selection, the default first. */
export function snippetsFor(selection: IDatasetSelection, others: readonly ISnippet[] = []): ISnippet[] {
  const context = contextFor(selection, 'cell', NOWHERE, chooseButler(selection, NOWHERE), {});
  return [...allSnippets(selection), ...others].filter(snippet => codeOf(snippet, context) !== null);
}

/**
 * A complete cell, which ends in something that shows a result.
 *
 * @returns null if the snippet does not apply to the selection.
 */
export function cellFor(
  selection: IDatasetSelection,
  place: IPlace = NOWHERE,
  options: ICodeOptions = {}
): string | null {
  const source = chooseButler(selection, place, options.preferPythonButler);
  const code = codeFor(selection, 'cell', place, source, options);
  if (!code) {
    return null;
  }
  const { imports, setup } = needs(code, source);
  const [standard, others] = sortImports(imports);
  return [standard.join('\n'), others.join('\n'), [...setup, code.body].join('\n')]
    .filter(part => part !== '')
    .join('\n\n');
}

/**
 * An expression for the inside of a cell.
 *
 * @returns null if the snippet is none, or does not apply to the selection.
 */
export function expressionFor(
  selection: IDatasetSelection,
  place: IPlace = NOWHERE,
  options: ICodeOptions = {}
): IExpression | null {
  const source = chooseButler(selection, place, options.preferPythonButler);
  const code = codeFor(selection, 'expression', place, source, options);
  if (!code) {
    return null;
  }
  const { imports, setup } = needs(code, source);
  const [standard, others] = sortImports(imports.filter(line => !place.names.imports.has(line)));
  const preamble = [...standard, ...others, ...setup].map(line => `${line}\n`).join('');
  return { text: code.body, preamble };
}

function codeFor(
  selection: IDatasetSelection,
  form: ISnippetContext['form'],
  place: IPlace,
  source: IButlerSource,
  options: ICodeOptions
): ICode | null {
  const context = contextFor(selection, form, place, source, options);
  for (const snippet of [...allSnippets(selection), ...(options.others ?? [])]) {
    if (options.snippet === undefined || snippet.id === options.snippet) {
      const code = codeOf(snippet, context);
      if (code) {
        return code;
      }
    }
  }
  return null;
}

/** What a snippet gives; one of another extension that fails must not keep the others from a menu. */
function codeOf(snippet: ISnippet, context: ISnippetContext): ICode | null {
  try {
    return snippet.getCode(context);
  } catch (reason) {
    // For its author: nothing that the person at the notebook could do about it.
    // eslint-disable-next-line no-console
    console.error(`The snippet ${snippet.id} failed.`, reason);
    return null;
  }
}

function contextFor(
  selection: IDatasetSelection,
  form: ISnippetContext['form'],
  place: IPlace,
  source: IButlerSource,
  options: ICodeOptions
): ISnippetContext {
  const { variable: butler, collection } = source;
  const taken = new Set([...place.names.taken, butler]);
  return { selection, choice: options.choice ?? {}, form, butler, collection, taken };
}

function needs(code: ICode, source: IButlerSource): { imports: string[]; setup: readonly string[] } {
  return code.needsButler === false
    ? { imports: [...code.imports], setup: [] }
    : { imports: [...source.imports, ...code.imports], setup: source.setup };
}

/** Modules of the standard library that snippets use. */
const STANDARD: ReadonlySet<string> = new Set(['io', 'uuid']);

/** Without doubles, the standard library first, each group by module. */
function sortImports(imports: readonly string[]): [string[], string[]] {
  const module = (line: string): string => line.split(' ')[1] ?? '';
  const sorted = [...new Set(imports)].sort((a, b) => module(a).localeCompare(module(b)));
  return [
    sorted.filter(line => STANDARD.has(module(line))),
    sorted.filter(line => !STANDARD.has(module(line)))
  ];
}
