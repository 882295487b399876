import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { JobAction, JobRequest } from '../api';
import { type ButlerModel, repositoryId } from '../model';
import { trans } from '../trans';
import { fits, requestForAll, requestForArguments, requestForSelection } from './requests';
import { menuLabel, menuLabelForAll } from './words';

/** Identifiers of the commands of jobs. */
export const JobCommandIDs = {
  reference: 'python-butler:reference',
  pin: 'python-butler:pin',
  prefetch: 'python-butler:prefetch',
  unpin: 'python-butler:unpin',
  forget: 'python-butler:forget',
  retire: 'python-butler:retire',
  prune: 'python-butler:prune',
  showJobs: 'python-butler:show-jobs'
} as const;

/** What the commands have done by others. */
export interface IJobCommandTargets {
  /** Ask, and begin what was agreed to. */
  begin(request: JobRequest): Promise<void>;
  /** Let a person say what is to be pruned. */
  prune(label: string | null): Promise<void>;
  /** The row of the tree below the pointer when its menu was opened, or null. */
  rowOfMenu(): string | null;
  showJobs(): void;
}

const ACTIONS: readonly JobAction[] = ['reference', 'pin', 'prefetch', 'unpin', 'forget', 'retire'];

/** Make every kind of job a command: on its arguments, or on what is chosen, or on all that was found. */
export function addJobCommands(
  commands: CommandRegistry,
  model: ButlerModel,
  targets: IJobCommandTargets
): void {
  for (const action of ACTIONS) {
    const request = (args: ReadonlyPartialJSONObject): JobRequest | null => requestOf(model, action, args);
    commands.addCommand(JobCommandIDs[action as keyof typeof JobCommandIDs], {
      label: args => (args.all === true ? menuLabelForAll(action) : menuLabel(action)),
      isEnabled: args => request(args) !== null,
      // In a menu about official datasets nobody looks for what can be done with personal ones.
      isVisible: args => {
        const kind = model.datasets.target?.repository.kind;
        return kind === undefined || typeof args.label === 'string' || fits(action, kind);
      },
      execute: async args => {
        const wanted = request(args);
        if (wanted) {
          await targets.begin(wanted);
        }
      },
      describedBy: { args: ARGUMENTS }
    });
  }
  const prunable = (args: ReadonlyPartialJSONObject): readonly string[] => {
    const all = model.tree.repositories.filter(
      ({ kind, state }) => kind === 'personal' && state === 'connected'
    );
    // Only the menu of a row is about that row: elsewhere the last menu is long gone.
    const named = args.row === true ? repositoryOfRow(model, targets.rowOfMenu()) : null;
    return all
      .filter(each => args.row !== true || repositoryId(each) === named)
      .map(({ label }) => label)
      .filter(label => typeof args.label !== 'string' || label === args.label);
  };
  commands.addCommand(JobCommandIDs.prune, {
    label: () => menuLabel('prune'),
    isEnabled: args => prunable(args).length > 0,
    execute: async args => {
      const [first] = prunable(args);
      if (first !== undefined) {
        await targets.prune(args.row === true || typeof args.label === 'string' ? first : null);
      }
    },
    describedBy: { args: PRUNE_ARGUMENTS }
  });
  commands.addCommand(JobCommandIDs.showJobs, {
    label: () => trans.__('Show Butler jobs'),
    execute: () => targets.showJobs(),
    describedBy: { args: { type: 'object', properties: {} } }
  });
}

/** Identifier of the repository that a row of the tree belongs to. */
function repositoryOfRow(model: ButlerModel, id: string | null): string | null {
  const { rows } = model.tree;
  const row = id === null ? undefined : rows.at(rows.indexOf(id));
  return row?.id === id && 'repository' in row ? repositoryId(row.repository) : null;
}

function requestOf(
  model: ButlerModel,
  action: JobAction,
  args: ReadonlyPartialJSONObject
): JobRequest | null {
  if (typeof args.label === 'string') {
    return requestForArguments(action, args);
  }
  const { target, selection } = model.datasets;
  // Where all is chosen, most of it need not be here: nor are its versions, which retiring would name.
  if (args.all === true || selection?.whole !== undefined) {
    return target && requestForAll(action, target);
  }
  return selection && requestForSelection(action, selection);
}

const ARGUMENTS = {
  type: 'object',
  properties: {
    all: { type: 'boolean', description: 'Whether all that the list would show is meant.' },
    kind: { type: 'string', enum: ['official', 'personal'], description: 'Where the datasets are.' },
    label: {
      type: 'string',
      description: 'Label of the repository; without it, what is chosen in the panel is meant.'
    },
    collection: { type: 'string', description: 'In which they were found.' },
    datasetType: { type: 'string', description: 'Their type.' },
    datasets: {
      type: 'array',
      description: 'The datasets, as lists of the Butler service have them: id, data_id and run.',
      items: { type: 'object' }
    },
    versions: { type: 'array', description: 'Runs of versions to retire.', items: { type: 'string' } }
  }
} as const;

const PRUNE_ARGUMENTS = {
  type: 'object',
  properties: {
    label: { type: 'string', description: 'Label of the repository.' },
    row: { type: 'boolean', description: 'Whether the repository of the row of the menu is meant.' }
  }
} as const;
