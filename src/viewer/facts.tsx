import type { ReactElement, ReactNode } from 'react';

import type { DatasetDetails, MemoryCost, StoredFile } from '../api';
import { exactSize, shortSize } from '../model';
import { CopyButton, Field, Holding, HoldingsStatus, Notice, Path, Record, Status } from '../parts';
import { trans } from '../trans';
import type { IViewerActions } from './actions';
import type { ViewerModel } from './model';

export interface IFactsProps {
  readonly model: ViewerModel;
  readonly details: DatasetDetails;
  readonly actions: IViewerActions;
}

/** Everything that is recorded of a dataset, and what it would take to read it. */
export function Facts({ model, details, actions }: IFactsProps): ReactElement {
  return (
    <aside className="pb-Viewer-facts" aria-label={trans.__('Facts')}>
      <Section title={trans.__('Data ID')}>
        <dl className="pb-Fields">
          {Object.entries(details.data_id).map(([name, value]) => (
            <Field key={name} name={name}>
              {value}
            </Field>
          ))}
          {Object.keys(details.data_id).length === 0 && (
            <p className="pb-mod-faint">{trans.__('One for the whole run.')}</p>
          )}
        </dl>
      </Section>
      <Section title={trans.__('Dataset')}>
        <dl className="pb-Fields">
          <Field name={trans.__('type')}>{details.dataset_type.name}</Field>
          <Field name={trans.__('storage class')}>{details.dataset_type.storage_class}</Field>
          <Field name={trans.__('run')}>
            <Path name={details.run} />
          </Field>
          <Field name={trans.__('identifier')}>
            <code className="pb-Identifier">{details.id}</code>
            <CopyButton
              label={trans.__('Copy the identifier')}
              onClick={() => actions.copyText(details.id)}
            />
          </Field>
        </dl>
      </Section>
      <Section title={trans.__('File')}>
        <Files files={details.files} copy={actions.copyText} />
        <Memory model={model} stored={details.stored} />
      </Section>
      <Section title={trans.__('Collections')}>
        <Holdings model={model} actions={actions} />
      </Section>
      {details.records.length > 0 && (
        <Section title={trans.__('Dimension records')}>
          {details.records.map(record => (
            <Record key={record.element} record={record} />
          ))}
        </Section>
      )}
    </aside>
  );
}

function Section({
  title,
  children
}: {
  readonly title: string;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <section className="pb-Viewer-section">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

interface IFilesProps {
  readonly files: readonly StoredFile[];
  copy(text: string): void;
}

function Files({ files, copy }: IFilesProps): ReactElement {
  if (files.length === 0) {
    return <p className="pb-Viewer-text pb-mod-faint">{trans.__('No file is recorded.')}</p>;
  }
  return (
    <>
      {files.map(({ name, size, component, checksum, place }) => (
        <dl className="pb-Fields" key={`${component ?? ''} ${name}`}>
          {component !== null && <Field name={trans.__('component')}>{component}</Field>}
          <Field name={trans.__('where')}>
            {place === 'official'
              ? trans.__('in the official archive')
              : trans.__('in your personal repository')}
          </Field>
          <Field name={trans.__('name')}>
            <Path name={name} />
            <CopyButton label={trans.__('Copy the name of the file')} onClick={() => copy(name)} />
          </Field>
          <Field name={trans.__('size')}>
            {size === null ? <Unrecorded /> : <span title={exactSize(size)}>{shortSize(size)}</span>}
          </Field>
          <Field name={trans.__('checksum')}>
            {checksum === null ? <Unrecorded /> : <code className="pb-Identifier">{checksum}</code>}
          </Field>
        </dl>
      ))}
    </>
  );
}

function Memory({
  model,
  stored
}: {
  readonly model: ViewerModel;
  readonly stored: boolean;
}): ReactElement | null {
  if (!stored) {
    return null;
  }
  const { memory } = model;
  return (
    <>
      {memory.status === 'loaded' && (
        <dl className="pb-Fields">
          <Field name={trans.__('in memory')}>
            <MemoryText cost={memory.value} />
          </Field>
        </dl>
      )}
      <Status
        state={memory}
        what={trans.__('the memory it needs')}
        onRetry={() => model.retryMemory()}
        onCancel={() => model.cancel()}
      />
    </>
  );
}

function MemoryText({ cost }: { readonly cost: MemoryCost }): ReactElement {
  const { needed, basis, free, limited } = cost;
  const room = limited
    ? trans.__('%1 free within the limit of this session', shortSize(free))
    : trans.__('%1 free on this machine', shortSize(free));
  if (needed === null) {
    return <span>{trans.__('not known; %1', room)}</span>;
  }
  const hint =
    basis === 'header'
      ? trans.__('Estimated from the header of the file.')
      : trans.__('Estimated from the size of the file.');
  return <span title={hint}>{trans.__('about %1; %2', shortSize(needed), room)}</span>;
}

/** A warning above everything else when reading the dataset would end the kernel. */
export function MemoryWarning({ model }: { readonly model: ViewerModel }): ReactElement | null {
  const { memory } = model;
  if (memory.status !== 'loaded' || memory.value.fits !== false || memory.value.needed === null) {
    return null;
  }
  const { needed, free } = memory.value;
  return (
    <Notice
      notice={{
        state: 'gone',
        message: trans.__(
          'Read whole, this takes about %1 of memory, and %2 are free: the kernel may be ended.',
          shortSize(needed),
          shortSize(free)
        ),
        nextStep: trans.__('Insert a part of it: columns, a cutout, or a deferred handle.'),
        retry: null,
        retryAt: null,
        error: null
      }}
    />
  );
}

function Holdings({ model, actions }: Omit<IFactsProps, 'details'>): ReactElement {
  const { holdings } = model;
  return (
    <>
      <ul className="pb-Holdings">
        {holdings.collections.map(collection => (
          <Holding
            key={collection.name}
            collection={collection}
            onShow={name => actions.showCollection(name)}
          />
        ))}
      </ul>
      <HoldingsStatus
        holdings={holdings}
        onRetry={() => model.retryHoldings()}
        onCancel={() => model.cancelHoldings()}
        onCopy={text => actions.copyText(text)}
      />
    </>
  );
}

function Unrecorded(): ReactElement {
  return <span className="pb-mod-faint">{trans.__('not recorded')}</span>;
}
