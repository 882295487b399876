/**
 * Completion inside where-expressions, for editors of every kind: what may stand at a position.
 *
 * The language is upstream's: identifiers with dots, texts in single quotes, lists after IN, bound names
 * after a colon. What only the repository knows, the values of a column, is named for the caller to ask.
 */

import type { Vocabulary } from '../api';

/** One thing that may stand at the position. */
export interface IWhereWord {
  readonly text: string;
  readonly kind: 'dimension' | 'field' | 'function' | 'operator' | 'value' | 'bind';
  /** What it is, in a few words. */
  readonly detail: string;
  /** What the repository says about it, if anything. */
  readonly doc: string;
}

/** What may stand at a position. */
export interface IWhereCompletion {
  /** What is replaced, in characters of the expression. */
  readonly from: number;
  readonly to: number;
  /** Those that fit what is begun, likely ones first. */
  readonly words: readonly IWhereWord[];
  /** The column whose values may stand here, too; `quoted` if they need quotation marks around them. */
  readonly values: { readonly column: string; readonly prefix: string; readonly quoted: boolean } | null;
}

/** What is known of the query that the expression belongs to. */
export interface IWhereScope {
  /** Dimensions of the dataset type: these and what they lead to come first. */
  readonly dimensions?: readonly string[];
  /** Dataset types whose fields may be named. */
  readonly datasetTypes?: readonly string[];
  /** Names of bound values. */
  readonly bind?: readonly string[];
}

