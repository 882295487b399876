import type { ReactElement } from 'react';

import type { UsedDataset } from '../api';
import { type ICellNote, type INotice } from '../model';
import { Notice } from '../parts';
import { trans } from '../trans';
import type { UsedModel } from './model';
import type { INotedCell } from './notes';

/** What the list has done by others. */
export interface IUsedActions {
  /** Go to a cell of the notebook. */
  goTo(cell: INotedCell): void;
  /** Show datasets in the Butler panel. */
  showInPanel(note: ICellNote, id: string | null): void;
  copyText(text: string): void;
}

export interface IUsedProps {
  readonly model: UsedModel;
  readonly actions: IUsedActions;
}

/** Most datasets shown of one cell. */
const MOST = 100;

/** The datasets of a notebook by cell, with what became of them. */
export function UsedDatasets({ model, actions }: IUsedProps): ReactElement {
  const { notebook, cells, notice } = model;
  return (
    <>
      <div className="pb-Used-head">
        <h2 className="pb-Used-title">{trans.__('Datasets used by this notebook')}</h2>
        {cells.length > 0 && (
          <button type="button" className="pb-Button" onClick={() => model.refresh()}>
            {trans.__('Check again')}
          </button>
        )}
      </div>
      {notice && (
        <Notice notice={notice} onRetry={() => model.refresh()} onCopy={text => actions.copyText(text)} />
      )}
      {cells.length === 0 && <Notice notice={nothingUsed(notebook)} />}
      <ul className="pb-Used-cells">
        {cells.map(cell => (
          <li key={cell.id} className="pb-Used-cell">
            <button type="button" className="pb-Link pb-Used-goto" onClick={() => actions.goTo(cell)}>
              {trans.__('Cell %1', cell.index + 1)}
            </button>
            {cell.notes.map((note, index) => (
              <Note key={index} note={note} model={model} actions={actions} />
            ))}
          </li>
        ))}
      </ul>
    </>
  );
}

function Note({ note, model, actions }: IUsedProps & { readonly note: ICellNote }): ReactElement {
  const { dataset_type, collection, repository, datasets } = note;
  return (
    <div className="pb-Used-note">
      <div>
        <span className="pb-mod-strong">{dataset_type}</span>
        <span className="pb-mod-faint"> {trans.__('in %1 of %2', collection, repository.label)}</span>
      </div>
      {datasets.length === 0 && (
        <ShowButton name={trans.__('the query')} onClick={() => actions.showInPanel(note, null)}>
          {trans.__('A query')}
        </ShowButton>
      )}
      <ul className="pb-Used-datasets">
        {datasets.slice(0, MOST).map(id => (
          <Dataset
            key={id}
            id={id}
            used={model.stateOf(note, id)}
            show={() => actions.showInPanel(note, id)}
          />
        ))}
      </ul>
      {datasets.length > MOST && (
        <div className="pb-mod-faint">{trans.__('and %1 more', datasets.length - MOST)}</div>
      )}
    </div>
  );
}

interface IDatasetProps {
  readonly id: string;
  readonly used: UsedDataset | null;
  readonly show: () => void;
}

function Dataset({ id, used, show }: IDatasetProps): ReactElement {
  const values = Object.entries(used?.data_id ?? {}).filter(
    ([name]) => name !== 'instrument' && name !== 'skymap'
  );
  const name = values.map(pair => pair.join(' ')).join(' · ') || id;
  const badge = used && badgeOf(used);
  return (
    <li className="pb-Used-dataset" data-state={used?.state}>
      <ShowButton name={name} onClick={show}>
        {name}
      </ShowButton>
      {badge && (
        <span className="pb-Used-badge" title={badge.explanation}>
          {badge.text}
        </span>
      )}
    </li>
  );
}

function ShowButton(props: {
  readonly name: string;
  readonly onClick: () => void;
  readonly children: string;
}): ReactElement {
  return (
    <button
      type="button"
      className="pb-Link"
      title={trans.__('Show %1 in the Butler panel', props.name)}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

/** What a person should know before trusting a dataset; null if all is well. */
export function badgeOf({ state, newer, run }: UsedDataset): { text: string; explanation: string } | null {
  switch (state) {
    case 'current':
      return null;
    case 'stale':
      return {
        text: trans.__('stale'),
        explanation: trans.__(
          'The collection now gives the one of run %1 for this data ID; this one is of run %2.',
          newer?.run ?? '',
          run ?? ''
        )
      };
    case 'gone':
      return {
        text: trans.__('file missing'),
        explanation: trans.__('The registry knows it, but its file is not there: reading it will fail.')
      };
    case 'unknown':
      return {
        text: trans.__('removed'),
        explanation: trans.__('The repository does not know it any more.')
      };
  }
}

function nothingUsed(notebook: string | null): INotice {
  const none = { state: 'empty', retry: null, retryAt: null, error: null } as const;
  return notebook === null
    ? {
        ...none,
        message: trans.__('No notebook is open.'),
        nextStep: trans.__('Open one to see which datasets are in it.')
      }
    : {
        ...none,
        message: trans.__('No cell of %1 says which datasets are in it.', notebook),
        nextStep: trans.__('Cells that are inserted from the Butler panel do.')
      };
}
