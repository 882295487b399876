import { caretDownIcon, copyIcon } from '@jupyterlab/ui-components';
import { Fragment, type ReactElement, type ReactNode } from 'react';

import type { DatasetDetails, DimensionRecord, StoredFile } from '../api';
import {
  cancelledNotice,
  counted,
  type DetailsModel,
  errorNotice,
  exactSize,
  goneNotice,
  type IDatasetSelection,
  type Loadable,
  loadingNotice,
  nothingChosenNotice,
  shortSize
} from '../model';
import type { IPanelActions } from './actions';
import { datasetTypeIcon } from './icons';
import { Notice } from './notice';

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
      {selection.datasets.length === 1 ? (
        <Single {...props} selection={selection} />
      ) : (
        <Several selection={selection} />
      )}
    </div>
  );
}

type IChosenProps = IDetailsProps & { readonly selection: IDatasetSelection };

function Title({ selection }: { readonly selection: IDatasetSelection }): ReactElement {
  const { datasetType, datasets } = selection;
  const icon = datasetTypeIcon(datasetType);
  return (
    <div className="pb-Details-title">
      <icon.react tag="span" className="pb-Icon" aria-hidden="true" />
      <span className="pb-mod-strong">{datasetType.name}</span>
      <span className="pb-mod-faint" title="Storage class">
        {datasetType.storage_class}
      </span>
      {datasets.length > 1 && <span className="pb-Tag">{counted(datasets.length, 'dataset')}</span>}
    </div>
  );
}

function Buttons({ selection, actions }: IChosenProps): ReactElement {
  return (
    <div className="pb-Details-buttons">
      <span className="pb-SplitButton">
        <button
          type="button"
          className="pb-Button pb-mod-accept"
          title="Insert in the notebook (Ctrl Enter in the list)"
          onClick={() => actions.insert()}
        >
          Insert
        </button>
        <button
          type="button"
          className="pb-Button pb-mod-accept"
          title="Choose what to insert"
          aria-label="Choose what to insert"
          aria-haspopup="menu"
          onClick={event => actions.openInsertMenu(event.currentTarget, selection)}
        >
          <caretDownIcon.react tag="span" aria-hidden="true" />
        </button>
      </span>
      <button type="button" className="pb-Button" onClick={() => actions.copyCode()}>
        Copy code
      </button>
      <button type="button" className="pb-Button" onClick={() => actions.copyReference()}>
        Copy reference
      </button>
    </div>
  );
}

function Several({ selection }: { readonly selection: IDatasetSelection }): ReactElement {
  const runs = new Set(selection.datasets.map(dataset => dataset.run));
  const [run] = runs;
  return (
    <dl className="pb-Fields">
      <Field name="datasets">{counted(selection.datasets.length, 'dataset')}</Field>
      <Field name="runs">
        {run !== undefined && runs.size === 1 ? <Path name={run} /> : counted(runs.size, 'run')}
      </Field>
    </dl>
  );
}

function Single({ model, selection, details, actions }: IChosenProps): ReactElement {
  const dataset = selection.datasets[0];
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
        <Field name="run">{dataset && <Path name={dataset.run} />}</Field>
        {known && known.files.length > 0 && <Files files={known.files} />}
        <Field name="identifier">
          <code className="pb-Identifier">{dataset?.id}</code>
          <button
            type="button"
            className="pb-IconButton"
            title="Copy the identifier"
            aria-label="Copy the identifier"
            onClick={() => actions.copyText(dataset?.id ?? '')}
          >
            <copyIcon.react tag="span" aria-hidden="true" />
          </button>
        </Field>
      </dl>
      {(details.status === 'loading' || details.status === 'unasked') && (
        <Notice notice={loadingNotice('the details')} onCancel={() => model.cancel()} />
      )}
      {details.status === 'cancelled' && (
        <Notice notice={cancelledNotice('the details')} onRetry={() => model.retry()} />
      )}
      {details.status === 'failed' && (
        <Notice
          notice={errorNotice(details.error, details.retryAt)}
          onRetry={() => model.retry()}
          onCancel={() => model.cancel()}
          onCopy={text => actions.copyText(text)}
        />
      )}
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
      <Field name="size">
        {sizes.length > 0 ? (
          <span title={`${isWhole ? '' : 'at least '}${exactSize(total)}`}>
            {shortSize(total)}
            {isWhole ? '' : '+'}
          </span>
        ) : (
          <span className="pb-mod-faint">not recorded</span>
        )}
      </Field>
      <Field name={files.length === 1 ? 'file' : 'files'}>
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

/** What is known of one dimension, closed at first: there is much of it. */
function Record({ record }: { readonly record: DimensionRecord }): ReactElement {
  return (
    <details className="pb-Record">
      <summary>{record.element}</summary>
      <dl className="pb-Fields">
        {Object.entries(record.fields).map(([name, value]) => (
          <Field key={name} name={name}>
            {value === null ? <span className="pb-mod-faint">none</span> : String(value)}
          </Field>
        ))}
      </dl>
    </details>
  );
}

/** A long name that breaks, if it has to, where its parts end. */
function Path({ name }: { readonly name: string }): ReactElement {
  const parts = name.split(/(?<=\/)/);
  return (
    <>
      {parts.map((part, index) => (
        <Fragment key={index}>
          {part}
          <wbr />
        </Fragment>
      ))}
    </>
  );
}

function Field({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement {
  return (
    <div className="pb-Field">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
