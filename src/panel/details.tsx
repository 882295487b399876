import type { ReactElement } from 'react';

import type { DatasetDetails, StoredFile } from '../api';
import {
  type DetailsModel,
  exactSize,
  goneNotice,
  type IDatasetSelection,
  type Loadable,
  nothingChosenNotice,
  onlyOne,
  shortSize
} from '../model';
import { CopyButton, datasetTypeIcon, Field, InsertButton, Notice, Path, Record, Status } from '../parts';
import { trans } from '../trans';
import type { IPanelActions } from './actions';
import { Collections, MadeBy } from './origin';

export interface IDetailsProps {
  readonly model: DetailsModel;
  readonly selection: IDatasetSelection | null;
  readonly details: Loadable<DatasetDetails>;
  readonly actions: IPanelActions;
}

/** What the chosen dataset is, and what can be done with it. */
export function Details(props: IDetailsProps): ReactElement {
  const { selection } = props;
  if (!selection) {
    return <Notice notice={nothingChosenNotice('dataset')} />;
  }
  return (
    <div className="pb-Details">
      <Title selection={selection} />
      <Buttons {...props} selection={selection} />
      {onlyOne(selection) ? <Single {...props} selection={selection} /> : <Several selection={selection} />}
    </div>
  );
}

type IChosenProps = IDetailsProps & { readonly selection: IDatasetSelection };

function Title({ selection }: { readonly selection: IDatasetSelection }): ReactElement {
  const { datasetType } = selection;
  const icon = datasetTypeIcon(datasetType);
  return (
    <div className="pb-Details-title">
      <icon.react tag="span" className="pb-Icon" aria-hidden="true" />
      <span className="pb-mod-strong">{datasetType.name}</span>
      <span className="pb-mod-faint" title={trans.__('Storage class')}>
        {datasetType.storage_class}
      </span>
      {!onlyOne(selection) && <span className="pb-Tag">{howMany(selection)}</span>}
    </div>
  );
}

function Buttons({ selection, actions }: IChosenProps): ReactElement {
  const isOfficial = selection.repository.kind === 'official';
  return (
    <div className="pb-Details-buttons" role="group" aria-label={trans.__('Actions')}>
      {onlyOne(selection) && (
        <button
          type="button"
          className="pb-Button"
          title={trans.__('Show the dataset, what is in it and where it comes from (Enter in the list)')}
          onClick={() => actions.open()}
        >
          {trans.__('Open')}
        </button>
      )}
      <InsertButton
        title={trans.__('Insert in the notebook (Ctrl Enter in the list)')}
        onInsert={() => actions.insert()}
        onChoose={anchor => actions.openInsertMenu(anchor, selection)}
      />
      {isOfficial && actions.offers('reference') && (
        <button
          type="button"
          className="pb-Button"
          title={trans.__('Have it in your personal repository without a copy')}
          onClick={() => actions.run('reference')}
        >
          {trans.__('Reference')}
        </button>
      )}
      {isOfficial && actions.offers('pin') && (
        <button
          type="button"
          className="pb-Button"
          title={trans.__('Keep a copy of its file in your personal repository')}
          onClick={() => actions.run('pin')}
        >
          {trans.__('Pin')}
        </button>
      )}
    </div>
  );
}

function Several({ selection }: { readonly selection: IDatasetSelection }): ReactElement {
  if (selection.whole !== undefined) {
    // Only some of them are here, whose runs are not those of all.
    return (
      <dl className="pb-Fields">
        <Field name={trans.__('datasets')}>{howMany(selection)}</Field>
      </dl>
    );
  }
  const runs = new Set(selection.datasets.map(dataset => dataset.run));
  const [run] = runs;
  return (
    <dl className="pb-Fields">
      <Field name={trans.__('datasets')}>{howMany(selection)}</Field>
      <Field name={trans.__('runs')}>
        {run !== undefined && runs.size === 1 ? (
          <Path name={run} />
        ) : (
          trans._n('%1 run', '%1 runs', runs.size)
        )}
      </Field>
    </dl>
  );
}

function Single({ model, selection, details, actions }: IChosenProps): ReactElement {
  const dataset = onlyOne(selection);
  const known = details.status === 'loaded' ? details.value : null;
  const dataId = known?.data_id ?? dataset?.data_id ?? {};
  return (
    <>
      {known && !known.stored && <Notice notice={goneNotice()} />}
      <dl className="pb-Fields">
        {Object.entries(dataId).map(([name, value]) => (
          <Field key={name} name={name}>
            {value}
          </Field>
        ))}
        <Field name={trans.__('run')}>{dataset && <Path name={dataset.run} />}</Field>
        {known && known.files.length > 0 && <Files files={known.files} />}
        {known && <MadeBy model={model} actions={actions} />}
        {known && <Collections model={model} actions={actions} />}
        <Field name={trans.__('identifier')}>
          <code className="pb-Identifier">{dataset?.id}</code>
          <CopyButton
            label={trans.__('Copy the identifier')}
            onClick={() => actions.copyText(dataset?.id ?? '')}
          />
        </Field>
      </dl>
      <Status
        state={details}
        what={trans.__('the details')}
        onRetry={() => model.retry()}
        onCancel={() => model.cancel()}
        onCopy={text => actions.copyText(text)}
      />
      {known?.records.map(record => (
        <Record key={record.element} record={record} />
      ))}
    </>
  );
}

function Files({ files }: { readonly files: readonly StoredFile[] }): ReactElement {
  const sizes = files.flatMap(({ size }) => (size === null ? [] : [size]));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const isWhole = sizes.length === files.length;
  return (
    <>
      <Field name={trans.__('size')}>
        {sizes.length > 0 ? (
          <span title={isWhole ? exactSize(total) : trans.__('at least %1', exactSize(total))}>
            {shortSize(total)}
            {isWhole ? '' : '+'}
          </span>
        ) : (
          <span className="pb-mod-faint">{trans.__('not recorded')}</span>
        )}
      </Field>
      <Field name={trans._n('file', 'files', files.length)}>
        {files.map(({ name, component, size }) => (
          <span
            key={`${name} ${component ?? ''}`}
            className="pb-File"
            title={size === null ? name : `${name}\n${exactSize(size)}`}
          >
            {component ? `${component}: ` : ''}
            {name}
          </span>
        ))}
      </Field>
    </>
  );
}

function howMany({ datasets, whole }: IDatasetSelection): string {
  return whole === undefined
    ? trans._n('%1 dataset', '%1 datasets', datasets.length)
    : trans.__('all that is found');
}
