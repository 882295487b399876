import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError, type Job } from '../../api';
import { ChangeFeed } from '../feed';
import { JobsModel } from '../jobs';
import { HeldMarks } from '../held';
import { PresenceMarks } from '../marks';
import { PlanModel } from '../plan';
import { ruleOf, usualWishes } from '../pruneform';
import {
  emptyRequest,
  requestForAll,
  requestForArguments,
  requestForSelection,
  versionsOf
} from '../requests';
import { countsLine, duration, jobLine, progressLine } from '../words';
import { END, job, plan, REPORT, settle, StandIn } from './standin';

const REQUEST = emptyRequest('reference', 'dp2');
const VERSIONS = { live: false, tell: vi.fn() };

describe('a plan', () => {
  it('follows its stream and ends with what would be done', async () => {
    const client = new StandIn();
    const model = new PlanModel(client);
    model.ask(REQUEST);
    expect(model.state).toMatchObject({ status: 'asking', progress: null });
    const progress = { phase: 'looking', done: 3, total: 12, seconds_left: null } as const;
    client.plans[0]!.put({ event: 'progress', progress });
    await settle();
    expect(model.state).toMatchObject({ status: 'asking', progress });
    client.plans[0]!.put({ event: 'plan', plan: plan() });
    client.plans[0]!.put(END);
    await settle();
    expect(model.state).toMatchObject({ status: 'planned', plan: { new: 12 }, request: REQUEST });
  });

  it('is not replaced by an older one that comes late', async () => {
    const client = new StandIn();
    const model = new PlanModel(client);
    model.ask(REQUEST);
    model.ask({ ...REQUEST, purge: true });
    expect(client.plans[0]!.isAborted).toBe(true);
    client.plans[1]!.put({ event: 'plan', plan: plan({ new: 2 }) });
    client.plans[1]!.put(END);
    client.plans[0]!.put({ event: 'plan', plan: plan({ new: 1 }) });
    client.plans[0]!.put(END);
    await settle();
    expect(model.state).toMatchObject({ status: 'planned', plan: { new: 2 } });
  });

  it('says why it could not be made, and is made again when asked for', async () => {
    const client = new StandIn();
    const model = new PlanModel(client);
    model.ask(REQUEST);
    client.plans[0]!.put(new ApiError(REPORT));
    await settle();
    expect(model.state).toEqual({ status: 'failed', error: REPORT });
    model.retry();
    expect(client.plans).toHaveLength(2);
  });
});

describe('the list of jobs', () => {
  it('has the newest first and tells once when one ends', () => {
    const jobs = new JobsModel(new StandIn());
    const ended: Job[] = [];
    jobs.ended.connect((_, each) => ended.push(each));
    jobs.take(job('1'));
    jobs.take(job('2', { state: 'waiting' }));
    expect(jobs.jobs.map(({ id }) => id)).toEqual(['2', '1']);
    expect(jobs.active).toBe(true);
    jobs.take(job('1', { state: 'done' }));
    jobs.take(job('1', { state: 'done' }));
    // One that had ended before anybody looked is no news.
    jobs.take(job('3', { state: 'done' }));
    expect(ended.map(({ id }) => id)).toEqual(['1']);
  });

  it('keeps a job that could not be removed, and says why', async () => {
    const client = new StandIn();
    const jobs = new JobsModel(client);
    jobs.take(job('1', { state: 'done' }));
    client.refusal = REPORT;
    await jobs.remove('1');
    expect(jobs.jobs).toHaveLength(1);
    expect(jobs.failure).toEqual(REPORT);
    client.refusal = null;
    await jobs.remove('1');
    expect(jobs.jobs).toHaveLength(0);
    expect(jobs.failure).toBeNull();
  });
});

describe('the feed of changes', () => {
  beforeEach(() => VERSIONS.tell.mockClear());
  afterEach(() => vi.useRealTimers());

  it('is open only while somebody wants to know', () => {
    const client = new StandIn();
    const feed = new ChangeFeed(client, new JobsModel(client), VERSIONS);
    expect(client.feeds).toHaveLength(0);
    feed.wanted = true;
    feed.wanted = true;
    expect(client.feeds).toHaveLength(1);
    feed.wanted = false;
    expect(client.feeds[0]!.isAborted).toBe(true);
  });

  it('passes on what changes, and drops jobs that went while nobody listened', async () => {
    const client = new StandIn();
    const jobs = new JobsModel(client);
    jobs.take(job('1', { state: 'done' }));
    const feed = new ChangeFeed(client, jobs, VERSIONS);
    feed.wanted = true;
    client.feeds[0]!.put({ event: 'job', job: job('2') });
    client.feeds[0]!.put({ event: 'versions', versions: { dp2: '1.4' } });
    await settle();
    expect(jobs.jobs.map(({ id }) => id)).toEqual(['2']);
    expect(VERSIONS.tell).toHaveBeenCalledWith({ dp2: '1.4' });
    expect(VERSIONS.live).toBe(true);
    client.feeds[0]!.put({ event: 'removed', id: '2' });
    await settle();
    expect(jobs.jobs).toEqual([]);
    feed.dispose();
  });

  it('tells of runs only when they may stand otherwise, also after it broke off', async () => {
    const client = new StandIn();
    const feed = new ChangeFeed(client, new JobsModel(client), VERSIONS);
    const told = vi.fn();
    feed.runsChanged.connect(told);
    for (const words of [['a'], ['a', 'b']]) {
      feed.wanted = true;
      words.forEach(word => client.feeds.at(-1)!.put({ event: 'runs', word }));
      await settle();
      feed.wanted = false;
    }
    expect(told).toHaveBeenCalledTimes(2);
  });

  it('is taken up again after it broke off, and versions are asked for meanwhile', async () => {
    vi.useFakeTimers();
    const client = new StandIn();
    const feed = new ChangeFeed(client, new JobsModel(client), VERSIONS);
    feed.wanted = true;
    client.feeds[0]!.put({ event: 'versions', versions: {} });
    await vi.advanceTimersByTimeAsync(0);
    client.feeds[0]!.put(new ApiError(REPORT));
    await vi.advanceTimersByTimeAsync(100);
    expect(VERSIONS.live).toBe(false);
    expect(client.feeds).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(client.feeds).toHaveLength(2);
    feed.wanted = false;
  });
});

