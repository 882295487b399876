/**
 * Reading Python: enough of its tokens to find assignments without being fooled by comments and strings.
 */

export interface IToken {
  readonly kind: 'name' | 'string' | 'operator' | 'newline' | 'other';
  /** The token as written, or the value of a string. Numbers and f-strings are `other`. */
  readonly text: string;
  /** Column of the first character of the token's logical line, for nesting. */
  readonly indent: number;
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
    const groups = match.groups ?? {};
    if (groups.newline !== undefined) {
      if (depth === 0) {
        tokens.push({ kind: 'newline', text, indent });
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
      tokens.push(stringToken(text, indent));
    } else if (groups.name !== undefined) {
      tokens.push({ kind: 'name', text, indent });
    } else if (groups.number !== undefined) {
      tokens.push({ kind: 'other', text, indent });
    } else {
      depth += '([{'.includes(text) ? 1 : ')]}'.includes(text) ? -1 : 0;
      depth = Math.max(depth, 0);
      tokens.push({ kind: 'operator', text, indent });
    }
  }
  tokens.push({ kind: 'newline', text: '\n', indent });
  return tokens;
}

/** Blank the lines that IPython takes for itself. */
function withoutMagics(source: string): string {
  return source.replace(/^[^\S\n]*[%!?][^\n]*/gm, '');
}

function stringToken(text: string, indent: number): IToken {
  const [, prefix = '', quote = '', rest = ''] = /^([a-z]*)("""|'''|"|')([^]*)$/i.exec(text) ?? [];
  if (/[ft]/i.test(prefix)) {
    return { kind: 'other', text, indent };
  }
  const body = rest.endsWith(quote) ? rest.slice(0, -quote.length) : rest;
  const value = /r/i.test(prefix) ? body : body.replace(/\\([\\'"])/g, '$1');
  return { kind: 'string', text: value, indent };
}
