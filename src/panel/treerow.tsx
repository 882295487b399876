import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import type { ReactElement, ReactNode } from 'react';

import type { CollectionType, RepositoryState } from '../api';
import {
  exactCount,
  exactNumber,
  type ICollectionRow,
  type IDatasetTypeRow,
  type INoticeRow,
  type IRepositoryRow,
  type ITypesRow,
  repositoryNotice,
  shortCount,
  spokenNotice,
  STATE_WORDS,
  type TreeRow
} from '../model';
import { COLLECTION_ICONS, datasetTypeIcon, REPOSITORY_ICONS, typesIcon } from './icons';
import { Notice } from './notice';

/** The name by which a person knows the row, and can type ahead. */
export function nameOf(row: TreeRow): string {
  switch (row.kind) {
    case 'repository':
      return row.repository.kind === 'personal' ? `my ${row.repository.label}` : row.repository.label;
    case 'collection':
      return row.collection.name;
    case 'types':
      return 'Dataset types';
    case 'dataset-type':
      return row.datasetType.name;
    case 'notice':
      return row.notice.message;
  }
}

/** The row in words, for those who listen. */
export function spokenRow(row: TreeRow): string {
  switch (row.kind) {
    case 'repository':
      return `${nameOf(row)}, ${row.repository.kind} repository, ${STATE_WORDS[row.repository.state]}`;
    case 'collection':
      return `${row.collection.name}, ${kindOf(row)}`;
    case 'types':
      return row.total === null ? nameOf(row) : `${nameOf(row)}, ${row.total}`;
    case 'dataset-type': {
      const { name, dimensions } = row.datasetType;
      const count = row.count.status === 'loaded' ? `, ${exactCount(row.count.value)}` : '';
      return `${name}, ${dimensions.join(' ')}${count}`;
    }
    case 'notice':
      return spokenNotice(row.notice) + (row.retry ? ` Press Enter: ${row.notice.retry}.` : '');
  }
}

export interface ITreeRowProps {
  readonly row: TreeRow;
  readonly onRetry: () => void;
  readonly onCancel: () => void;
  readonly onCopy: (text: string) => void;
}

/** What is inside a row of the tree. */
export function TreeRowContent({ row, onRetry, onCancel, onCopy }: ITreeRowProps): ReactElement {
  switch (row.kind) {
    case 'repository':
      return <RepositoryContent row={row} />;
    case 'collection':
      return <CollectionContent row={row} />;
    case 'types':
      return <TypesContent row={row} />;
    case 'dataset-type':
      return <DatasetTypeContent row={row} />;
    case 'notice':
      return <NoticeContent row={row} onRetry={onRetry} onCancel={onCancel} onCopy={onCopy} />;
  }
}

function RepositoryContent({ row }: { readonly row: IRepositoryRow }): ReactElement {
  const { repository, checking } = row;
  const trouble = repositoryNotice(repository);
  return (
    <>
      <Caret row={row} />
      <Icon icon={REPOSITORY_ICONS[repository.kind]} />
      <span className="pb-Name pb-mod-strong" title={repository.location}>
        {nameOf(row)}
      </span>
      <span className="pb-Tag">{repository.kind === 'personal' ? 'yours' : 'official'}</span>
      <span
        className="pb-State"
        data-state={repository.state}
        data-checking={checking}
        title={trouble ? spokenNotice(trouble) : `Connected to ${repository.location}`}
      >
        <span aria-hidden="true">{STATE_SIGNS[repository.state]}</span> {STATE_WORDS[repository.state]}
      </span>
    </>
  );
}

function CollectionContent({ row }: { readonly row: ICollectionRow }): ReactElement {
  const { name, doc, type } = row.collection;
  return (
    <>
      <Caret row={row} />
      <Icon icon={COLLECTION_ICONS[type]} />
      <span className="pb-Name pb-mod-path" title={doc ? `${name}\n${doc}` : name}>
        <bdi dir="ltr">{name}</bdi>
      </span>
      <span className={`pb-Aside${type === 'RUN' ? ' pb-mod-optional' : ''}`} title={KIND_TITLES[type]}>
        {kindOf(row)}
      </span>
    </>
  );
}