describe('marks', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const key = { kind: 'official', label: 'dp2' } as const;

  it('are looked up once for what is in view, when scrolling rests', async () => {
    const client = new StandIn();
    client.present = { referenced: ['b'], pinned: ['c'] };
    const marks = new PresenceMarks(client);
    marks.look(key, ['a']);
    marks.look(key, ['a', 'b', 'c']);
    await vi.advanceTimersByTimeAsync(200);
    expect(client.lookedUp).toEqual([['a', 'b', 'c']]);
    expect(['a', 'b', 'c'].map(id => marks.of(key, id))).toEqual([null, 'referenced', 'pinned']);
    marks.look(key, ['b', 'c']);
    await vi.advanceTimersByTimeAsync(200);
    expect(client.lookedUp).toHaveLength(1);
    marks.forget(['dp2']);
    marks.look(key, ['b']);
    await vi.advanceTimersByTimeAsync(200);
    expect(client.lookedUp).toHaveLength(2);
  });
});

describe('counts beside dataset types', () => {
  it('are asked once for a collection, and again once the satellite has changed', async () => {
    const client = new StandIn();
    const held = new HeldMarks(client);
    const key = { kind: 'official', label: 'dp2' } as const;
    held.look(key, 'dp2');
    held.look(key, 'dp2');
    await settle();
    held.look(key, 'dp2');
    expect(client.calls).toEqual(['held official dp2 dp2']);
    expect(held.of(key, 'dp2', 'visit_image')).toBeNull();
    client.types = [{ dataset_type: 'visit_image', referenced: 4, pinned: 0 }];
    held.forget(['dp2']);
    held.look(key, 'dp2');
    await settle();
    expect(held.of(key, 'dp2', 'visit_image')).toMatchObject({ referenced: 4, pinned: 0 });
    expect(held.of(key, 'other', 'visit_image')).toBeNull();
    // A collection of this name in the satellite leads to other runs, perhaps.
    expect(held.of({ ...key, kind: 'personal' }, 'dp2', 'visit_image')).toBeNull();
  });
});

describe('what a job is about', () => {
  const place = {
    repository: { kind: 'official', label: 'dp2' },
    collection: { name: 'dp2' },
    datasetType: { name: 'visit_image' }
  } as never as Parameters<typeof requestForAll>[1];
  const dataset = (run: string) => ({ id: run, data_id: {}, run });

  it('is what is chosen, or all that the list would show', () => {
    const datasets = [dataset('LSSTCam/runs/1')];
    expect(requestForSelection('pin', { ...place, datasets })?.chosen).toMatchObject({
      kind: 'official',
      collection: 'dp2',
      dataset_type: 'visit_image',
      datasets
    });
    expect(requestForSelection('forget', { ...place, datasets })).toBeNull();
    expect(requestForAll('reference', place)?.query?.filter.where).toBe('');
    expect(requestForAll('forget', place)).toBeNull();
  });

  it('can be named by a command', () => {
    const datasets = [dataset('u/me/stars/v2'), dataset('u/me/stars/v2'), dataset('u/me/other')];
    const args = { kind: 'personal', label: 'dp2', datasetType: 'stars', datasets };
    expect(requestForArguments('retire', args)?.versions).toEqual(['u/me/stars/v2']);
    expect(requestForArguments('reference', args)).toBeNull();
    expect(requestForArguments('forget', { label: 'dp2' })).toBeNull();
    expect(versionsOf([dataset('u/me/stars/v0'), dataset('u/me/stars')])).toEqual([]);
  });

  it('is a rule only if it says something that makes sense', () => {
    const wishes = usualWishes('dp2');
    expect(ruleOf(wishes)).toMatchObject({ keep_versions: 3, older_than: null });
    expect(ruleOf({ ...wishes, keep: '', age: '30' })).toMatchObject({
      older_than: '30d',
      keep_versions: null
    });
    expect(ruleOf({ ...wishes, keep: '' })).toBeNull();
    expect(ruleOf({ ...wishes, keep: '0' })).toBeNull();
    expect(ruleOf({ ...wishes, keep: '0', evenNewest: true })).toMatchObject({ keep_versions: 0 });
    expect(ruleOf({ ...wishes, age: '-1' })).toBeNull();
    expect(ruleOf({ ...wishes, collections: 'u/me/a, u/me/b/*' })?.collections).toEqual([
      'u/me/a',
      'u/me/b/*'
    ]);
  });
});

describe('words', () => {
  it('tell how far a job is, and what became of it', () => {
    const progress = { phase: 'copying', done: 45, total: 1200, seconds_left: 754 } as const;
    expect(progressLine(progress)).toBe('Copying files · 45 of 1,200 · about 13 min left');
    expect(duration(4_800)).toBe('1 h 20 min');
    const ended = job('1', { state: 'done', counts: { there: 3, done: 1200 }, bytes: 2_400_000 });
    expect(countsLine(ended)).toBe('1,200 referenced, 3 already there · 2.4 MB');
    expect(jobLine(job('1', { state: 'waiting', ahead: 2 }))).toBe('Waits for 2 other jobs');
  });
});
