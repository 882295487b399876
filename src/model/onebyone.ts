import type { IDatasetQuery } from '../api';
import { queryId } from './requests';
import { type Loadable, Resource } from './resource';

/**
 * What is told about dataset types, such as how many datasets there are: asked one at a time and only for
 * what is in view, since each is a real query on a server that others use too.
 */
export class OneByOne<T> {
  constructor(
    private readonly _fetch: (query: IDatasetQuery, signal: AbortSignal) => Promise<T>,
    private readonly _changed: () => void
  ) {}

  state(query: IDatasetQuery): Loadable<T> {
    return this._answers.get(queryId(query))?.state ?? { status: 'unasked' };
  }

  /** These are in view now, and no others: what waited for its turn and scrolled away is dropped. */
  look(queries: readonly IDatasetQuery[]): void {
    this._wanted = queries.map(query => this._resource(query));
    this._next();
  }

  /** Something in this repository changed. */
  invalidate(repository: string): void {
    for (const [key, answer] of this._answers) {
      if (key.startsWith(`${repository}|`)) {
        answer.invalidate();
      }
    }
  }

  cancel(): void {
    this._wanted = [];
    this._answers.forEach(answer => answer.cancel());
  }

  dispose(): void {
    this._wanted = [];
    this._answers.forEach(answer => answer.dispose());
  }

  private _next(): void {
    if (this._running?.loading) {
      return;
    }
    for (const answer of this._wanted) {
      answer.ask();
      if (answer.loading) {
        this._running = answer;
        return;
      }
    }
  }

  private _resource(query: IDatasetQuery): Resource<T> {
    const key = queryId(query);
    let answer = this._answers.get(key);
    if (!answer) {
      const made = new Resource(
        signal => this._fetch(query, signal),
        state => {
          this._changed();
          if (state.status !== 'loading') {
            this._next();
          }
        }
      );
      this._answers.set(key, (answer = made));
    }
    return answer;
  }

  private readonly _answers = new Map<string, Resource<T>>();
  private _wanted: Resource<T>[] = [];
  private _running: Resource<T> | null = null;
}
