import type { ErrorReport } from './types';

/**
 * A request failed for a reason that a person can be told.
 */
export class ApiError extends Error {
  constructor(readonly report: ErrorReport) {
    super([report.message, report.next_step].filter(Boolean).join(' '));
    this.name = 'ApiError';
  }
}

/**
 * Thrown when the asker lost interest. JupyterLab's connection turns every failed fetch into a
 * network error, so an abort is known by its signal, not by the error.
 */
export class AbortedError extends Error {
  constructor() {
    super('The request was cancelled.');
    this.name = 'AbortedError';
  }
}

/**
 * Whatever was thrown, as a report: the connection's own failures have no words for people.
 */
export function reportOf(reason: unknown, requestId = ''): ErrorReport {
  if (reason instanceof ApiError) {
    return reason.report;
  }
  return {
    kind: 'internal',
    message: `The panel failed: ${reason instanceof Error ? reason.message : String(reason)}`,
    next_step: 'Press Retry; if it happens again, report it with the diagnostic.',
    retry_in: null,
    request_id: requestId
  };
}

/**
 * The report in the body of a failed answer, or null if somebody else than the backend answered.
 */
export function parseReport(body: string): ErrorReport | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('message' in value)) {
    return null;
  }
  const report = value as Partial<ErrorReport> & Pick<ErrorReport, 'kind' | 'message'>;
  return {
    kind: report.kind,
    message: report.message,
    next_step: report.next_step ?? '',
    retry_in: report.retry_in ?? null,
    request_id: report.request_id ?? ''
  };
}

/**
 * Words for an answer without a report: it came from the Jupyter server, or from what stands before it.
 */
export function reportOfStatus(status: number, requestId: string): ErrorReport {
  const report = (kind: ErrorReport['kind'], message: string, nextStep: string): ErrorReport => ({
    kind,
    message,
    next_step: nextStep,
    retry_in: null,
    request_id: requestId
  });
  if (status === 401 || status === 403) {
    return report(
      'backend',
      'The Jupyter session has ended.',
      'Reload the page to log in to JupyterLab again.'
    );
  }
  if (status === 404) {
    return report(
      'backend',
      'The Jupyter server does not offer the Butler service.',
      'Install python-butler in the environment of JupyterLab, then restart JupyterLab.'
    );
  }
  return report(
    'backend',
    `The Jupyter server answered with HTTP status ${status}.`,
    'Press Retry; if it happens again, look into the log of the Jupyter server.'
  );
}

/**
 * Words for a Jupyter server that does not answer at all.
 */
export function unreachable(requestId: string): ErrorReport {
  return {
    kind: 'backend',
    message: 'The Jupyter server does not answer.',
    next_step: 'Check the connection of this computer and that JupyterLab still runs, then press Retry.',
    retry_in: null,
    request_id: requestId
  };
}

/**
 * Words for an answer that ended before it was complete.
 */
export function cutOff(requestId: string): ErrorReport {
  return {
    kind: 'backend',
    message: 'The connection was cut before the answer was complete.',
    next_step: 'Press Retry.',
    retry_in: null,
    request_id: requestId
  };
}
