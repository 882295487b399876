import { describe, expect, it } from 'vitest';

import type { ErrorKind } from '../../api';
import { diagnosticOf, errorNotice, repositoryNotice, spokenNotice } from '..';
import { OFFICIAL, PERSONAL, report } from './standin';

describe('the words of a failure', () => {
  it.each([
    ['offline', 'offline'],
    ['token', 'token'],
    ['forbidden', 'forbidden'],
    ['busy', 'busy'],
    ['gone', 'gone'],
    ['unknown_repository', 'error'],
    ['invalid', 'error'],
    ['satellite', 'error'],
    ['backend', 'error'],
    ['internal', 'error']
  ] as [ErrorKind, string][])('of kind %s are shown in state %s, with the next step', (kind, state) => {
    const notice = errorNotice(report({ kind, message: 'It is so.', next_step: 'Do this.' }));
    expect(notice).toMatchObject({ state, retry: 'Retry' });
    expect(spokenNotice(notice)).toBe('It is so. Do this.');
  });

  it.each([
    ['busy', 'It is so.'],
    ['backend', 'It is so. Do this.']
  ] as [ErrorKind, string][])(
    'of kind %s that is asked for again by itself leave no work untold',
    (kind, words) => {
      const failure = report({ kind, message: 'It is so.', next_step: 'Do this.' });
      expect(spokenNotice(errorNotice(failure, Date.now() + 1000))).toBe(words);
    }
  );

  it('for support hold the identifier of the request', () => {
    expect(diagnosticOf(report({ request_id: 'abc' }))).toContain('request: abc');
  });
});

describe('the words of a repository', () => {
  it('are none when it is connected', () => {
    expect(repositoryNotice(OFFICIAL)).toBeNull();
  });

  it('say how an absent one comes into being, with nothing to retry', () => {
    expect(repositoryNotice({ ...PERSONAL, state: 'absent' })).toMatchObject({
      state: 'absent',
      retry: null
    });
  });

  it('exist even if the server gave no reason', () => {
    expect(repositoryNotice({ ...OFFICIAL, state: 'busy' })?.message).toBe('The repository dp2 is busy.');
  });
});
