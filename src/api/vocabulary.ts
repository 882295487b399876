import { type IRepositoryKey, type Transport, within } from './transport';
import type { CompletionList, Vocabulary } from './types';

/** What is to be completed. */
export type CompletionQuestion =
  | { readonly what: 'collection'; readonly prefix: string }
  /** Present in one of the collections, or registered at all if none is named. */
  | { readonly what: 'dataset_type'; readonly prefix: string; readonly collections: readonly string[] }
  /** Of a dimension, or of a field such as `visit.target_name`. */
  | {
      readonly what: 'value';
      readonly prefix: string;
      readonly column: string;
      readonly dataId: Readonly<Record<string, string | number>>;
    };

/** Asks the backend for words. */
export interface IVocabularyClient {
  vocabulary(key: IRepositoryKey, signal: AbortSignal): Promise<Vocabulary>;
  complete(key: IRepositoryKey, question: CompletionQuestion, signal: AbortSignal): Promise<CompletionList>;
}

/** Asks the backend for words. */
export class VocabularyClient implements IVocabularyClient {
  constructor(private readonly _transport: Transport) {}

  vocabulary(key: IRepositoryKey, signal: AbortSignal): Promise<Vocabulary> {
    return this._transport.get(within(key, 'vocabulary'), {}, signal);
  }

  complete(key: IRepositoryKey, question: CompletionQuestion, signal: AbortSignal): Promise<CompletionList> {
    const { what, prefix } = question;
    return this._transport.get(
      within(key, 'vocabulary', 'complete'),
      {
        what,
        prefix,
        collection: question.what === 'dataset_type' ? question.collections : null,
        column: question.what === 'value' ? question.column : null,
        data_id:
          question.what === 'value'
            ? Object.entries(question.dataId).map(([name, value]) => `${name}=${value}`)
            : null
      },
      signal
    );
  }
}
