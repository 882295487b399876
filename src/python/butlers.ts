/**
 * Finding the butlers of a notebook in its text: which variables hold one, of which repository, with
 * which default collections.
 */

import { isPython, tokenize, type IToken } from './tokens';

/** A variable that holds a butler. */
export interface IButlerVariable {
  readonly name: string;
  /** Label or location the butler was opened with. */
  readonly label: string;
  /** Whether it reads the official repository alone, or together with its satellite. */
  readonly reads: 'official' | 'both';
  /** Default collections in search order; null if they are not known. */
  readonly collections: readonly string[] | null;
}

/** What the text of some code cells defines. */
export interface INames {
  /** Butlers still bound at the end, in the order of their assignments. */
  readonly butlers: readonly IButlerVariable[];
  /** Every name bound at the top level. */
  readonly taken: ReadonlySet<string>;
  /** Statements that import, as written but for white space. */
  readonly imports: ReadonlySet<string>;
  readonly usesPythonButler: boolean;
}

type Value = string | readonly string[];

/**
 * Read code cells from top to bottom.
 */
export function readNames(sources: readonly string[]): INames {
  const reader = new Reader();
  for (const source of sources) {
    if (isPython(source)) {
      reader.read(tokenize(source));
    }
  }
  // A plain object: what spreads it must get the butlers too.
  const { butlers, taken, imports, usesPythonButler } = reader;
  return { butlers, taken, imports, usesPythonButler };
}

class Reader implements INames {
  readonly taken = new Set<string>();
  readonly imports = new Set<string>();
  usesPythonButler = false;

  get butlers(): IButlerVariable[] {
    return [...this._butlers.values()];
  }

  read(tokens: readonly IToken[]): void {
    let local = Infinity;
    for (const words of statements(tokens)) {
      const [first] = words;
      if (!first || first.indent > local) {
        continue;
      }
      // What a function's or a class's body binds is not there for the next cell.
      const definition = words.slice(0, 2).find(word => word.text === 'def' || word.text === 'class');
      local = definition ? first.indent : Infinity;
      if (first.text === 'import' || first.text === 'from') {
        this._import(words);
      } else if (first.text === 'del') {
        words.slice(1).forEach(word => this._forget(word.text));
      } else if (definition) {
        this._bind(words[words.indexOf(definition) + 1]?.text ?? '');
      } else {
        this._assign(words);
      }
    }
  }

  private _import(words: readonly IToken[]): void {
    const texts = words.map(word => word.text).filter(text => text !== '(' && text !== ')');
    this.imports.add(texts.join(' ').replace(/ ([.,]) ?/g, (_, mark: string) => (mark === '.' ? '.' : ', ')));
    const split = texts[0] === 'from' ? texts.indexOf('import') : 0;
    const module = texts.slice(1, split).join('');
    for (const item of splitAt(texts.slice(split + 1), text => text === ',')) {
      const alias = item.indexOf('as');
      const path = (alias < 0 ? item : item.slice(0, alias)).join('');
      const full = module ? `${module}.${path}` : path;
      const name = alias < 0 ? (path.split('.')[0] ?? '') : (item[alias + 1] ?? '');
      this._bind(name);
      this._meanings.set(name, alias < 0 && !module ? name : full);
      this.usesPythonButler ||= full.split('.')[0] === 'python_butler';
    }
  }

  private _assign(words: readonly IToken[]): void {
    const equals = words.findIndex(word => word.kind === 'operator' && word.text === '=');
    const targets = words.slice(0, Math.max(equals, 0));
    const [target, colon] = targets;
    if (target?.kind !== 'name' || (colon && colon.text !== ':' && colon.text !== ',')) {
      return;
    }
    if (colon?.text === ',') {
      targets.filter(word => word.kind === 'name').forEach(word => this._bind(word.text));
      return;
    }
    const expression = words.slice(equals + 1);
    const butler = this._butler(target.text, expression);
    const value = this._value(expression);
    this._bind(target.text);
    if (butler) {
      this._butlers.set(target.text, butler);
    }
    if (value !== null) {
      this._values.set(target.text, value);
    }
  }

