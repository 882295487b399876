import { caretDownIcon, caretRightIcon, folderIcon, type LabIcon } from '@jupyterlab/ui-components';
import type { ReactElement, ReactNode } from 'react';

import type { CollectionType, RepositoryState } from '../api';
import {
  exactCount,
  exactNumber,
  type ICollectionRow,
  type IHeldCount,
  type IDatasetTypeRow,
  type IFolderRow,
  type INoticeRow,
  type IPlaceRow,
  type IPlacesRow,
  type IRepositoryRow,
  type ITypesRow,
  repositoryNotice,
  shortCount,
  shortNumber,
  spokenNotice,
  stateWord,
  type TreeRow
} from '../model';
import {
  COLLECTION_ICONS,
  datasetTypeIcon,
  Notice,
  recentIcon,
  REPOSITORY_ICONS,
  MARK_ICONS,
  starIcon,
  starOutlineIcon,
  typesIcon
} from '../parts';
import { trans } from '../trans';
import { heldText, kindWord, sourceOf, usageText, usageTitle, validityText, validityTitle } from './words';

/** The name by which a person knows the row, and can type ahead. */
export function nameOf(row: TreeRow): string {
  switch (row.kind) {
    case 'repository':
      return row.repository.kind === 'personal'
        ? trans.__('my %1', row.repository.label)
        : row.repository.label;
    case 'folder':
    case 'collection':
      return row.name;
    case 'types':
      return trans.__('Dataset types');
    case 'dataset-type':
      return row.datasetType.name;
    case 'places':
      return row.which === 'favourites' ? trans.__('Favourites') : trans.__('Recent');
    case 'place':
      return row.place.datasetType ?? row.place.collection;
    case 'absent':
      return '';
    case 'notice':
      return row.notice.message;
  }
}

/** The row in words, for those who listen. */
export function spokenRow(row: TreeRow): string {
  const starred = 'starred' in row && row.starred ? `, ${trans.__('favourite')}` : '';
  switch (row.kind) {
    case 'repository': {
      const { kind, state } = row.repository;
      const words = kind === 'personal' ? trans.__('personal repository') : trans.__('official repository');
      const usage = row.usage ? `, ${usageText(row.usage)}` : '';
      return `${nameOf(row)}, ${words}, ${stateWord(state)}${usage}`;
    }
    case 'folder':
      return `${row.name}, ${trans._n('folder of %1 collection', 'folder of %1 collections', row.folder.count)}`;
    case 'collection':
      return `${row.name}, ${kindOf(row)}${starred}`;
    case 'types':
      return row.total === null ? nameOf(row) : `${nameOf(row)}, ${row.total}`;
    case 'dataset-type': {
      const { name, dimensions } = row.datasetType;
      const count = row.count.status === 'loaded' ? `, ${exactCount(row.count.value)}` : '';
      const validity =
        row.validity?.status === 'loaded'
          ? `, ${trans.__('valid %1', validityText(row.validity.value))}`
          : '';
      const by = dimensions.length > 0 ? `, ${dimensions.join(' ')}` : '';
      const held = row.held === null ? '' : `, ${heldText(row.held)}`;
      return `${name}${by}${count}${validity}${held}${starred}`;
    }
    case 'places':
      return `${nameOf(row)}, ${row.total}`;
    case 'place': {
      const { collection, datasetType } = row.place;
      const where = datasetType === null ? '' : trans.__(' in %1', collection);
      return `${nameOf(row)}${where}, ${sourceOf(row.place)}${starred}`;
    }
    case 'absent':
      return trans.__('Loading …');
    case 'notice':
      return (
        spokenNotice(row.notice) +
        (row.retry ? ` ${trans.__('Press Enter: %1.', row.notice.retry ?? '')}` : '')
      );
  }
}

export interface ITreeRowProps {
  readonly row: TreeRow;
  readonly onRetry: () => void;
  readonly onCancel: () => void;
  readonly onCopy: (text: string) => void;
  readonly onStar: () => void;
}

