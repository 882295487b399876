/**
 * Writing Python: literals, names and calls, formatted as `ruff format` would.
 */

/** Longest line of a complete cell, so that it needs no scrolling beside a sidebar. */
const LINE_LENGTH = 88;

export type Literal = number | string | readonly Literal[];

/** A Python literal. JSON's escapes are a subset of Python's. */
export function literal(value: Literal): string {
  if (typeof value === 'string') {
    return JSON.stringify(value);
  }
  return typeof value === 'number' ? String(value) : `[${value.map(literal).join(', ')}]`;
}

/** A dictionary display with string keys. */
export function dictionary(entries: Readonly<Record<string, Literal>>): string {
  return dictionarySource(Object.entries(entries).map(([key, value]) => [key, literal(value)]));
}

/** The same, of values that are Python already. */
export function dictionarySource(entries: readonly (readonly [key: string, source: string])[]): string {
  return `{${entries.map(([key, source]) => `${literal(key)}: ${source}`).join(', ')}}`;
}

/** Keyword arguments. */
export function keywords(entries: Readonly<Record<string, Literal>>): string[] {
  return Object.entries(entries).map(([key, value]) => `${key}=${literal(value)}`);
}

/** A call on one line, as an expression inside a line must be. */
export function inlineCall(callable: string, args: readonly string[]): string {
  return `${callable}(${args.join(', ')})`;
}

/**
 * A statement around a call, broken over lines if it is long.
 *
 * @param before - What stands before the call, such as `image = `.
 * @param after - What stands behind it, such as `[:10]`.
 */
export function statement(before: string, callable: string, args: readonly string[], after = ''): string {
  const line = `${before}${inlineCall(callable, args)}${after}`;
  if (longest(line) <= LINE_LENGTH) {
    return line;
  }
  const indent = /^ */.exec(before)?.[0] ?? '';
  const inner = `${indent}    ${args.join(', ')}`;
  const body =
    longest(inner) <= LINE_LENGTH ? inner : args.map(argument => `${indent}    ${argument},`).join('\n');
  return `${before}${callable}(\n${body}\n${indent})${after}`;
}

/** A list of expressions, one a line if it is long. */
export function listStatement(before: string, items: readonly string[]): string {
  const line = `${before}[${items.join(', ')}]`;
  return longest(line) <= LINE_LENGTH
    ? line
    : `${before}[\n${items.map(item => `    ${item},`).join('\n')}\n]`;
}

/**
 * The first of the base name, `base_2`, `base_3`, … that is free.
 */
export function freeName(base: string, taken: ReadonlySet<string>): string {
  let name = base;
  for (let count = 2; taken.has(name); count++) {
    name = `${base}_${count}`;
  }
  return name;
}

/**
 * A variable name that hides no builtin.
 *
 * @param base - A dataset type's name; these are identifiers already, but for a component's dot.
 * @param suffix - Appended if the name means something to Python, as `object` does.
 */
export function variableName(base: string, suffix: string): string {
  const name = base.replace(/\W/g, '_').replace(/^(?=\d)/, '_');
  return RESERVED.has(name) ? `${name}_${suffix}` : name;
}

function longest(text: string): number {
  return Math.max(...text.split('\n').map(line => line.length));
}

/** Keywords, and those builtins that a dataset type could be called. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for ' +
    'from global if import in is lambda nonlocal not or pass raise return try while with yield match case ' +
    'type abs all any ascii bin bool bytes callable chr compile complex dict dir display divmod enumerate ' +
    'eval exec filter float format frozenset globals hash help hex id input int iter len list locals map ' +
    'max memoryview min next object oct open ord pow print property range repr reversed round set slice ' +
    'sorted str sum super tuple vars zip'
  ).split(' ')
);