  /** The butler an expression makes, or null if it makes something else. */
  private _butler(name: string, words: readonly IToken[]): IButlerVariable | null {
    const open = words.findIndex(word => word.text === '(' && word.kind === 'operator');
    if (open < 1 || closing(words, open) !== words.length - 1) {
      return null;
    }
    const [head = '', ...attributes] = words
      .slice(0, open)
      .map(word => word.text)
      .join('')
      .split('.');
    const args = readArguments(words.slice(open + 1, -1));
    const asked = args.get('collections');
    const given = asked && this._value(asked);
    const collections = given ? [given].flat() : asked ? null : undefined;

    const original = this._butlers.get(head);
    if (original && attributes.join('.') === 'clone') {
      return {
        ...original,
        name,
        collections: collections === undefined ? original.collections : collections
      };
    }
    const callable = [this._meanings.get(head) ?? head, ...attributes].join('.');
    const label = this._value(args.get('0') ?? args.get('config') ?? args.get('label') ?? []);
    if (typeof label !== 'string') {
      return null;
    }
    if (/(^|\.)Butler(\.from_config)?$/.test(callable)) {
      return { name, label, reads: 'official', collections: collections === undefined ? [] : collections };
    }
    if (/^python_butler\.open$/.test(callable)) {
      return { name, label, reads: 'both', collections: collections ?? null };
    }
    return null;
  }

  /** Value of an expression that is a string or some strings, or the name of such; else null. */
  private _value(words: readonly IToken[]): Value | null {
    const [first] = words;
    if (!first) {
      return null;
    }
    if (words.length === 1) {
      return first.kind === 'string' ? first.text : (this._values.get(first.text) ?? null);
    }
    if ((first.text !== '[' && first.text !== '(') || closing(words, 0) !== words.length - 1) {
      return null;
    }
    const items = splitAt(words.slice(1, -1), word => word.kind === 'operator' && word.text === ',')
      .filter(item => item.length > 0)
      .map(item => this._value(item));
    return items.every(item => typeof item === 'string') ? items : null;
  }

  private _bind(name: string): void {
    this._forget(name);
    this.taken.add(name);
  }

  private _forget(name: string): void {
    this._butlers.delete(name);
    this._values.delete(name);
    this._meanings.delete(name);
    this.taken.delete(name);
  }

  private readonly _butlers = new Map<string, IButlerVariable>();
  private readonly _values = new Map<string, Value>();
  private readonly _meanings = new Map<string, string>();
}

/** Statements without their newlines. */
function statements(tokens: readonly IToken[]): IToken[][] {
  return splitAt(
    tokens,
    token => token.kind === 'newline' || (token.kind === 'operator' && token.text === ';')
  );
}

/** Arguments of a call by keyword, or by position as `'0'`, `'1'`, … */
function readArguments(words: readonly IToken[]): Map<string, readonly IToken[]> {
  const args = new Map<string, readonly IToken[]>();
  let depth = 0;
  const parts = splitAt(words, word => {
    if (word.kind === 'operator') {
      depth += '([{'.includes(word.text) ? 1 : ')]}'.includes(word.text) ? -1 : 0;
    }
    return depth === 0 && word.kind === 'operator' && word.text === ',';
  });
  for (const [position, part] of parts.entries()) {
    const [name, equals] = part;
    if (name?.kind === 'name' && equals?.kind === 'operator' && equals.text === '=') {
      args.set(name.text, part.slice(2));
    } else if (part.length > 0) {
      args.set(String(position), part);
    }
  }
  return args;
}

/** Index of the bracket that closes the one at `open`, or -1. */
function closing(words: readonly IToken[], open: number): number {
  let depth = 0;
  for (let index = open; index < words.length; index++) {
    const word = words[index];
    if (word?.kind === 'operator') {
      depth += '([{'.includes(word.text) ? 1 : ')]}'.includes(word.text) ? -1 : 0;
      if (depth === 0) {
        return index;
      }
    }
  }
  return -1;
}

function splitAt<T>(items: readonly T[], isSeparator: (item: T) => boolean): T[][] {
  const parts: T[][] = [[]];
  for (const item of items) {
    if (isSeparator(item)) {
      parts.push([]);
    } else {
      parts[parts.length - 1]?.push(item);
    }
  }
  return parts;
}