/** What is inside a row of the tree. */
export function TreeRowContent(props: ITreeRowProps): ReactElement {
  const { row, onStar } = props;
  switch (row.kind) {
    case 'repository':
      return <RepositoryContent row={row} />;
    case 'folder':
      return <FolderContent row={row} />;
    case 'collection':
      return <CollectionContent row={row} onStar={onStar} />;
    case 'types':
      return <TypesContent row={row} />;
    case 'dataset-type':
      return <DatasetTypeContent row={row} onStar={onStar} />;
    case 'places':
      return <PlacesContent row={row} />;
    case 'place':
      return <PlaceContent row={row} onStar={onStar} />;
    case 'absent':
      return <span className="pb-Absent" />;
    case 'notice':
      return <NoticeContent {...props} row={row} />;
  }
}

function RepositoryContent({ row }: { readonly row: IRepositoryRow }): ReactElement {
  const { repository, checking, usage } = row;
  const trouble = repositoryNotice(repository);
  return (
    <>
      <Caret row={row} />
      <Icon icon={REPOSITORY_ICONS[repository.kind]} />
      <span className="pb-Name pb-mod-strong" title={repository.location}>
        {nameOf(row)}
      </span>
      <span className="pb-Tag">
        {repository.kind === 'personal' ? trans.__('yours') : trans.__('official')}
      </span>
      <span
        className="pb-State"
        data-state={repository.state}
        data-checking={checking}
        title={trouble ? spokenNotice(trouble) : trans.__('Connected to %1', repository.location)}
      >
        <span aria-hidden="true">{STATE_SIGNS[repository.state]}</span>{' '}
        {/* How full it is says that it is there, too. */}
        {usage === null && stateWord(repository.state)}
      </span>
      {usage !== null && (
        <span className="pb-Usage" title={usageTitle(usage)} data-full={isFull(usage)}>
          {usageText(usage)}
        </span>
      )}
    </>
  );
}

function FolderContent({ row }: { readonly row: IFolderRow }): ReactElement {
  const { path, count } = row.folder;
  return (
    <>
      <Caret row={row} />
      <Icon icon={folderIcon} />
      <span className="pb-Name pb-mod-path" title={path}>
        <bdi dir="ltr">{row.name}</bdi>
      </span>
      <span className="pb-Aside" title={trans._n('%1 collection', '%1 collections', count)}>
        {shortNumber(count)}
      </span>
    </>
  );
}

interface IStarrable<R> {
  readonly row: R;
  readonly onStar: () => void;
}

