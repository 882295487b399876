/**
 * Completion in cells, consoles and Python files, beside that of the kernel.
 */

import {
  type CompletionHandler,
  CompletionTriggerKind,
  type ICompletionContext,
  type ICompletionProvider
} from '@jupyterlab/completer';
import { NotebookPanel } from '@jupyterlab/notebook';

import type { SourceChange } from '@jupyter/ydoc';

import { type IButlerVariable, readNames } from '../python/butlers';
import { askKernel } from '../python/kernel';
import { type IPlaceToComplete, placeToComplete } from './context';
import { itemsAt, type IItems } from './items';
import type { Words } from './words';

/** How long a person waits for what is not known yet, in ms: the kernel's own words must not come late. */
const PATIENCE = 150;

/** How long what the kernel says of its butlers is good, in ms. */
const KERNEL = 5_000;

type Reply = CompletionHandler.ICompletionItemsReply;
type Butler = Pick<IButlerVariable, 'label' | 'reads'> & { readonly collections: readonly string[] };

/**
 * Completes names of collections and dataset types, data IDs and where-expressions in calls of butlers.
 *
 * What the code says decides whether anything is asked at all. An answer that comes late is remembered,
 * and shown if nothing was typed meanwhile.
 */
export class ButlerCompletionProvider implements ICompletionProvider {
  readonly identifier = 'CompletionProvider:python-butler';
  /** Above the kernel's own, which knows nothing of what is in a string. */
  readonly rank = 1_000;

  /**
   * @param words - What is known of repositories.
   * @param invoke - Ask again for completion in the widget of this identifier.
   */
  constructor(
    private readonly _words: Words,
    private readonly _invoke: (id: string) => void
  ) {}

  isApplicable(context: ICompletionContext): Promise<boolean> {
    return Promise.resolve(this._place(context) !== null);
  }

  async fetch(
    { text, offset }: CompletionHandler.IRequest,
    context: ICompletionContext,
    trigger?: CompletionTriggerKind
  ): Promise<Reply> {
    const nothing: Reply = { start: offset, end: offset, items: [] };
    const place = placeToComplete(text, offset);
    if (!place) {
      return nothing;
    }
    const finding = this._find(place, text.slice(0, offset), context);
    const late = Symbol('late');
    const found = await Promise.race([
      finding,
      new Promise<typeof late>(resolve => setTimeout(() => resolve(late), PATIENCE))
    ]);
    if (found === late) {
      void finding.then(items => this._comeLate(items, text, offset, context, trigger));
      return nothing;
    }
    return { start: found.from, end: offset, items: found.items.map(one => ({ ...one })) };
  }

  /** While one types, words are offered in strings, too, where the kernel has none. */
  shouldShowContinuousHint(visible: boolean, changed: SourceChange): boolean {
    const inserted = (changed.sourceChange ?? []).map(({ insert }) => insert ?? '').join('');
    // A quotation mark may come with its counterpart; what is longer was pasted.
    return !visible && /^([\p{L}\p{N}_./=-]|["']{1,2})$/u.test(inserted);
  }

  private _place({ editor }: ICompletionContext): IPlaceToComplete | null {
    if (!editor?.model.mimeType.includes('python')) {
      return null;
    }
    return placeToComplete(
      editor.model.sharedModel.getSource(),
      editor.getOffsetAt(editor.getCursorPosition())
    );
  }

  private async _find(place: IPlaceToComplete, before: string, context: ICompletionContext): Promise<IItems> {
    const butler = await this._butler(place, before, context);
    return butler ? itemsAt(place, butler, this._words) : { from: place.from, items: [] };
  }

  /** The butler that a place is about: as the code says, or else the kernel. */
  private async _butler(
    { butler }: IPlaceToComplete,
    before: string,
    context: ICompletionContext
  ): Promise<Butler | null> {
    if ('label' in butler) {
      return { ...butler, collections: [] };
    }
    const isMeant = ({ name }: IButlerVariable): boolean => name === butler.variable;
    const written = readNames([...codeAbove(context), before]).butlers.find(isMeant);
    const known = written ?? (await this._kernelButlers(context)).find(isMeant);
    return known ? { ...known, collections: known.collections ?? [] } : null;
  }

  private _kernelButlers({ session }: ICompletionContext): Promise<readonly IButlerVariable[]> {
    const kernel = session?.kernel;
    if (!kernel) {
      return Promise.resolve([]);
    }
    const asked = this._asked;
    if (asked?.kernel !== kernel.id || asked.until < Date.now()) {
      this._asked = { kernel: kernel.id, until: Date.now() + KERNEL, butlers: askKernel(kernel) };
    }
    return this._asked?.butlers ?? Promise.resolve([]);
  }

  private _comeLate(
    { items }: IItems,
    text: string,
    offset: number,
    { editor, widget }: ICompletionContext,
    trigger: CompletionTriggerKind | undefined
  ): void {
    // What is typed asks again by itself.
    const isWanted =
      items.length > 0 &&
      trigger === CompletionTriggerKind.Invoked &&
      editor &&
      !editor.isDisposed &&
      editor.hasFocus();
    if (
      isWanted &&
      editor.model.sharedModel.getSource() === text &&
      editor.getOffsetAt(editor.getCursorPosition()) === offset
    ) {
      this._invoke(widget.id);
    }
  }

  private _asked: {
    readonly kernel: string;
    readonly until: number;
    readonly butlers: Promise<readonly IButlerVariable[]>;
  } | null = null;
}

/** The code cells of a notebook above the one that is edited. */
function codeAbove({ widget, editor }: ICompletionContext): string[] {
  if (!(widget instanceof NotebookPanel)) {
    return [];
  }
  const cells = widget.content.widgets;
  const here = cells.findIndex(cell => cell.editor === editor);
  return cells
    .slice(0, Math.max(here, 0))
    .filter(({ model }) => model.type === 'code')
    .map(({ model }) => model.sharedModel.getSource());
}
