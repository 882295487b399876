/**
 * The call that is being written at a place in Python source: which function, which argument, what is given
 * already. What stands behind the place is not looked at.
 */

import { tokenize, type IToken } from './tokens';

/** A value that is written out; null for anything else. */
export type Given = string | number | readonly string[] | Readonly<Record<string, string | number>> | null;

/** A call in writing. */
export interface ICallInWriting {
  /** Parts of the name of what is called, such as `['butler', 'get']`. */
  readonly callee: readonly string[];
  /** Arguments before the present one, by keyword, or by position as `'0'`, `'1'`, … */
  readonly given: ReadonlyMap<string, Given>;
  /** Keyword of the present argument, or its position. */
  readonly argument: string;
  /** What the present argument is, as far as it was written. */
  readonly inside: 'argument' | 'list' | 'key' | 'value';
  /** The key of a dictionary whose value is written. */
  readonly key: string | null;
  /** Keys of the dictionary that are there already, with their values. */
  readonly entries: Readonly<Record<string, string | number>>;
  /** Whether the place is in a string. */
  readonly quoted: boolean;
  /** The beginning of the word or string. */
  readonly begun: string;
  /** Where that begins. */
  readonly from: number;
}

/**
 * Find the call that is being written.
 *
 * @returns null if the place is in none, or in something that nobody could complete.
 */
export function callAt(source: string, offset: number): ICallInWriting | null {
  const before = source.slice(0, offset);
  if (/^[^\S\n]*[%!?][^\n]*$/.test(before.slice(before.lastIndexOf('\n') + 1))) {
    return null;
  }
  const tokens = tokenize(before).slice(0, -1);
  const last = tokens.at(-1);
  const isOpenString = last?.kind === 'string' && last.closed === false;
  const isWord =
    (last?.kind === 'name' || last?.kind === 'other') && last.start + last.text.length === offset;
  if (inComment(before, tokens) || (last?.kind === 'other' && !/^\d/.test(last.text))) {
    return null;
  }
  const settled = isOpenString || isWord ? tokens.slice(0, -1) : tokens;
  const open = openBrackets(settled);
  // Inside the call there may be one list or dictionary.
  const [outer, inner] = isCall(settled, open.at(-1)) ? [open.at(-1)] : [open.at(-2), open.at(-1)];
  if (outer === undefined || !isCall(settled, outer)) {
    return null;
  }
  const parts = split(settled.slice(outer + 1));
  const present = parts.pop() ?? [];
  const container = inner === undefined ? null : insideOf(settled, inner);
  const given = new Map<string, Given>();
  let position = 0;
  for (const part of parts) {
    const name = keywordOf(part);
    given.set(name ?? String(position++), literalOf(name === null ? part : part.slice(2)));
  }
  const begun = isOpenString || isWord ? last.text : '';
  return {
    callee: calleeOf(settled, outer),
    given,
    argument: keywordOf(present) ?? String(position),
    inside: container?.inside ?? 'argument',
    key: container?.key ?? null,
    entries: container?.entries ?? {},
    quoted: isOpenString,
    begun,
    from: isOpenString ? (last.inside ?? offset) : offset - begun.length
  };
}

/** Whether the place is behind a `#` on its line that is in no string. */
function inComment(before: string, tokens: readonly IToken[]): boolean {
  const line = before.lastIndexOf('\n') + 1;
  const hash = before.indexOf('#', line);
  return (
    hash >= 0 &&
    !tokens.some(
      ({ kind, start, text }) => kind !== 'operator' && start < hash && hash < start + text.length + 2
    )
  );
}

/** Indices of the brackets that are not closed. */
function openBrackets(tokens: readonly IToken[]): number[] {
  const open: number[] = [];
  tokens.forEach(({ kind, text }, index) => {
    if (kind === 'operator' && '([{'.includes(text)) {
      open.push(index);
    } else if (kind === 'operator' && ')]}'.includes(text)) {
      open.pop();
    } else if (kind === 'newline') {
      open.length = 0;
    }
  });
  return open;
}

function isCall(tokens: readonly IToken[], open: number | undefined): boolean {
  return (
    open !== undefined &&
    tokens[open]?.text === '(' &&
    tokens[open - 1]?.kind === 'name' &&
    tokens[open - 2]?.text !== 'def'
  );
}

function calleeOf(tokens: readonly IToken[], open: number): string[] {
  const names: string[] = [];
  let index = open - 1;
  while (tokens[index]?.kind === 'name') {
    names.unshift(tokens[index]?.text ?? '');
    if (tokens[index - 1]?.text !== '.') {
      break;
    }
    index -= 2;
  }
  // What hangs on a call or an index is no name that is known.
  return tokens[index]?.kind === 'name' ? names : ['', ...names];
}

function insideOf(
  tokens: readonly IToken[],
  open: number
): Pick<ICallInWriting, 'inside' | 'key' | 'entries'> {
  if (tokens[open]?.text !== '{') {
    return { inside: 'list', key: null, entries: {} };
  }
  const parts = split(tokens.slice(open + 1));
  const [key, colon] = parts.pop() ?? [];
  const entries = Object.fromEntries(parts.flatMap(entryOf));
  return colon?.text === ':' && key?.kind === 'string'
    ? { inside: 'value', key: key.text, entries }
    : { inside: 'key', key: null, entries };
}

function entryOf([key, colon, ...rest]: readonly IToken[]): [string, string | number][] {
  const value = literalOf(rest);
  return key?.kind === 'string' &&
    colon?.text === ':' &&
    (typeof value === 'string' || typeof value === 'number')
    ? [[key.text, value]]
    : [];
}

function keywordOf([name, equals]: readonly IToken[]): string | null {
  return name?.kind === 'name' && equals?.kind === 'operator' && equals.text === '=' ? name.text : null;
}

function literalOf(tokens: readonly IToken[]): Given {
  const [first] = tokens;
  if (tokens.length === 1 && first?.kind === 'string') {
    return first.text;
  }
  if (tokens.length === 1 && first?.kind === 'other' && /^\d+$/.test(first.text)) {
    return Number(first.text);
  }
  if (first?.text === '{') {
    return Object.fromEntries(split(tokens.slice(1, -1)).flatMap(entryOf));
  }
  if (first?.text === '[' || first?.text === '(') {
    const items = split(tokens.slice(1, -1)).map(literalOf);
    return items.filter(item => typeof item === 'string');
  }
  return null;
}

/** Parts between the commas that are in no further brackets; always at least one. */
function split(tokens: readonly IToken[]): IToken[][] {
  const parts: IToken[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'operator') {
      depth += '([{'.includes(token.text) ? 1 : ')]}'.includes(token.text) ? -1 : 0;
    }
    if (depth === 0 && token.kind === 'operator' && token.text === ',') {
      parts.push([]);
    } else {
      parts.at(-1)?.push(token);
    }
  }
  return parts;
}