function TypesContent({ row }: { readonly row: ITypesRow }): ReactElement {
  return (
    <>
      <Caret row={row} />
      <Icon icon={typesIcon} />
      <span className="pb-Name">{nameOf(row)}</span>
      {row.total !== null && <span className="pb-Aside">{exactNumber(row.total)}</span>}
    </>
  );
}

function DatasetTypeContent({ row }: { readonly row: IDatasetTypeRow }): ReactElement {
  const { datasetType, count } = row;
  const { name, dimensions, storage_class: storageClass, is_calibration: isCalibration } = datasetType;
  // Logs and metadata of one task differ in their endings alone.
  const cut = name.lastIndexOf('_') > 0 ? name.lastIndexOf('_') : name.length;
  const title = [
    name,
    `storage class ${storageClass}`,
    dimensions.length > 0 ? `dimensions ${dimensions.join(', ')}` : 'no dimensions',
    ...(isCalibration ? ['a calibration: found by the time it is valid for'] : [])
  ].join('\n');
  return (
    <>
      <span className="pb-Caret" />
      <Icon icon={datasetTypeIcon(datasetType)} />
      <span className="pb-Name pb-mod-split" title={title}>
        <span className="pb-Name-head">{name.slice(0, cut)}</span>
        <span className="pb-Name-tail">{name.slice(cut)}</span>
      </span>
      <span className="pb-Dimensions" title={title}>
        <span>{dimensions.join(' ')}</span>
      </span>
      {count.status === 'loaded' && (
        <span className="pb-Aside pb-mod-count" title={exactCount(count.value)}>
          {shortCount(count.value)}
        </span>
      )}
      {count.status === 'failed' && (
        <span className="pb-Aside pb-mod-count" title={`Not counted: ${count.error.message}`}>
          ?
        </span>
      )}
    </>
  );
}

function NoticeContent({
  row,
  ...actions
}: Omit<ITreeRowProps, 'row'> & { readonly row: INoticeRow }): ReactElement {
  return (
    <>
      <span className="pb-Caret" />
      <Notice notice={row.notice} tabbable={false} {...actions} />
    </>
  );
}

function Caret({ row }: { readonly row: TreeRow }): ReactElement {
  const icon = row.expanded ? caretDownIcon : caretRightIcon;
  return <icon.react tag="span" className="pb-Caret" aria-hidden="true" />;
}

function Icon({ icon }: { readonly icon: typeof typesIcon }): ReactNode {
  return <icon.react tag="span" className="pb-Icon" aria-hidden="true" />;
}

function kindOf({ collection }: ICollectionRow): string {
  return collection.type === 'CHAINED' && collection.children
    ? `chain · ${exactNumber(collection.children.length)}`
    : KIND_WORDS[collection.type];
}

const KIND_WORDS: Readonly<Record<CollectionType, string>> = {
  CHAINED: 'chain',
  RUN: 'run',
  TAGGED: 'tagged',
  CALIBRATION: 'calibration'
};

const KIND_TITLES: Readonly<Record<CollectionType, string>> = {
  CHAINED: 'A chain: its children are searched in the order shown',
  RUN: 'A run: every dataset is in exactly one',
  TAGGED: 'A tagged collection: datasets picked from runs',
  CALIBRATION: 'A calibration collection: datasets with the times they are valid for'
};

/** Shapes, not colours alone, tell the states apart. */
const STATE_SIGNS: Readonly<Record<RepositoryState, string>> = {
  connected: '●',
  absent: '◌',
  busy: '◐',
  offline: '○',
  token: '▲',
  forbidden: '▲',
  error: '▲'
};
