import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Repository } from '../../api';
import { SearchModel } from '..';
import { OFFICIAL, PERSONAL, StandIn } from './standin';

let client: StandIn;
let repositories: Repository[];
let search: SearchModel;

beforeEach(() => {
  vi.useFakeTimers();
  client = new StandIn();
  repositories = [OFFICIAL];
  search = new SearchModel(client, { known: () => [], repositories: () => repositories });
});

afterEach(() => {
  search.dispose();
  vi.useRealTimers();
});

/** Type, and rest for as long as it takes until the servers are asked. */
async function type(text: string): Promise<void> {
  search.search(text);
  await vi.advanceTimersByTimeAsync(1_000);
}

const names = (): string[] => search.results.map(({ name }) => name);

describe('a search', () => {
  it('goes from idle to what was found, and ends when everything was looked at', async () => {
    expect(search.status).toBe('idle');
    await type('coadd');
    expect(search.status).toBe('searching');
    await client.searches[0]!.found(['u/me/coadd']);
    expect(search.status).toBe('found');
    await client.searches[0]!.end(1);
    expect(search.status).toBe('exhausted');
    expect(names()).toEqual(['u/me/coadd']);
  });

  it('asks once for what is typed in one go, and at once if told to hurry', async () => {
    search.search('c');
    search.search('co');
    await type('coadd');
    expect(client.words).toEqual(['search official dp2 coadd']);
    search.search('calib');
    search.hurry();
    expect(client.words.at(-1)).toBe('search official dp2 calib');
  });

  it('takes no answer to an older question', async () => {
    await type('old');
    const [old] = client.searches;
    await type('new');
    expect(old!.signal.aborted).toBe(true);
    await client.searches[1]!.found(['late'], '0');
    expect(names()).toEqual([]);
  });

  it('says that more match than are shown', async () => {
    await type('a');
    await client.searches[0]!.found(['a1', 'a2']);
    await client.searches[0]!.end(1234, true);
    expect(search.status).toBe('capped');
    expect(search.repositories).toMatchObject([{ status: 'capped', total: 1234 }]);
  });

  it('that failed in one repository keeps what was found in another, and can be tried again', async () => {
    repositories = [OFFICIAL, PERSONAL];
    await type('a');
    await client.searches[0]!.fail({ message: 'It failed.' });
    await client.searches[1]!.found(['a']);
    await client.searches[1]!.end(1);
    expect(search.status).toBe('error');
    expect(names()).toEqual(['a']);
    search.retry();
    expect(client.words.slice(2)).toEqual(['search official dp2 a']);
    await client.searches[2]!.end(0);
    expect(search.status).toBe('exhausted');
  });

  it('waits for a busy server and says until when', async () => {
    await type('a');
    await client.searches[0]!.busy(5);
    expect(search.repositories).toEqual([
      { repository: OFFICIAL, status: 'busy', until: Date.now() + 5_000 }
    ]);
    expect(search.status).toBe('searching');
  });
});

describe('repositories that come after a search was typed', () => {
  it('are searched: before any is known, it cannot be said that nothing matches', async () => {
    repositories = [];
    await type('a');
    expect(search.status).toBe('searching');
    repositories = [OFFICIAL];
    search.follow();
    search.follow();
    expect(client.words).toEqual(['search official dp2 a']);
  });

  it('are searched once they can be read, though they could not before', async () => {
    repositories = [{ ...OFFICIAL, state: 'offline' }];
    await type('a');
    expect(search.repositories).toMatchObject([{ status: 'away' }]);
    repositories = [OFFICIAL];
    search.follow();
    expect(client.words).toEqual(['search official dp2 a']);
  });

  it('are left alone while nothing is searched for, or more may be typed', () => {
    search.follow();
    search.search('a');
    search.follow();
    expect(client.words).toEqual([]);
  });
});

describe('a search that a person has stopped', () => {
  it('keeps what was found, and goes on when it is wanted', async () => {
    await type('a');
    await client.searches[0]!.found(['a']);
    search.cancel();
    expect(client.searches[0]!.signal.aborted).toBe(true);
    expect(search.repositories).toMatchObject([{ status: 'cancelled' }]);
    expect(names()).toEqual(['a']);
    search.retry();
    expect(client.searches).toHaveLength(2);
  });

  it('does not begin by itself in repositories that come, and says so', async () => {
    repositories = [];
    await type('a');
    search.cancel();
    repositories = [OFFICIAL];
    search.follow();
    expect(client.words).toEqual([]);
    expect(search.repositories).toMatchObject([{ status: 'cancelled' }]);
    search.retry();
    expect(client.words).toEqual(['search official dp2 a']);
  });

  it('before any server was asked does not claim that nothing matches', () => {
    search.search('a');
    search.cancel();
    expect(search.repositories).toMatchObject([{ status: 'cancelled' }]);
  });

  it('is forgotten when another one is typed', async () => {
    await type('a');
    search.cancel();
    await type('b');
    expect(client.words.at(-1)).toBe('search official dp2 b');
  });
});
