import { type ISignal, Signal } from '@lumino/signaling';

import { AbortedError, type ErrorReport, type IButlerClient, reportOf, type Repository } from '../api';
import { type IKnown, type ISearchResult, KnownSearch, resultOfMatch } from './known';
import { repositoryId } from './requests';

/** How far the search of one repository has come. */
export type RepositorySearch = { readonly repository: Repository } & (
  | { readonly status: 'searching' }
  /** The server asked to come back later; it will be asked again at this time, in ms since the epoch. */
  | { readonly status: 'busy'; readonly until: number }
  /** Everything was looked at. */
  | { readonly status: 'exhausted'; readonly total: number }
  /** More match than are shown. */
  | { readonly status: 'capped'; readonly total: number }
  | { readonly status: 'cancelled' }
  /** It cannot be read, so that only what was loaded before is found in it. */
  | { readonly status: 'away' }
  | { readonly status: 'error'; readonly error: ErrorReport }
);

/** How far the search has come as a whole. */
export type SearchStatus = 'idle' | 'searching' | 'found' | 'exhausted' | 'capped' | 'error';

/** Most results that are shown of each source. */
export const MOST_RESULTS = 500;

/** Milliseconds without another key before the servers are asked. */
const PAUSE = 250;

/**
 * A search for collections, dataset types and datasets: at once in what has been loaded, then on the servers.
 */
export class SearchModel {
  constructor(
    private readonly _client: IButlerClient,
    private readonly _source: {
      readonly known: () => readonly IKnown[];
      readonly repositories: () => readonly Repository[];
    }
  ) {}

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** What is searched for; empty if nothing is. */
  get text(): string {
    return this._text;
  }

  /** What was found so far, without doubles: what had been loaded first, then what the servers found. */
  get results(): readonly ISearchResult[] {
    return this._results;
  }

  /** How many of what had been loaded match, shown or not. */
  get knownTotal(): number {
    return this._knownTotal;
  }

  get repositories(): readonly RepositorySearch[] {
    return [...this._searches.values()];
  }

  get status(): SearchStatus {
    const searches = this.repositories;
    if (this._text.trim() === '') {
      return 'idle';
    }
    // Nothing was looked through before it is known where.
    const isEarly = this._source.repositories().length === 0 && !this._stopped;
    if (
      this._waiting ||
      isEarly ||
      searches.some(({ status }) => status === 'searching' || status === 'busy')
    ) {
      return this._results.length > 0 ? 'found' : 'searching';
    }
    if (searches.some(({ status }) => status === 'error')) {
      return 'error';
    }
    return this._knownTotal > MOST_RESULTS || searches.some(({ status }) => status === 'capped')
      ? 'capped'
      : 'exhausted';
  }

  /** A person is about to type: what takes a moment is done now, not at the first key. */
  prepare(): void {
    this._known.learn(this._source.known());
  }

  /** Search for something else; nothing of the search before will come any more. */
  search(text: string): void {
    if (text === this._text) {
      return;
    }
    this._stop();
    this._text = text;
    this._searches.clear();
    this._results = [];
    this._knownTotal = 0;
    this._waiting = false;
    this._stopped = false;
    if (text.trim() !== '') {
      const { results, total } = this._known.search(this._source.known(), text, MOST_RESULTS);
      this._results = results;
      this._knownTotal = total;
      this._waiting = true;
      this._timer = setTimeout(() => this._ask(), PAUSE);
    }
    this._stateChanged.emit();
  }

  /** Ask the servers now, without waiting for another key. */
  hurry(): void {
    if (this._waiting) {
      clearTimeout(this._timer);
      this._ask();
    }
  }

  /** Stop asking; what was found stays. */
  cancel(): void {
    if (this.status !== 'searching' && this.status !== 'found') {
      return;
    }
    this._stop();
    this._waiting = false;
    this._stopped = true;
    for (const [id, { repository, status }] of this._searches) {
      if (status === 'searching' || status === 'busy') {
        this._searches.set(id, { repository, status: 'cancelled' });
      }
    }
    this._searchOthers();
    this._stateChanged.emit();
  }

