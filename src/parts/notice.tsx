import { type ReactElement, useEffect, useState } from 'react';

import { diagnosticOf, type INotice } from '../model';
import { trans } from '../trans';
import { NOTICE_ICONS } from './icons';

export interface INoticeProps {
  readonly notice: INotice;
  readonly onRetry?: () => void;
  /** Stop what is under way or waiting. */
  readonly onCancel?: () => void;
  readonly onCopy?: (text: string) => void;
  /** Whether Tab leads to the buttons; not inside a tree, which is one tab stop. */
  readonly tabbable?: boolean;
}

/**
 * What happened, and what to do: the same in the tree, under the list and in the details.
 */
export function Notice({ notice, onRetry, onCancel, onCopy, tabbable = true }: INoticeProps): ReactElement {
  const { state, message, nextStep, retry, retryAt, error } = notice;
  const Icon = NOTICE_ICONS[state];
  const tabIndex = tabbable ? 0 : -1;
  const isWaiting = state === 'loading' || retryAt !== null;
  return (
    <div className="pb-Notice" data-state={state}>
      <Icon.react tag="span" className="pb-Notice-icon" aria-hidden="true" />
      <div className="pb-Notice-text">
        <span className="pb-Notice-message" {...(tabbable ? { role: 'status' } : {})}>
          {message}
        </span>
        {retryAt !== null && <Countdown until={retryAt} />}
        {nextStep && <span className="pb-Notice-next"> {nextStep}</span>}
        {retry !== null && onRetry && (
          <Action tabIndex={tabIndex} onClick={onRetry}>
            {retry}
          </Action>
        )}
        {isWaiting && onCancel && (
          <Action tabIndex={tabIndex} onClick={onCancel}>
            {trans.__('Stop')}
          </Action>
        )}
        {error && onCopy && (
          <Action
            tabIndex={tabIndex}
            title={trans.__('Request %1', error.request_id)}
            onClick={() => onCopy(diagnosticOf(error))}
          >
            {trans.__('Copy diagnostic')}
          </Action>
        )}
      </div>
    </div>
  );
}

/** Seconds until it goes on by itself. */
function Countdown({ until }: { readonly until: number }): ReactElement | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [until]);
  const seconds = Math.ceil((until - now) / 1000);
  return seconds > 0 ? (
    <span className="pb-Notice-countdown"> {trans.__('Asking again in %1 s.', seconds)}</span>
  ) : null;
}

interface IActionProps {
  readonly tabIndex: number;
  readonly title?: string;
  readonly onClick: () => void;
  readonly children: string;
}

/** A button in the line of the text, with the space before it. */
function Action({ tabIndex, title, onClick, children }: IActionProps): ReactElement {
  return (
    <>
      {' '}
      <button
        type="button"
        className="pb-Link"
        tabIndex={tabIndex}
        title={title}
        onClick={event => {
          // A button inside a row is not a click on the row.
          event.stopPropagation();
          onClick();
        }}
      >
        {children}
      </button>
    </>
  );
}
