import type { DatasetCount, IButlerClient, IDatasetQuery } from '../api';
import { requestId } from './requests';
import { type Loadable, Resource } from './resource';

/**
 * How many datasets there are, asked one at a time and only for what is in view: a count is a real
 * query on a server that others use too.
 */
export class Counts {
  constructor(
    private readonly _client: IButlerClient,
    private readonly _changed: () => void
  ) {}

  state(query: IDatasetQuery): Loadable<DatasetCount> {
    return this._counts.get(keyOf(query))?.state ?? { status: 'unasked' };
  }

  /** These are in view now, and no others: what waited for its turn and scrolled away is dropped. */
  look(queries: readonly IDatasetQuery[]): void {
    this._wanted = queries.map(query => this._resource(query));
    this._next();
  }

  /** Something in this repository changed. */
  invalidate(repository: string): void {
    for (const [key, count] of this._counts) {
      if (key.startsWith(`${repository}|`)) {
        count.invalidate();
      }
    }
  }

  cancel(): void {
    this._wanted = [];
    this._counts.forEach(count => count.cancel());
  }

  dispose(): void {
    this._wanted = [];
    this._counts.forEach(count => count.dispose());
  }

  private _next(): void {
    if (this._running?.loading) {
      return;
    }
    for (const count of this._wanted) {
      count.ask();
      if (count.loading) {
        this._running = count;
        return;
      }
    }
  }

  private _resource(query: IDatasetQuery): Resource<DatasetCount> {
    const key = keyOf(query);
    let count = this._counts.get(key);
    if (!count) {
      const made = new Resource(
        signal => this._client.count(query, signal),
        state => {
          this._changed();
          if (state.status !== 'loading') {
            this._next();
          }
        }
      );
      this._counts.set(key, (count = made));
    }
    return count;
  }

  private readonly _counts = new Map<string, Resource<DatasetCount>>();
  private _wanted: Resource<DatasetCount>[] = [];
  private _running: Resource<DatasetCount> | null = null;
}

function keyOf(query: IDatasetQuery): string {
  return requestId({ what: 'count', query });
}
