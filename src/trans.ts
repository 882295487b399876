/**
 * The words that a person reads, in their language: every text goes through `trans`.
 *
 * One for the whole extension, since state and snippets have texts too. Texts are asked for when they are
 * shown, never when a module is loaded: the language is known only once JupyterLab starts the plugins.
 */

import { type ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';

const DOMAIN = 'python_butler';

let bundle: TranslationBundle = nullTranslator.load(DOMAIN);

/** Speak the language of the person; without a translator, English. */
export function setTranslator(translator: ITranslator | null): void {
  bundle = (translator ?? nullTranslator).load(DOMAIN);
}

/** Gives the texts: `trans.__('Retry')`, `trans._n('%1 dataset', '%1 datasets', count)`. */
export const trans = {
  /** A text; `%1`, `%2` … stand for the arguments. */
  __: (text: string, ...args: (string | number)[]): string => bundle.__(text, ...args.map(String)),
  /** A text that depends on a number, which is `%1`. */
  _n: (one: string, several: string, count: number, ...args: (string | number)[]): string =>
    bundle._n(one, several, count, ...args.map(String)),
  /** A text that needs a context to be understood. */
  _p: (context: string, text: string, ...args: (string | number)[]): string =>
    bundle._p(context, text, ...args.map(String))
};