function CollectionContent({ row, onStar }: IStarrable<ICollectionRow>): ReactElement {
  const { name, doc, type } = row.collection;
  return (
    <>
      <Caret row={row} />
      <Icon icon={COLLECTION_ICONS[type]} />
      <span className="pb-Name pb-mod-path" title={doc ? `${name}\n${doc}` : name}>
        <bdi dir="ltr">{row.name}</bdi>
      </span>
      <span className={`pb-Aside${type === 'RUN' ? ' pb-mod-optional' : ''}`} title={kindTitle(type)}>
        {kindOf(row)}
      </span>
      <Star starred={row.starred} onStar={onStar} />
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

function DatasetTypeContent({ row, onStar }: IStarrable<IDatasetTypeRow>): ReactElement {
  const { datasetType, count, validity } = row;
  const { name, dimensions, storage_class: storageClass, is_calibration: isCalibration } = datasetType;
  // Logs and metadata of one task differ in their endings alone.
  const cut = name.lastIndexOf('_') > 0 ? name.lastIndexOf('_') : name.length;
  const title = [
    name,
    trans.__('storage class %1', storageClass),
    dimensions.length > 0 ? trans.__('dimensions %1', dimensions.join(', ')) : trans.__('no dimensions'),
    ...(isCalibration ? [trans.__('a calibration: found by the time it is valid for')] : []),
    ...(validity?.status === 'loaded' ? [validityTitle(validity.value)] : [])
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
        <span>
          {validity?.status === 'loaded' && validity.value.ranges > 0
            ? validityText(validity.value)
            : dimensions.join(' ')}
        </span>
      </span>
      {count.status === 'loaded' && (
        <span className="pb-Aside pb-mod-count" title={exactCount(count.value)}>
          {shortCount(count.value)}
        </span>
      )}
      {count.status === 'failed' && (
        <span className="pb-Aside pb-mod-count" title={trans.__('Not counted: %1', count.error.message)}>
          {count.error.kind === 'busy' ? STATE_SIGNS.busy : '?'}
        </span>
      )}
      {row.held !== null && <Held held={row.held} />}
      <Star starred={row.starred} onStar={onStar} />
    </>
  );
}

/** That the person's satellite has some of them; the row says it to those who listen. */
function Held({ held }: { readonly held: IHeldCount }): ReactElement {
  const mark = held.pinned > 0 ? 'pinned' : 'referenced';
  const Icon = MARK_ICONS[mark];
  return (
    <span
      className="pb-Mark pb-mod-held"
      data-mark={mark}
      title={trans.__('In your personal repository: %1', heldText(held))}
      aria-hidden="true"
    >
      <Icon.react tag="span" />
    </span>
  );
}

function PlacesContent({ row }: { readonly row: IPlacesRow }): ReactElement {
  return (
    <>
      <Caret row={row} />
      <Icon icon={row.which === 'favourites' ? starIcon : recentIcon} />
      <span className="pb-Name pb-mod-strong">{nameOf(row)}</span>
      <span className="pb-Aside">{exactNumber(row.total)}</span>
    </>
  );
}

function PlaceContent({ row, onStar }: IStarrable<IPlaceRow>): ReactElement {
  const { place } = row;
  const { collection, datasetType } = place;
  return (
    <>
      <span className="pb-Caret" />
      <Icon icon={datasetType === null ? COLLECTION_ICONS.CHAINED : typesIcon} />
      <span
        className="pb-Name pb-mod-path"
        title={[datasetType, collection, sourceOf(place)].filter(Boolean).join('\n')}
      >
        <bdi dir="ltr">{nameOf(row)}</bdi>
      </span>
      <span className="pb-Dimensions">
        <span>{datasetType === null ? '' : collection}</span>
      </span>
      <span className="pb-Aside">{sourceOf(place)}</span>
      <Star starred={row.starred} onStar={onStar} />
    </>
  );
}

/** Not a tab stop of its own: the key `*` and the menu do the same. */
function Star({ starred, onStar }: { readonly starred: boolean; readonly onStar: () => void }): ReactElement {
  const icon = starred ? starIcon : starOutlineIcon;
  return (
    <span
      className="pb-Star"
      data-starred={starred}
      title={starred ? trans.__('Remove from favourites (*)') : trans.__('Add to favourites (*)')}
      aria-hidden="true"
      onClick={event => {
        event.stopPropagation();
        onStar();
      }}
    >
      <icon.react tag="span" />
    </span>
  );
}

function NoticeContent({
  row,
  onRetry,
  onCancel,
  onCopy
}: Omit<ITreeRowProps, 'row'> & { readonly row: INoticeRow }): ReactElement {
  return (
    <>
      <span className="pb-Caret" />
      <Notice notice={row.notice} tabbable={false} onRetry={onRetry} onCancel={onCancel} onCopy={onCopy} />
    </>
  );
}

function Caret({ row }: { readonly row: TreeRow }): ReactElement {
  const icon = row.expanded ? caretDownIcon : caretRightIcon;
  return <icon.react tag="span" className="pb-Caret" aria-hidden="true" />;
}

function Icon({ icon }: { readonly icon: LabIcon }): ReactNode {
  return <icon.react tag="span" className="pb-Icon" aria-hidden="true" />;
}

function kindOf({ collection }: ICollectionRow): string {
  return collection.type === 'CHAINED' && collection.children
    ? trans.__('chain · %1', exactNumber(collection.children.length))
    : kindWord(collection.type);
}

function kindTitle(type: CollectionType): string {
  switch (type) {
    case 'CHAINED':
      return trans.__('A chain: its children are searched in the order shown');
    case 'RUN':
      return trans.__('A run: every dataset is in exactly one');
    case 'TAGGED':
      return trans.__('A tagged collection: datasets picked from runs');
    case 'CALIBRATION':
      return trans.__('A calibration collection: datasets with the times they are valid for');
  }
}

/** Whether less than a tenth of the room is left. */
function isFull({ bytes, quota, room }: NonNullable<IRepositoryRow['usage']>): boolean {
  return (quota !== null && bytes > 0.9 * quota) || (room !== null && room < 0.1 * (bytes + room));
}

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
