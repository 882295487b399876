import type { ErrorReport, IButlerClient, IRepositoryKey, Repository } from '../api';
import { repositoryStateOf } from './notices';
import { repositoryId } from './requests';
import { type Loadable, made, Resource } from './resource';

/**
 * Which repositories there are and how each stands: what the list said, and what was found out since.
 */
export class RepositoryStanding {
  /**
   * @param _touch - Told of every change.
   * @param _returned - Told of a repository that can be read, once that was looked at.
   */
  constructor(
    private readonly _client: IButlerClient,
    private readonly _touch: () => void,
    private readonly _returned: (key: IRepositoryKey) => void
  ) {
    this.list = new Resource(
      async signal => {
        this._generation += 1;
        return (await _client.repositories(signal)).repositories;
      },
      state => {
        if (state.status === 'loaded') {
          this._forgetOlderFindings();
          this._doubtful = new Set(
            state.value.filter(isInTrouble).map(repository => repositoryId(repository))
          );
        }
        this._touch();
      }
    );
  }

  /** The list itself. */
  readonly list: Resource<Repository[]>;

  /** The repositories known, even if only from the last time. */
  get all(): readonly Repository[] {
    return (this.list.value ?? []).map(
      repository => this._findings.get(repositoryId(repository))?.repository ?? repository
    );
  }

  get state(): Loadable<readonly Repository[]> {
    const { state } = this.list;
    return state.status === 'loaded' ? { ...state, value: this.all } : state;
  }

  /** The list and all looks at single repositories. */
  get resources(): Resource<unknown>[] {
    return [this.list, ...this._checks.values()] as Resource<unknown>[];
  }

  /** The repository as it is known now. */
  find(key: IRepositoryKey): Repository | undefined {
    return this.all.find(repository => repositoryId(repository) === repositoryId(key));
  }

  /** Whether it is being looked at just now. */
  isChecked(key: IRepositoryKey): boolean {
    return this._checks.get(repositoryId(key))?.loading ?? false;
  }

  /** Whether it cannot be read, or is just being looked at. */
  isAway(key: IRepositoryKey): boolean {
    return this.find(key)?.state !== 'connected' || this.isChecked(key);
  }

  /** A look at one repository now. */
  check(key: IRepositoryKey): Resource<Repository> {
    return made(
      this._checks,
      repositoryId(key),
      () =>
        new Resource(
          signal => this._client.repository(key, signal),
          state => {
            if (state.status === 'loaded') {
              this.replace(state.value);
              this._returned(key);
            } else if (state.status === 'failed') {
              const repository = this.find(key);
              if (repository) {
                const { error } = state;
                this.replace({ ...repository, state: repositoryStateOf(error) ?? 'error', error });
              }
            }
            this._touch();
          }
        )
    );
  }

  /** The list may tell of troubles that are long over: the first who sees one has it looked at again. */
  doubt(key: IRepositoryKey): void {
    if (this._doubtful.delete(repositoryId(key))) {
      this.check(key).retry();
    }
  }

  /** Look again at all that are in trouble. */
  checkTroubled(): void {
    for (const repository of this.all.filter(isInTrouble)) {
      this.check(repository).retry();
    }
  }

  /** A question about it failed: what that says of the repository itself counts. */
  noteFailure(key: IRepositoryKey, error: ErrorReport): void {
    const state = repositoryStateOf(error);
    const repository = this.find(key);
    // A busy server is connected; only this one query has to wait.
    if (state !== null && state !== 'busy' && repository) {
      this.replace({ ...repository, state, error });
    }
  }

  /** What was found out about one repository counts until a list that was asked for later comes. */
  replace(repository: Repository): void {
    this._findings.set(repositoryId(repository), { repository, generation: this._generation });
    this._touch();
  }

  private _forgetOlderFindings(): void {
    for (const [id, { generation }] of this._findings) {
      if (generation < this._generation) {
        this._findings.delete(id);
      }
    }
  }

  private readonly _checks = new Map<string, Resource<Repository>>();
  private readonly _findings = new Map<string, { repository: Repository; generation: number }>();
  /** Repositories that the list says are in trouble, not looked at since. */
  private _doubtful = new Set<string>();
  private _generation = 0;
}

function isInTrouble({ state }: Repository): boolean {
  return state !== 'connected' && state !== 'absent';
}
