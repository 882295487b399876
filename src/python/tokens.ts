/**
 * Reading Python: enough of its tokens to find assignments without being fooled by comments and strings.
 */

export interface IToken {
  readonly kind: 'name' | 'string' | 'operator' | 'newline' | 'other';
  /** The token as written, or the value of a string. Numbers and f-strings are `other`. */
  readonly text: string;
  /** Column of the first character of the token's logical line, for nesting. */
  readonly indent: number;
  /** Where it begins in the source. */
  readonly start: number;
  /** Where the value of a string begins, behind its quotation mark. */
  readonly inside?: number;
  /** Whether a string has come to its end. */
  readonly closed?: boolean;
}

const PATTERN = new RegExp(
  [
    /(?<comment>#[^\n]*)/,
    /(?<continuation>\\\n)/,
    /(?<string>[rbuft]{0,2}(?:"""[^]*?(?:(?<!\\)"""|$)|'''[^]*?(?:(?<!\\)'''|$)|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?))/,
    /(?<name>[\p{L}_][\p{L}\p{N}_]*)/u,
    /(?<number>\d[\w.]*)/,
    /(?<newline>\n)/,
    /(?<space>[^\S\n]+)/,
    /(?<operator>==|!=|<=|>=|:=|->|\*\*=?|\/\/=?|[-+*/%@&|^]=|[^])/
  ]
    .map(part => part.source)
    .join('|'),
  'giu'
);

/** Cell magics whose body is still Python in this kernel. */
const PYTHON_MAGICS = /^%%(time|timeit|capture|prun|python3?|debug)\b/;

/** Number of characters that must stay first in a cell: the line of a cell magic. */
export function magicLength(source: string): number {
  return /^\s*%%[^\n]*(\n|$)/.exec(source)?.[0].length ?? 0;
}

/** Whether a code cell's source is Python, not the body of `%%bash` and its like. */
export function isPython(source: string): boolean {
  const start = source.trimStart();
  return !start.startsWith('%%') || PYTHON_MAGICS.test(start);
}

/**
 * Tokens of a code cell, without comments and line magics.
 *
 * Newlines inside brackets are left out, so that a newline always ends a statement.
 */
export function tokenize(source: string): IToken[] {
  const tokens: IToken[] = [];
  let depth = 0;
  let indent = 0;
  let fresh = true;
  for (const match of withoutMagics(source).matchAll(PATTERN)) {
    const [text] = match;
    const start = match.index;
    const groups = match.groups ?? {};
    if (groups.newline !== undefined) {
      if (depth === 0) {
        tokens.push({ kind: 'newline', text, indent, start });
        fresh = true;
        indent = 0;
      }
      continue;
    }
    if (groups.space !== undefined) {
      if (fresh) {
        indent = text.length;
      }
      continue;
    }
    if (groups.comment !== undefined || groups.continuation !== undefined) {
      continue;
    }
    fresh = false;
    if (groups.string !== undefined) {
      tokens.push(stringToken(text, indent, start));
    } else if (groups.name !== undefined) {
      tokens.push({ kind: 'name', text, indent, start });
    } else if (groups.number !== undefined) {
      tokens.push({ kind: 'other', text, indent, start });
    } else {
      depth += '([{'.includes(text) ? 1 : ')]}'.includes(text) ? -1 : 0;
      depth = Math.max(depth, 0);
      tokens.push({ kind: 'operator', text, indent, start });
    }
  }
  tokens.push({ kind: 'newline', text: '\n', indent, start: source.length });
  return tokens;
}

/** Blank the lines that IPython takes for itself. */
function withoutMagics(source: string): string {
  return source.replace(/^[^\S\n]*[%!?][^\n]*/gm, line => ' '.repeat(line.length));
}

function stringToken(text: string, indent: number, start: number): IToken {
  const [, prefix = '', quote = '', rest = ''] = /^([a-z]*)("""|'''|"|')([^]*)$/i.exec(text) ?? [];
  if (/[ft]/i.test(prefix)) {
    return { kind: 'other', text, indent, start };
  }
  const closed = rest.endsWith(quote) && !/(^|[^\\])(\\\\)*\\$/.test(rest.slice(0, -quote.length));
  const body = closed ? rest.slice(0, -quote.length) : rest;
  const inside = start + prefix.length + quote.length;
  const value = /r/i.test(prefix) ? body : body.replace(/\\([\\'"])/g, '$1');
  return { kind: 'string', text: value, indent, start, inside, closed };
}

/**
 * The first bracket that has no counterpart, or null if there is none.
 */
export function balance(source: string): string | null {
  const open: string[] = [];
  for (const { kind, text } of tokenize(source)) {
    if (kind === 'operator' && '([{'.includes(text)) {
      open.push(text);
    } else if (kind === 'operator' && ')]}'.includes(text)) {
      const before = open.pop();
      if (before === undefined || '([{'.indexOf(before) !== ')]}'.indexOf(text)) {
        return text;
      }
    }
  }
  return open.at(-1) ?? null;
}
