/**
 * From a selection to code: the right snippet, the right butler, imports where they belong.
 */

import type { IDatasetSelection } from '../model';
import { snippetsOf, type IChoice, type ICode, type ISnippet, type ISnippetContext } from './snippets';
import { chooseButler, NOWHERE, type IButlerSource, type IPlace } from './source';

/** What to write, apart from where. */
export interface ICodeOptions {
  /** Identifier of a snippet; the default is the first that applies. */
  readonly snippet?: string;
  readonly choice?: IChoice;
  /** Whether official data, too, is to be read through `python_butler`. */
  readonly preferPythonButler?: boolean;
}

/** An expression, and what the cell it stands in must say first. */
export interface IExpression {
  readonly text: string;
  /** Whole lines, or nothing. */
  readonly preamble: string;
}

/** The snippets that apply to a selection, the default first. */
export function snippetsFor(selection: IDatasetSelection): ISnippet[] {
  const context = contextFor(selection, 'cell', NOWHERE, chooseButler(selection, NOWHERE), {});
  return snippetsOf(selection.datasetType).filter(snippet => snippet.getCode(context) !== null);
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
  for (const snippet of snippetsOf(selection.datasetType)) {
    if (options.snippet === undefined || snippet.id === options.snippet) {
      const code = snippet.getCode(context);
      if (code) {
        return code;
      }
    }
  }
  return null;
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

/** Without doubles, the standard library first, each group by module. */
function sortImports(imports: readonly string[]): [string[], string[]] {
  const module = (line: string): string => line.split(' ')[1] ?? '';
  const sorted = [...new Set(imports)].sort((a, b) => module(a).localeCompare(module(b)));
  return [sorted.filter(line => module(line) === 'uuid'), sorted.filter(line => module(line) !== 'uuid')];
}
