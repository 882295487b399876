import { type ReactElement, useCallback, useEffect, useState } from 'react';

import type { LogPreview, Preview } from '../../api';
import { exactNumber } from '../../model';
import { Status } from '../../parts';
import { trans } from '../../trans';
import { useLoading } from '../loading';
import type { FetchPart } from './contents';

export interface ILogViewProps {
  /** The log without a filter. */
  readonly first: LogPreview;
  readonly fetch: FetchPart;
}

/** Milliseconds of rest before asking for lines with the words typed. */
const REST = 200;

const LEVELS: readonly (readonly [number, string])[] = [
  [0, 'TRACE'],
  [10, 'DEBUG'],
  [20, 'INFO'],
  [30, 'WARNING'],
  [40, 'ERROR'],
  [50, 'CRITICAL']
];

/** A log, with the lines of a level or above and with some words. */
export function LogView({ first, fetch }: ILogViewProps): ReactElement {
  const [level, setLevel] = useState(0);
  const [typed, setTyped] = useState('');
  const [words, setWords] = useState('');
  const [offset, setOffset] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => {
      setWords(typed);
      setOffset(0);
    }, REST);
    return () => clearTimeout(timer);
  }, [typed]);
  const isFirst = level === 0 && words === '' && offset === 0;
  const { state, retry, cancel } = useLoading<Preview>(
    useCallback(
      signal => (isFirst ? Promise.resolve(first) : fetch({ level, words, offset }, signal)),
      [isFirst, first, fetch, level, words, offset]
    )
  );
  const log = state.status === 'loaded' && state.value.form === 'log' ? state.value : null;
  const total = Object.values(first.levels).reduce((sum, count) => sum + count, 0);
  return (
    <div className="pb-Contents">
      <div className="pb-Contents-bar">
        <label>
          {trans.__('Level')}{' '}
          <select
            className="pb-Select"
            value={level}
            onChange={event => {
              setLevel(Number(event.target.value));
              setOffset(0);
            }}
          >
            {LEVELS.map(([number, name]) => (
              <option key={number} value={number}>
                {number === 0 ? trans.__('all') : trans.__('%1 and above', name)}
                {name in first.levels ? ` · ${exactNumber(first.levels[name] ?? 0)}` : ''}
              </option>
            ))}
          </select>
        </label>
        <input
          className="pb-Input"
          type="search"
          value={typed}
          placeholder={trans.__('Lines with these words')}
          aria-label={trans.__('Lines with these words')}
          onChange={event => setTyped(event.target.value)}
        />
        <span className="pb-mod-faint" role="status">
          {log && trans.__('%1 of %2 lines', exactNumber(log.matching), exactNumber(total))}
        </span>
      </div>
      <Status state={state} what={trans.__('the log')} onRetry={retry} onCancel={cancel} />
      {log?.matching === 0 && (
        <p className="pb-Viewer-text">
          {total === 0 ? trans.__('The log is empty.') : trans.__('No line is like this.')}
        </p>
      )}
      {log && log.matching > 0 && (
        <div className="pb-Log" tabIndex={0} role="group" aria-label={trans.__('Log')}>
          <table>
            <thead>
              <tr>
                <th scope="col">{trans.__('Time (UTC)')}</th>
                <th scope="col">{trans.__('Level')}</th>
                <th scope="col">{trans.__('Logger')}</th>
                <th scope="col">{trans.__('Message')}</th>
              </tr>
            </thead>
            <tbody>
              {log.records.map((record, index) => (
                <tr key={log.offset + index} data-level={record.level_name}>
                  <td>{record.time.replace('T', ' ').replace(/\+00:00$/, '')}</td>
                  <td>{record.level_name}</td>
                  <td>{record.name}</td>
                  <td className="pb-Log-message">{record.message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {log && (log.offset > 0 || log.offset + log.records.length < log.matching) && (
        <div className="pb-Contents-bar">
          <button
            type="button"
            className="pb-Button"
            disabled={log.offset === 0}
            onClick={() => setOffset(Math.max(0, log.offset - PAGE))}
          >
            {trans.__('Earlier')}
          </button>
          <span>
            {trans.__(
              'lines %1 to %2',
              exactNumber(log.offset + 1),
              exactNumber(log.offset + log.records.length)
            )}
          </span>
          <button
            type="button"
            className="pb-Button"
            disabled={log.offset + log.records.length >= log.matching}
            onClick={() => setOffset(log.offset + log.records.length)}
          >
            {trans.__('Later')}
          </button>
        </div>
      )}
    </div>
  );
}

/** Lines in one answer. */
const PAGE = 500;
