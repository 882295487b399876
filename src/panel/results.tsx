import { type KeyboardEvent, type ReactElement, useRef, useState } from 'react';

import {
  awayNotice,
  cancelledSearchNotice,
  cappedSearchNotice,
  errorNotice,
  exactNumber,
  type INotice,
  type ISearchResult,
  nothingFoundNotice,
  type RepositorySearch,
  type SearchModel
} from '../model';
import { COLLECTION_ICONS, datasetTypeIcon, Notice, typesIcon } from '../parts';
import { trans } from '../trans';
import { isMenuKey, openContextMenu, verticalMove } from './keys';
import { type IRowElement, ROW_HEIGHT } from './virtual';
import { type IReveal, RowWindow } from './window';
import { kindWord, sourceOf } from './words';

export interface IResultsProps {
  readonly search: SearchModel;
  /** Changes whenever the search does. */
  readonly results: readonly ISearchResult[];
  readonly onGo: (result: ISearchResult) => void;
  /** Back to where the search is typed. */
  readonly onLeave: () => void;
  readonly onCopy: (text: string) => void;
}

/** What the search has found so far, and how far it has come. */
export function Results({ search, results, onGo, onLeave, onCopy }: IResultsProps): ReactElement {
  const [activeId, setActiveId] = useState<string | null>(null);
  const focus = useRef(false);
  const reveal = useRef<IReveal | null>(null);
  const rows = {
    length: results.length,
    at: (index: number) => results[index],
    indexOf: (id: string) => results.findIndex(result => result.id === id)
  };
  const active = Math.max(0, activeId === null ? 0 : rows.indexOf(activeId));

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const result = results[active];
    const page = Math.max(1, Math.floor(event.currentTarget.clientHeight / ROW_HEIGHT) - 1);
    const index = verticalMove(active, results.length, event.key, page);
    if (event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    if (event.key === 'ArrowUp' && active === 0) {
      onLeave();
    } else if (index !== null) {
      focus.current = true;
      setActiveId(results[index]?.id ?? null);
    } else if (event.key === 'Enter' && result) {
      onGo(result);
    } else if (event.key === 'Escape') {
      onLeave();
    } else if (isMenuKey(event)) {
      openContextMenu(event.target as Element);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const renderRow = (result: ISearchResult, element: IRowElement): ReactElement => (
    <div
      key={result.id}
      {...element}
      className="pb-Row pb-TreeRow pb-Result"
      data-what={result.what}
      role="option"
      aria-selected={result.id === activeId}
      aria-label={spokenResult(result)}
      onFocus={() => setActiveId(result.id)}
      onClick={() => onGo(result)}
    >
      <ResultContent result={result} text={search.text} />
    </div>
  );

  return (
    <>
      <Progress search={search} onCopy={onCopy} />
      <RowWindow
        className="pb-Found"
        role="listbox"
        attributes={{ 'aria-label': trans.__('Search results') }}
        rows={rows}
        idOf={idOf}
        active={results.length > 0 ? active : -1}
        focus={focus}
        reveal={reveal}
        isHigh={neverHigh}
        renderRow={renderRow}
        onLook={nothing}
        onKeyDown={onKeyDown}
      />
    </>
  );
}

/** How far the search has come: one line while it goes on, then what is worth knowing. */
function Progress({
  search,
  onCopy
}: {
  readonly search: SearchModel;
  readonly onCopy: (text: string) => void;
}): ReactElement {
  const { status, results, repositories, text } = search;
  const searching = repositories.filter(each => each.status === 'searching');
  const isUnderWay = status === 'searching' || status === 'found';
  const retry = (): void => search.retry();
  const cancel = (): void => search.cancel();
  return (
    <div className="pb-SearchState" data-status={status} data-text={text}>
      <div className="pb-SearchState-line" role="status">
        {results.length > 0 && <span>{trans.__('%1 found', exactNumber(results.length))}</span>}
        {isUnderWay && (
          <span className="pb-mod-faint">
            {searching.length > 0
              ? trans.__('Searching %1 …', searching.map(({ repository }) => sourceOf(repository)).join(', '))
              : trans.__('Searching …')}
          </span>
        )}
        {isUnderWay && (
          <button type="button" className="pb-Link" onClick={cancel}>
            {trans.__('Cancel')}
          </button>
        )}
      </div>
      {noticesOf(search, text).map(([id, notice]) => (
        <Notice key={id} notice={notice} onRetry={retry} onCancel={cancel} onCopy={onCopy} />
      ))}
    </div>
  );
}

/** What is worth knowing of the search, apart from what it found. */
function noticesOf(search: SearchModel, text: string): [string, INotice][] {
  const { status, results, repositories, knownTotal } = search;
  const notices = repositories.flatMap((each): [string, INotice][] => {
    const notice = noticeOf(each);
    return notice ? [[sourceOf(each.repository), notice]] : [];
  });
  if (status === 'capped') {
    const totals = repositories.map(each =>
      each.status === 'capped' || each.status === 'exhausted' ? each.total : 0
    );
    const total = Math.max(
      knownTotal,
      totals.reduce((sum, each) => sum + each, 0),
      results.length
    );
    notices.unshift(['capped', cappedSearchNotice(results.length, total)]);
  }
  if (status === 'exhausted' && results.length === 0) {
    const where = repositories
      .filter(each => each.status === 'exhausted')
      .map(each => sourceOf(each.repository));
    notices.unshift(['empty', nothingFoundNotice(text.trim(), where)]);
  }
  return notices;
}

function noticeOf(search: RepositorySearch): INotice | null {
  switch (search.status) {
    case 'busy':
      return {
        ...awayNotice(search.repository),
        state: 'busy',
        message: trans.__('The server of %1 is busy.', search.repository.label),
        nextStep: '',
        retry: null,
        retryAt: search.until
      };
    case 'cancelled':
      return cancelledSearchNotice(search.repository);
    case 'away':
      return awayNotice(search.repository);
    case 'error':
      return errorNotice(search.error);
    default:
      return null;
  }
}

function ResultContent({
  result,
  text
}: {
  readonly result: ISearchResult;
  readonly text: string;
}): ReactElement {
  const { name, collectionType, datasetType, doc, place } = result;
  const icon = collectionType
    ? COLLECTION_ICONS[collectionType]
    : datasetType
      ? datasetTypeIcon(datasetType)
      : typesIcon;
  const where = result.what === 'collection' ? doc : (place?.collection ?? '');
  return (
    <>
      <icon.react tag="span" className="pb-Icon" aria-hidden="true" />
      <span className="pb-Name pb-mod-path" title={[name, doc].filter(Boolean).join('\n')}>
        <bdi dir="ltr">
          <Marked name={name} text={text} />
        </bdi>
      </span>
      <span className="pb-Dimensions" title={where}>
        <span>{result.what === 'dataset' ? datasetType?.name : where}</span>
      </span>
      <span className="pb-Aside">
        {collectionType && <span className="pb-mod-optional">{kindWord(collectionType)} · </span>}
        {sourceOf(result.repository)}
      </span>
    </>
  );
}

/** A name with the words that were searched for standing out. */
function Marked({ name, text }: { readonly name: string; readonly text: string }): ReactElement {
  const folded = name.toLowerCase();
  const marked = new Array<boolean>(name.length).fill(false);
  for (const word of text.toLowerCase().split(/\s+/).filter(Boolean)) {
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
      marked.fill(true, at, at + word.length);
    }
  }
  const pieces: { text: string; marked: boolean }[] = [];
  for (const [index, isMarked] of marked.entries()) {
    const last = pieces.at(-1);
    if (last?.marked === isMarked) {
      last.text += name.charAt(index);
    } else {
      pieces.push({ text: name.charAt(index), marked: isMarked });
    }
  }
  return (
    <>
      {pieces.map((piece, index) =>
        piece.marked ? <mark key={index}>{piece.text}</mark> : <span key={index}>{piece.text}</span>
      )}
    </>
  );
}

/** The result in words, for those who listen. */
function spokenResult({ what, name, collectionType, datasetType, place, repository }: ISearchResult): string {
  const source = sourceOf(repository);
  if (what === 'collection') {
    return `${name}, ${kindWord(collectionType ?? 'RUN')}, ${source}`;
  }
  const where = place ? trans.__(' in %1', place.collection) : '';
  return what === 'dataset-type'
    ? `${name}, ${trans.__('dataset type')}${where}, ${source}`
    : `${name}, ${datasetType?.name ?? ''}${where}, ${source}`;
}

const idOf = (result: ISearchResult): string => result.id;
const neverHigh = (): boolean => false;
const nothing = (): void => undefined;
