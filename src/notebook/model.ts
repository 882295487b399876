import { type ISignal, Signal } from '@lumino/signaling';

import { MAX_USED, type UsedDataset } from '../api';
import { type ICellNote, type INotice, errorNotice, loadingNotice, Resource } from '../model';
import { trans } from '../trans';
import { type INotedCell, type IQuestion, questionId, questionsOf } from './notes';

/** Asks the server. */
export type AskUsed = (
  question: IQuestion,
  signal: AbortSignal
) => Promise<{ readonly datasets: readonly UsedDataset[] }>;

type Answers = ReadonlyMap<string, UsedDataset>;

/**
 * The datasets in the cells of one notebook, and what became of them.
 */
export class UsedModel {
  constructor(private readonly _ask: AskUsed) {}

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The name of the notebook, or null if none is open. */
  get notebook(): string | null {
    return this._notebook;
  }

  get cells(): readonly INotedCell[] {
    return this._cells;
  }

  /** Whether somebody can see it; nothing is asked for before. */
  set visible(visible: boolean) {
    this._visible = visible;
    this._want();
  }

  /** Show what is in these cells. */
  show(notebook: string | null, cells: readonly INotedCell[]): void {
    this._notebook = notebook;
    this._cells = cells;
    const questions = questionsOf(cells);
    for (const [id, { resource }] of this._asked) {
      if (!questions.has(id)) {
        resource.dispose();
        this._asked.delete(id);
      }
    }
    for (const [id, question] of questions) {
      const known = this._asked.get(id);
      if (!known) {
        this._asked.set(id, this._begin(question));
      } else if (!sameIds(known.question.ids, question.ids)) {
        // What is known stays in place until there is an answer for all of them.
        const value = known.resource.value;
        known.resource.dispose();
        const next = this._begin(question);
        if (value) {
          next.resource.seed(value, true);
        }
        this._asked.set(id, next);
      }
    }
    this._want();
    this._touch();
  }

  /** What became of a dataset of a note, or null while that is not known. */
  stateOf(note: ICellNote, dataset: string): UsedDataset | null {
    return this._asked.get(questionId(note))?.resource.value?.get(dataset) ?? null;
  }

  /** What keeps it from being known, if anything does. */
  get notice(): INotice | null {
    const states = [...this._asked.values()].map(({ resource }) => resource.state);
    for (const state of states) {
      if (state.status === 'failed') {
        return errorNotice(state.error, state.retryAt);
      }
    }
    return states.some(({ status }) => status === 'loading')
      ? loadingNotice(trans.__('what became of the datasets'))
      : null;
  }

  /** Ask again for everything. */
  refresh(): void {
    for (const { resource } of this._asked.values()) {
      resource.invalidate();
    }
    this._want();
  }

  dispose(): void {
    this._isDisposed = true;
    for (const { resource } of this._asked.values()) {
      resource.dispose();
    }
    Signal.clearData(this);
  }

  private _begin(question: IQuestion): { question: IQuestion; resource: Resource<Answers> } {
    const resource = new Resource<Answers>(
      async signal => {
        const found = new Map<string, UsedDataset>();
        for (let start = 0; start < question.ids.length; start += MAX_USED) {
          const ids = question.ids.slice(start, start + MAX_USED);
          const { datasets } = await this._ask({ ...question, ids }, signal);
          datasets.forEach(dataset => found.set(dataset.id, dataset));
        }
        return found;
      },
      () => this._touch(),
      () => this._visible
    );
    return { question, resource };
  }

  private _want(): void {
    if (this._visible) {
      for (const { resource } of this._asked.values()) {
        resource.ask();
      }
    }
  }

  private _touch(): void {
    if (!this._isDisposed) {
      this._stateChanged.emit();
    }
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _asked = new Map<string, { question: IQuestion; resource: Resource<Answers> }>();
  private _notebook: string | null = null;
  private _cells: readonly INotedCell[] = [];
  private _visible = false;
  private _isDisposed = false;
}

function sameIds(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((id, index) => id === other[index]);
}