  /** Ask those again that failed or were stopped. */
  retry(): void {
    this._stopped = false;
    for (const { repository, status } of this.repositories) {
      if (status === 'error' || status === 'cancelled' || status === 'away') {
        void this._searchIn(repository);
      }
    }
  }

  /** There may be repositories that were not known, or could not be read, when the others were searched. */
  follow(): void {
    if (this._text.trim() !== '' && !this._waiting && this._searchOthers()) {
      this._stateChanged.emit();
    }
  }

  dispose(): void {
    this._isDisposed = true;
    this._stop();
    Signal.clearData(this);
  }

  private _stop(): void {
    clearTimeout(this._timer);
    this._abort.abort();
    this._abort = new AbortController();
    this._request += 1;
  }

  private _ask(): void {
    this._waiting = false;
    this._searchOthers();
    this._stateChanged.emit();
  }

  /** Search the repositories that were not searched; gives whether there are any. */
  private _searchOthers(): boolean {
    const others = this._source.repositories().filter(repository => {
      const before = this._searches.get(repositoryId(repository))?.status;
      return repository.state === 'connected'
        ? before === undefined || before === 'away'
        : before === undefined && repository.state !== 'absent';
    });
    for (const repository of others) {
      if (repository.state !== 'connected') {
        this._searches.set(repositoryId(repository), { repository, status: 'away' });
      } else if (this._stopped) {
        this._searches.set(repositoryId(repository), { repository, status: 'cancelled' });
      } else {
        void this._searchIn(repository);
      }
    }
    return others.length > 0;
  }

  private async _searchIn(repository: Repository): Promise<void> {
    const request = String(this._request);
    const { signal } = this._abort;
    const isCurrent = (word: string): boolean => word === String(this._request) && !signal.aborted;
    const set = (state: RepositorySearch): void => {
      if (isCurrent(request)) {
        this._searches.set(repositoryId(repository), state);
        this._stateChanged.emit();
      }
    };
    set({ repository, status: 'searching' });
    let outcome: RepositorySearch = { repository, status: 'exhausted', total: 0 };
    try {
      const question = { text: this._text.trim(), request, limit: MOST_RESULTS };
      for await (const event of this._client.search(repository, question, signal)) {
        if (event.event === 'busy') {
          set({ repository, status: 'busy', until: Date.now() + event.retry_in * 1000 });
        } else if (!isCurrent(event.request)) {
          // Whoever answers an older question answers nobody.
          return;
        } else if (event.event === 'found') {
          this._add(event.matches.map(match => resultOfMatch(repository, match)));
          set({ repository, status: 'searching' });
        } else {
          const { total } = event;
          outcome = { repository, status: event.capped ? 'capped' : 'exhausted', total };
        }
      }
    } catch (reason) {
      if (reason instanceof AbortedError) {
        return;
      }
      outcome = { repository, status: 'error', error: reportOf(reason) };
    }
    set(outcome);
  }

  private _add(results: readonly ISearchResult[]): void {
    const known = new Map(this._results.map((result, index) => [result.id, index]));
    const next = [...this._results];
    for (const result of results) {
      const index = known.get(result.id);
      if (index === undefined) {
        known.set(result.id, next.push(result) - 1);
      } else if (next[index]?.doc === '') {
        // The server knows more of it.
        next[index] = { ...result, place: next[index].place ?? result.place };
      }
    }
    this._results = next;
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _known = new KnownSearch();
  private readonly _searches = new Map<string, RepositorySearch>();
  private _text = '';
  private _results: readonly ISearchResult[] = [];
  private _knownTotal = 0;
  private _waiting = false;
  /** Whether a person has stopped it: nothing is asked before that person wants it again. */
  private _stopped = false;
  private _request = 0;
  private _abort = new AbortController();
  private _timer: ReturnType<typeof setTimeout> | undefined = undefined;
  private _isDisposed = false;
}
