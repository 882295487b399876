import { describe, expect, it, vi } from 'vitest';

import type { CompletionList, IVocabularyClient, Repository } from '../../api';
import { Words } from '../words';

const DP2 = { kind: 'official', label: 'dp2', location: 'data.example', state: 'connected' } as Repository;
const MINE = {
  kind: 'personal',
  label: 'dp2',
  location: '/home/me/butler/dp2',
  state: 'connected'
} as Repository;
const BUTLER = { label: 'dp2', reads: 'both' } as const;

function answer(...values: string[]): CompletionList {
  return { items: values.map(value => ({ value, note: '', dimensions: [] })), capped: false };
}

function words(complete: IVocabularyClient['complete'], repositories = [DP2, MINE]): Words {
  const vocabulary = vi.fn().mockRejectedValue(new Error('offline'));
  return new Words({ complete, vocabulary }, () => Promise.resolve(repositories));
}

describe('the words of a repository', () => {
  it('come from all that a butler reads, each once', async () => {
    const complete = vi.fn((key: { kind: string }) =>
      Promise.resolve(key.kind === 'personal' ? answer('dp2', 'u/me') : answer('dp2', 'LSSTCam'))
    );
    const found = await words(complete).complete(BUTLER, { what: 'collection', prefix: '' });
    expect(found.map(({ value }) => value)).toEqual(['dp2', 'LSSTCam', 'u/me']);
    const official = await words(complete).complete(
      { ...BUTLER, reads: 'official' },
      { what: 'collection', prefix: '' }
    );
    expect(official.map(({ value }) => value)).toEqual(['dp2', 'LSSTCam']);
  });

  it('are asked for once; what is typed on narrows a complete answer', async () => {
    const complete = vi.fn(() => Promise.resolve(answer('visit_image', 'visit_table', 'my_visit')));
    const known = words(complete, [DP2]);
    await known.complete(BUTLER, { what: 'collection', prefix: 'v' });
    const found = await known.complete(BUTLER, { what: 'collection', prefix: 'visit_i' });
    expect(found.map(({ value }) => value)).toEqual(['visit_image']);
    expect(complete).toHaveBeenCalledTimes(1);
  });

  it('are asked for again if the answer had been cut short', async () => {
    const complete = vi.fn(() => Promise.resolve({ ...answer('visit_image'), capped: true }));
    const known = words(complete, [DP2]);
    await known.complete(BUTLER, { what: 'collection', prefix: 'v' });
    await known.complete(BUTLER, { what: 'collection', prefix: 'vi' });
    expect(complete).toHaveBeenCalledTimes(2);
  });

  it('of a repository that nobody knows are not asked for', async () => {
    const complete = vi.fn(() => Promise.resolve(answer('x')));
    const found = await words(complete).complete(
      { label: 'other', reads: 'official' },
      { what: 'collection', prefix: '' }
    );
    expect(found).toEqual([]);
    expect(complete).not.toHaveBeenCalled();
  });

  it('a server that is down is not asked with every keystroke', async () => {
    const complete = vi.fn(() => Promise.reject(new Error('offline')));
    const known = words(complete, [DP2]);
    for (let count = 0; count < 3; count++) {
      expect(await known.complete(BUTLER, { what: 'collection', prefix: 'v' })).toEqual([]);
    }
    expect(complete).toHaveBeenCalledTimes(1);
    expect(await known.vocabulary(BUTLER)).toBeNull();
  });

  it('that are not wanted any more are given up', async () => {
    const signals: AbortSignal[] = [];
    const complete = vi.fn((_key: unknown, _question: unknown, signal: AbortSignal) => {
      signals.push(signal);
      return new Promise<CompletionList>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    });
    const known = words(complete, [DP2]);
    void known.complete(BUTLER, { what: 'collection', prefix: 'v' });
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    void known.complete(BUTLER, { what: 'collection', prefix: 'vi' });
    await vi.waitFor(() => expect(signals).toHaveLength(2));
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });
});