const TOKEN =
  /(?<text>T?'[^']*(?:'|$))|(?<bind>:(?:[a-z_]\w*)?)|(?<name>[a-z_]\w*(?:\.\w+)*\.?)|(?<number>(?:\d[\d.]*|\.\d+)(?:e[-+]?\d+)?)|(?<mark><=|>=|!=|[=<>()+\-*/%,])/gi;

const REGIONS: ReadonlySet<string> = new Set(['POINT', 'CIRCLE', 'BOX', 'POLYGON', 'REGION']);
const COMPARISONS: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=', 'OVERLAPS']);
const KEYWORDS: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT', 'IN', 'OVERLAPS']);

interface IToken {
  readonly kind: 'text' | 'bind' | 'name' | 'number' | 'mark' | 'keyword';
  readonly text: string;
  readonly start: number;
}

/**
 * What may stand at a position of a where-expression.
 *
 * @param position - Where the cursor is; what stands behind it is not looked at.
 */
export function completeWhere(
  text: string,
  position: number,
  vocabulary: Vocabulary,
  scope: IWhereScope = {}
): IWhereCompletion {
  const before = tokens(text.slice(0, position));
  const last = before.at(-1);
  // A word that the cursor touches is being written; anything before it stands.
  const touched = last && last.start + last.text.length === position ? last : undefined;
  const words = new Words(vocabulary, scope);
  if (touched?.kind === 'text' && isOpen(touched.text)) {
    const column = touched.text.startsWith("'") ? comparedColumn(before.slice(0, -1)) : null;
    return inText(touched, position, column, words);
  }
  const isWord = touched && touched.kind !== 'mark' && touched.kind !== 'text';
  const begun = isWord ? touched.text : '';
  const settled = isWord ? before.slice(0, -1) : before;
  const from = position - begun.length;
  const column = comparedColumn(settled);
  const found = words.after(settled, column);
  const fitting = found.filter(word => fits(word.text, begun));
  const wantsValue = column !== null && expectsValue(settled);
  return {
    from,
    to: position,
    words: begun.includes('.') ? words.fields(begun) : fitting,
    values:
      wantsValue && words.hasValues(column) && !begun.includes('.')
        ? { column, prefix: begun, quoted: words.typeOf(column) === 'string' }
        : null
  };
}

/**
 * What may stand in an expression that is a column alone, as those to order by.
 */
export function completeColumn(
  text: string,
  position: number,
  vocabulary: Vocabulary,
  scope: IWhereScope = {}
): IWhereCompletion {
  const begun = /[\w.]*$/.exec(text.slice(0, position))?.[0] ?? '';
  const words = new Words(vocabulary, scope);
  return {
    from: position - begun.length,
    to: position,
    words: begun.includes('.') ? words.fields(begun) : words.columns().filter(word => fits(word.text, begun)),
    values: null
  };
}

/** The words of a vocabulary, by what may stand where. */
class Words {
  constructor(
    private readonly _vocabulary: Vocabulary,
    private readonly _scope: IWhereScope
  ) {}

  /** What may follow some tokens. */
  after(before: readonly IToken[], column: string | null): IWhereWord[] {
    const last = before.at(-1);
    if (expectsValue(before)) {
      const kind = column === null ? '' : this.typeOf(column);
      if (last?.text.toUpperCase() === 'OVERLAPS') {
        return kind === 'timespan'
          ? [...this._columns(['timespan']), ...this._bound()]
          : [...this._functions(true), ...this._columns(['region']), ...this._bound()];
      }
      return [...this._bound(), ...(last?.text === '(' || last?.text === ',' ? [] : this.columns())];
    }
    if (!last || last.text === '(' || (last.kind === 'keyword' && last.text !== 'IN')) {
      return [...this.columns(), ...this._functions(false), ...this._operators(['NOT'])];
    }
    if (last.kind === 'keyword') {
      return [];
    }
    // Behind a column that nothing is compared with yet stands an operator, behind a comparison another one.
    if (last.kind === 'name' && !comparedColumn(before) && !endsCall(before)) {
      return this._operators(this._operatorsOf(this.typeOf(last.text)));
    }
    return last.kind === 'mark' && last.text !== ')' ? this.columns() : this._operators(['AND', 'OR']);
  }

  /** Fields of what stands before the last dot. */
  fields(begun: string): IWhereWord[] {
    const dot = begun.lastIndexOf('.');
    const owner = begun.slice(0, dot);
    const element = this._vocabulary.elements.find(({ name }) => name === owner);
    const isDataset = this._scope.datasetTypes?.includes(owner) ?? false;
    const fields = element?.fields ?? (isDataset ? this._vocabulary.dataset_fields : []);
    const ends = ['begin', 'end'].map(name => ({
      name,
      type: 'datetime',
      unit: 'TAI',
      doc: ''
    }));
    return (this.typeOf(owner) === 'timespan' ? ends : fields)
      .map(({ name, type, unit, doc }) => ({
        text: `${owner}.${name}`,
        kind: 'field' as const,
        detail: unit ? `${type}, ${unit}` : type,
        doc
      }))
      .filter(({ text }) => fits(text, begun));
  }

  /** Dimensions, and elements that have fields: those of the dataset type first. */
  columns(): IWhereWord[] {
    const near = this._near();
    const rank = (name: string): number => (near.has(name) ? 0 : 1);
    return this._vocabulary.elements
      .filter(element => element.is_dimension || element.fields.length > 0)
      .map((element): IWhereWord => ({
        text: element.is_dimension ? element.name : `${element.name}.`,
        kind: 'dimension',
        detail: element.is_dimension ? element.key_type : element.dimensions.join(', '),
        doc: element.doc
      }))
      .concat(
        (this._scope.datasetTypes ?? []).map(name => ({
          text: `${name}.`,
          kind: 'field',
          detail: 'dataset',
          doc: ''
        }))
      )
      .sort((one, other) => rank(one.text.replace('.', '')) - rank(other.text.replace('.', '')));
  }

  /** Type of a column's values; empty if it is none that is known. */
  typeOf(column: string): string {
    const [owner = '', field, end] = column.split('.');
    const element = this._vocabulary.elements.find(({ name }) => name === owner);
    if (field === undefined) {
      return element?.key_type ?? '';
    }
    const fields = element?.fields ?? this._vocabulary.dataset_fields;
    const type = fields.find(({ name }) => name === field)?.type ?? '';
    return end === undefined ? type : type === 'timespan' ? 'datetime' : '';
  }

  /** Whether the repository can list a column's values. */
  hasValues(column: string): boolean {
    const [owner] = column.split('.');
    const isKnown = this._vocabulary.elements.some(({ name }) => name === owner);
    return isKnown && ['int', 'string'].includes(this.typeOf(column));
  }

  private _operatorsOf(type: string): string[] {
    switch (type) {
      case 'region':
        return ['OVERLAPS'];
      case 'timespan':
        return ['OVERLAPS'];
      case 'bool':
        return ['AND', 'OR'];
      default:
        return ['=', '!=', '<', '<=', '>', '>=', 'IN', 'NOT IN'];
    }
  }

  private _columns(types: readonly string[]): IWhereWord[] {
    return this._vocabulary.elements.flatMap(({ name }) =>
      this.fields(`${name}.`).filter(({ text }) => types.includes(this.typeOf(text)))
    );
  }

  private _functions(regions: boolean): IWhereWord[] {
    return this._vocabulary.functions
      .filter(({ name }) => REGIONS.has(name) === regions)
      .map(({ name, signature, doc }) => ({ text: `${name}(`, kind: 'function', detail: signature, doc }));
  }

  private _operators(names: readonly string[]): IWhereWord[] {
    return names
      .filter(name => this._vocabulary.operators.includes(name))
      .map(text => ({ text, kind: 'operator', detail: '', doc: '' }));
  }

  private _bound(): IWhereWord[] {
    return (this._scope.bind ?? []).map(name => ({
      text: `:${name}`,
      kind: 'bind',
      detail: 'bound value',
      doc: ''
    }));
  }

  /** The dataset type's dimensions and all that follow from them. */
  private _near(): ReadonlySet<string> {
    const near = new Set(this._scope.dimensions);
    let size = -1;
    while (size !== near.size) {
      size = near.size;
      for (const { name, is_dimension, dimensions, implied } of this._vocabulary.elements) {
        if (is_dimension ? near.has(name) : dimensions.length > 0 && dimensions.every(one => near.has(one))) {
          near.add(name);
          implied.forEach(one => near.add(one));
        }
      }
    }
    return near;
  }
}

/** Completion between quotation marks: values of the column that the text is compared with. */
function inText(token: IToken, position: number, column: string | null, words: Words): IWhereCompletion {
  const prefix = token.text.slice(1);
  const nothing = { from: token.start + 1, to: position, words: [], values: null };
  return column !== null && words.hasValues(column) && words.typeOf(column) === 'string'
    ? { ...nothing, values: { column, prefix, quoted: false } }
    : nothing;
}

/** The column on the left of a comparison, or in front of a list, whose right side is being written. */
function comparedColumn(before: readonly IToken[]): string | null {
  let index = before.length - 1;
  // Over the values of a list, back to its bracket.
  while (index >= 0 && isListItem(before[index])) {
    index -= 1;
  }
  if (before[index]?.text === '(' && before[index - 1]?.text === 'IN') {
    index -= before[index - 2]?.text === 'NOT' ? 3 : 2;
    return columnAt(before, index);
  }
  const [left, operator] = COMPARISONS.has(before.at(-1)?.text ?? '')
    ? [before.length - 2, before.at(-1)]
    : [before.length - 3, before.at(-2)];
  return operator && COMPARISONS.has(operator.text) ? columnAt(before, left) : null;
}

function columnAt(before: readonly IToken[], index: number): string | null {
  const token = before[index];
  return token?.kind === 'name' ? token.text : null;
}

function isListItem(token: IToken | undefined): boolean {
  return (
    token !== undefined &&
    (token.kind === 'text' || token.kind === 'number' || token.kind === 'bind' || token.text === ',')
  );
}

/** Whether what comes next is the right side of a comparison, or in a list after IN. */
function expectsValue(before: readonly IToken[]): boolean {
  const last = before.at(-1);
  if (last && COMPARISONS.has(last.text)) {
    return true;
  }
  return comparedColumn(before) !== null && (last?.text === '(' || last?.text === ',');
}

/** Whether the last name is the argument of a function, as in `GLOB(band`. */
function endsCall(before: readonly IToken[]): boolean {
  const open = before.at(-2);
  const callee = before.at(-3);
  return open?.text === '(' && callee?.kind === 'name';
}

function isOpen(text: string): boolean {
  return text.length < (text.startsWith("'") ? 2 : 3) || !text.endsWith("'");
}

function tokens(text: string): IToken[] {
  // What fits nowhere is passed over: it is for the server to complain of.
  return [...text.matchAll(TOKEN)].map(match => {
    const [word] = match;
    const kind = (Object.entries(match.groups ?? {}) as [IToken['kind'], string | undefined][]).find(
      ([, part]) => part !== undefined
    )?.[0];
    const isKeyword = kind === 'name' && KEYWORDS.has(word.toUpperCase());
    return isKeyword
      ? { kind: 'keyword', text: word.toUpperCase(), start: match.index }
      : { kind: kind ?? 'mark', text: word, start: match.index };
  });
}

/** Whether a word continues what is begun; upper and lower case are the same. */
function fits(word: string, begun: string): boolean {
  return word.toLowerCase().startsWith(begun.toLowerCase());
}
