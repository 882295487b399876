import type { IStateDB } from '@jupyterlab/statedb';

import type { IButlerClient } from '../api';
import { DatasetListModel } from './datasets';
import { DetailsModel } from './details';
import { type IRemembered, Memory } from './memory';
import { TreeModel } from './tree';
import { VersionWatch } from './watch';

/**
 * Everything the panel shows, and how its parts follow one another.
 */
export class ButlerModel {
  constructor(options: { readonly client: IButlerClient; readonly state: IStateDB | null }) {
    const { client, state } = options;
    this.tree = new TreeModel(client);
    this.datasets = new DatasetListModel(client);
    this.details = new DetailsModel(client);
    this.watch = new VersionWatch({ client, seconds: 10, idle: () => !this._visible });
    this._memory = new Memory(state);

    this.tree.stateChanged.connect(() => {
      this._remember();
      this._followRecovery();
    });
    this.datasets.stateChanged.connect(() => this.details.show(this.datasets.selection));
    this.datasets.failed.connect((_, { key, error }) => this.tree.noteFailure(key, error));
    this.watch.changed.connect((_, labels) => this._refreshPersonal(labels));
    this.watch.answered.connect(() => {
      // The backend answers again: what it could not list before, it can now.
      if (this.tree.failed) {
        this.tree.reload();
      }
    });
  }

  readonly tree: TreeModel;
  readonly datasets: DatasetListModel;
  readonly details: DetailsModel;
  readonly watch: VersionWatch;

  /** Whether somebody can see the panel; nothing is asked of the server before. */
  set visible(visible: boolean) {
    this._visible = visible;
    if (visible) {
      // Much may have changed while nobody looked.
      this.watch.look();
    }
  }

  /** Sizes of the sections, to be remembered with the rest. */
  get sections(): IRemembered['sections'] {
    return this._sections;
  }

  set sections(sections: IRemembered['sections']) {
    this._sections = sections;
    this._remember();
  }

  /** Begin where the person left off. */
  async restore(): Promise<void> {
    const remembered = await this._memory.fetch();
    this._sections = remembered.sections;
    this._repositories = remembered.repositories;
    this.tree.restore(remembered);
    this._restored = true;
  }

  /** Ask again for everything that is seen. */
  refresh(): void {
    this.tree.refresh();
    if (this.datasets.target) {
      void this.datasets.refresh(this.datasets.target.repository);
      this.details.refresh(this.datasets.target.repository);
    }
    this.watch.look();
  }

  /** Try again what failed or was stopped. */
  retry(): void {
    for (const row of this.tree.rows) {
      if (row.kind === 'notice' && row.retry) {
        this.tree.retry(row.retry);
      }
    }
    this.datasets.retry();
    this.details.retry();
  }

  /** Stop everything that is under way. */
  cancel(): void {
    this.tree.cancel();
    this.datasets.cancel();
    this.details.cancel();
  }

  dispose(): void {
    this.watch.dispose();
    this.tree.dispose();
    this.datasets.dispose();
    this.details.dispose();
    this._memory.dispose();
  }

  private _refreshPersonal(labels: readonly string[]): void {
    for (const label of labels) {
      const key = { kind: 'personal', label } as const;
      if (!this.tree.find(key)) {
        this.tree.reload();
        continue;
      }
      // The first write made it: its state is another now, and so is all that is in it.
      this.tree.recheck(key);
      this.tree.invalidate(key);
      void this.datasets.refresh(key);
      this.details.refresh(key);
    }
  }

  /** When the repository of what is listed can be read again, what failed of it is asked for again. */
  private _followRecovery(): void {
    const { target, state } = this.datasets;
    const isConnected = target === null || this.tree.find(target.repository)?.state === 'connected';
    const isRecovered = isConnected && !this._wasConnected;
    this._wasConnected = isConnected;
    if (isRecovered) {
      // What a person has stopped stays stopped.
      if (state.status === 'failed') {
        this.datasets.retry();
      }
      if (this.details.details.status === 'failed') {
        this.details.retry();
      }
    }
  }

  private _remember(): void {
    if (this._restored) {
      const { toggled, repositories } = this.tree;
      // A list that could not be had does not undo what was known.
      this._repositories = repositories.length > 0 ? repositories : this._repositories;
      this._memory.save({ toggled, repositories: this._repositories, sections: this._sections });
    }
  }

  private readonly _memory: Memory;
  private _sections: IRemembered['sections'] = null;
  private _repositories: IRemembered['repositories'] = [];
  private _restored = false;
  private _visible = false;
  /** Whether the repository of what is listed could be read when somebody last looked. */
  private _wasConnected = true;
}
