/**
 * The editor of where-expressions: colours, completion and errors at their place. Loaded on demand.
 */

import {
  autocompletion,
  type Completion,
  type CompletionContext,
  completionKeymap,
  type CompletionResult,
  completionStatus
} from '@codemirror/autocomplete';
import { HighlightStyle, StreamLanguage, type StringStream, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, linter } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';

import { completeWhere, type IWhereWord } from '../model';
import type { QueryModel } from './model';

/** An editor in the page. */
export interface IWhereEditor {
  /** Show what is applied now, unless something is being written. */
  show(where: string): void;
  dispose(): void;
}

/** How long typing must rest before an expression is checked, in milliseconds. */
const REST = 350;

const KINDS: Readonly<Record<IWhereWord['kind'], string>> = {
  dimension: 'class',
  field: 'property',
  function: 'function',
  operator: 'keyword',
  value: 'constant',
  bind: 'variable'
};

/** Put an editor into an element; Enter or leaving it applies the expression. */
export function createWhereEditor(parent: HTMLElement, model: QueryModel, labelId: string): IWhereEditor {
  let applied = model.filter.where;

  const commit = (view: EditorView): boolean => {
    const text = view.state.doc.toString().trim();
    if (text !== applied.trim()) {
      applied = text;
      void model.apply({ where: text });
    }
    return true;
  };

  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: applied,
      extensions: [
        Prec.highest(
          keymap.of([
            { key: 'Enter', run: target => completionStatus(target.state) !== 'active' && commit(target) },
            {
              key: 'Escape',
              run: target => {
                const isChanged = target.state.doc.toString() !== applied;
                if (completionStatus(target.state) !== null || !isChanged) {
                  return false;
                }
                replace(target, applied);
                return true;
              }
            }
          ])
        ),
        keymap.of(completionKeymap),
        autocompletion({
          override: [context => complete(context, model)],
          activateOnTyping: true,
          icons: false,
          closeOnBlur: true
        }),
        linter(target => check(target, model), { delay: REST }),
        EditorView.lineWrapping,
        EditorView.domEventHandlers({ blur: (_, target) => void commit(target) }),
        EditorView.contentAttributes.of({ 'aria-labelledby': labelId, spellcheck: 'false' }),
        placeholder('visit.exposure_time > 25'),
        LOOK,
        EXPRESSIONS,
        syntaxHighlighting(COLOURS)
      ]
    })
  });

  return {
    show: where => {
      if (where !== applied || (!view.hasFocus && where !== view.state.doc.toString().trim())) {
        applied = where;
        replace(view, where);
      }
    },
    dispose: () => view.destroy()
  };
}

function replace(view: EditorView, text: string): void {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

async function check(view: EditorView, model: QueryModel): Promise<Diagnostic[]> {
  const text = view.state.doc.toString();
  if (!text.trim()) {
    return [];
  }
  const problems = await model.checkWhere(text, new AbortController().signal).catch(() => []);
  return problems.map(({ begin, end, message }) => ({
    from: Math.min(begin ?? 0, text.length),
    to: Math.min(end ?? text.length, text.length),
    severity: 'error',
    message
  }));
}

async function complete(context: CompletionContext, model: QueryModel): Promise<CompletionResult | null> {
  const { target } = model;
  const text = context.state.doc.toString();
  if (!target || (!context.explicit && !/[\w.:'=<>(]\s?$/.test(text.slice(0, context.pos)))) {
    return null;
  }
  const asking = new AbortController();
  context.addEventListener('abort', () => asking.abort());
  try {
    const vocabulary = await model.words();
    const { from, to, words, values } = completeWhere(text, context.pos, vocabulary, {
      dimensions: target.datasetType.dimensions,
      datasetTypes: [target.datasetType.name]
    });
    const found = values ? await model.columnValues(values.column, values.prefix, asking.signal) : [];
    const options: Completion[] = [
      ...found.map(value => ({
        label: values?.quoted ? `'${value}'` : value,
        type: KINDS.value,
        boost: 1
      })),
      ...words.map(({ text: label, kind, detail, doc }) => ({
        label,
        detail,
        type: KINDS[kind],
        ...(doc ? { info: doc } : {})
      }))
    ];
    return context.aborted || options.length === 0 ? null : { from, to, options, filter: false };
  } catch {
    // Without an answer there is nothing to offer; writing goes on.
    return null;
  }
}

const WORD = /^[a-z_]\w*(\.\w+)*/i;
const OPERATOR = /^(and|or|not|in|overlaps)$/i;
const CALL = /^(point|circle|box|polygon|region|uuid|glob)$/i;

/** Enough of upstream's grammar to colour it. */
const EXPRESSIONS = StreamLanguage.define({
  name: 'butler-where',
  token: (stream: StringStream): string | null => {
    if (stream.eatSpace()) {
      return null;
    }
    if (stream.match(/^T?'[^']*'?/i)) {
      return 'string';
    }
    if (stream.match(/^:\w*/)) {
      return 'variableName';
    }
    if (stream.match(/^(\d[\d.]*|\.\d+)(e[-+]?\d+)?/i)) {
      return 'number';
    }
    const word = stream.match(WORD);
    if (word && word !== true) {
      return OPERATOR.test(word[0]) ? 'keyword' : CALL.test(word[0]) ? 'typeName' : 'propertyName';
    }
    if (stream.match(/^[=<>!+\-*/%]+/)) {
      return 'operator';
    }
    stream.next();
    return null;
  }
});

const LOOK = EditorView.theme({
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--jp-code-font-family)', lineHeight: '1.4' },
  '.cm-content': {
    padding: '2px 0',
    color: 'var(--jp-content-font-color1)',
    fontSize: 'var(--jp-code-font-size)',
    caretColor: 'var(--jp-editor-cursor-color)'
  },
  '.cm-placeholder': { color: 'var(--jp-ui-font-color2)' }
});

const COLOURS = HighlightStyle.define([
  { tag: tags.string, color: 'var(--jp-mirror-editor-string-color)' },
  { tag: tags.number, color: 'var(--jp-mirror-editor-number-color)' },
  { tag: tags.keyword, color: 'var(--jp-mirror-editor-keyword-color)', fontWeight: 'bold' },
  { tag: tags.operator, color: 'var(--jp-mirror-editor-operator-color)' },
  { tag: tags.propertyName, color: 'var(--jp-mirror-editor-property-color)' },
  { tag: tags.typeName, color: 'var(--jp-mirror-editor-builtin-color)' },
  { tag: tags.variableName, color: 'var(--jp-mirror-editor-variable-2-color)' }
]);
