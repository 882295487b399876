/**
 * The words that the backend knows, remembered, so that most keystrokes ask nobody.
 */

import type {
  CompletionList,
  CompletionQuestion,
  IRepositoryKey,
  IVocabularyClient,
  Repository,
  Vocabulary
} from '../api';
import { AnswerCache } from './cache';

/** Which butler is asked about. */
export interface IButlerInCode {
  readonly label: string;
  readonly reads: 'official' | 'both';
}

/** One word that fits. */
export interface IWord {
  readonly value: string | number;
  readonly note: string;
  readonly dimensions: readonly string[];
}

/** Asks the backend, as far as nothing is known yet. */
export class Words {
  constructor(
    private readonly _client: IVocabularyClient,
    private readonly _list: (signal: AbortSignal) => Promise<readonly Repository[]>
  ) {}

  /** The repositories that can be opened. */
  async repositories(): Promise<readonly Repository[]> {
    return (await this._repositories.get('', this._list)) ?? [];
  }

  /** The vocabulary of what a butler reads; null while it cannot be had. */
  async vocabulary(butler: IButlerInCode): Promise<Vocabulary | null> {
    for (const key of await this._keys(butler)) {
      const vocabulary = await this._vocabularies.get(JSON.stringify(key), signal =>
        this._client.vocabulary(key, signal)
      );
      if (vocabulary) {
        return vocabulary;
      }
    }
    return null;
  }

  /** Words that begin so, or contain it; those that belong to several repositories once. */
  async complete(butler: IButlerInCode, question: CompletionQuestion): Promise<IWord[]> {
    const keys = await this._keys(butler);
    const answers = await Promise.all(keys.map(key => this._complete(key, question, keys)));
    const words = new Map<string | number, IWord>();
    for (const word of answers.flatMap(answer => answer?.items ?? [])) {
      if (!words.has(word.value)) {
        words.set(word.value, word);
      }
    }
    return [...words.values()];
  }

  private _complete(
    key: IRepositoryKey,
    question: CompletionQuestion,
    keys: readonly IRepositoryKey[]
  ): Promise<CompletionList | null> {
    const known = this._known(key, question);
    if (known) {
      return Promise.resolve(known);
    }
    // Of what was begun before, only this is still wanted.
    this._completions.giveUp(new Set(keys.map(one => nameOf(one, question))));
    return this._completions.get(nameOf(key, question), signal =>
      this._client.complete(key, question, signal)
    );
  }

  /** What a complete answer to a shorter beginning says. */
  private _known(key: IRepositoryKey, question: CompletionQuestion): CompletionList | null {
    const wanted = question.prefix.toLowerCase();
    for (let length = question.prefix.length - 1; length >= 0; length--) {
      const prefix = question.prefix.slice(0, length);
      // With a dot begins something else: the components of a dataset type.
      const isSame = question.what !== 'dataset_type' || prefix.includes('.') === wanted.includes('.');
      const answer = isSame ? this._completions.peek(nameOf(key, { ...question, prefix })) : null;
      if (answer && !answer.capped) {
        const items = answer.items.filter(({ value }) => String(value).toLowerCase().includes(wanted));
        return { items, capped: false };
      }
    }
    return null;
  }

  /** The repositories that a butler reads; those that are not known are not asked about. */
  private async _keys({ label, reads }: IButlerInCode): Promise<IRepositoryKey[]> {
    const known = await this.repositories();
    return known
      .filter(repository => repository.label === label || repository.location === label)
      .filter(
        repository =>
          repository.location === label ||
          repository.kind === 'official' ||
          (reads === 'both' && repository.state !== 'absent')
      )
      .map(({ kind, label: name }) => ({ kind, label: name }));
  }

  private readonly _repositories = new AnswerCache<readonly Repository[]>(60_000);
  private readonly _vocabularies = new AnswerCache<Vocabulary>(600_000);
  private readonly _completions = new AnswerCache<CompletionList>(60_000);
}

function nameOf(key: IRepositoryKey, question: CompletionQuestion): string {
  return JSON.stringify([key.kind, key.label, question]);
}
