import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { all, click, find, preparePage, render, text } from '../../__tests__/render';
import { AbortedError, ApiError, type ErrorReport, type RunReport } from '../../api';
import { Followed } from '../followed';
import { Log } from '../log';
import { type IReportActions, Report } from '../report';
import { type IRunsListProps, RunsList } from '../strip';
import { runLine, stateOf, summaryLine } from '../words';
import { run, task } from './standin';

const OFFLINE: ErrorReport = {
  kind: 'backend',
  message: 'The Butler service does not answer.',
  next_step: 'Retry later.',
  retry_in: null,
  request_id: 'r1'
};

const FAILED = task('detect', 3, { succeeded: 1, failed: 2 });
const SKIPPED = task('match', 1, { skipped: 1 });
const DONE = task('detect', 3, { succeeded: 3 });

preparePage();

describe('what is followed', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is not asked for before somebody sees it, nor again before something changes', async () => {
    const ask = vi.fn().mockResolvedValue('one');
    const followed = new Followed(ask);
    followed.doubt();
    expect(ask).not.toHaveBeenCalled();
    followed.seen = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(followed.value).toBe('one');
    followed.seen = false;
    followed.seen = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('is asked for once a second at most, and once more after the last change', async () => {
    const ask = vi.fn().mockResolvedValue('one');
    const followed = new Followed(ask);
    followed.seen = true;
    for (let change = 0; change < 20; change++) {
      followed.doubt();
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ask.mock.calls.length).toBeGreaterThanOrEqual(3);
    expect(ask.mock.calls.length).toBeLessThanOrEqual(4);
  });

  it('keeps what there was when it cannot be had, until it can again', async () => {
    const ask = vi.fn().mockResolvedValueOnce('one').mockRejectedValueOnce(new ApiError(OFFLINE));
    ask.mockResolvedValue('two');
    const followed = new Followed(ask);
    followed.seen = true;
    await vi.advanceTimersByTimeAsync(2_000);
    followed.doubt();
    await vi.advanceTimersByTimeAsync(0);
    expect([followed.value, followed.failure]).toEqual(['one', OFFLINE]);
    followed.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect([followed.value, followed.failure]).toEqual(['two', null]);
  });

  it('says nothing after it was given up', async () => {
    const followed = new Followed<string>(
      signal => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new AbortedError())))
    );
    followed.seen = true;
    followed.dispose();
    await vi.advanceTimersByTimeAsync(2_000);
    expect([followed.value, followed.failure]).toEqual([null, null]);
  });
});

describe('the words of a run', () => {
  it.each([
    [run(), 'prepared', 'Prepared, not started · 3 quanta'],
    [
      run({ working: true, tasks: [task('detect', 3, { succeeded: 1, running: 1 })] }),
      'working',
      'Working · 1 of 3 succeeded'
    ],
    [run({ working: true, tasks: [DONE] }), 'working', 'Collecting · 3 of 3 succeeded'],
    [
      run({ working: true, site: 'local', tasks: [FAILED] }),
      'working',
      'Working on local · 1 of 3 succeeded, 2 failed'
    ],
    [run({ tasks: [DONE] }), 'succeeded', '3 of 3 succeeded · not collected'],
    [run({ tasks: [DONE], collected: 'all' }), 'succeeded', '3 of 3 succeeded · collected'],
    [
      run({ tasks: [FAILED, SKIPPED], collected: 'partly' }),
      'failed',
      '1 of 4 succeeded, 2 failed, 1 skipped · collected in part'
    ],
    [
      run({ tasks: [task('detect', 3, { succeeded: 1, interrupted: 1 })] }),
      'stopped',
      'Not complete · 1 of 3 succeeded, 1 interrupted · not collected'
    ],
    [run({ tasks: [], problem: OFFLINE }), 'unknown', 'Its files cannot be read']
  ])('say how it stands', (each, state, line) => {
    expect([stateOf(each), runLine(each)]).toEqual([state, line]);
  });

  it('tell of all first what works and what failed', () => {
    expect(summaryLine([run(), run({ tasks: [DONE] })])).toBe('2 runs');
    expect(summaryLine([run({ working: true }), run({ tasks: [FAILED] })])).toBe(
      '1 working · 1 with failures'
    );
  });
});

describe('the list of runs', () => {
  const listOf = (change: Partial<IRunsListProps>): void => {
    const none = (): void => undefined;
    const does = { onToggle: none, onReport: none, onOutputs: none };
    render(<RunsList list={null} isOpen={true} isAskedFor={false} {...does} {...change} />);
  };

  it('is not there while there are no runs, unless a person wants to see it', () => {
    listOf({ list: { runs: [], total: 0 } });
    expect(text()).toBe('');
    listOf({ list: { runs: [], total: 0 }, isAskedFor: true });
    expect(text()).toContain('No run of a pipeline is prepared.');
    listOf({ isAskedFor: true });
    expect(text()).toContain('Loading pipeline runs');
  });

  it('has a bar for each task of a run that is not complete, which says how far it is', () => {
    listOf({ list: { runs: [run({ working: true, tasks: [FAILED, SKIPPED] })], total: 1 } });
    expect(all('progressbar').map(bar => bar.getAttribute('aria-valuetext'))).toEqual([
      '1 of 3 succeeded, 2 failed',
      '0 of 1 succeeded, 1 skipped'
    ]);
    listOf({ list: { runs: [run({ tasks: [DONE] })], total: 1 } });
    expect(all('progressbar')).toEqual([]);
  });

  it('leads to the outputs once there are some', () => {
    const onOutputs = vi.fn();
    listOf({ list: { runs: [run({ tasks: [DONE] })], total: 1 }, onOutputs });
    expect(text()).not.toContain('Outputs');
    listOf({ list: { runs: [run({ tasks: [DONE], collected: 'all' })], total: 1 }, onOutputs });
    click(find('[aria-label="Show outputs: mysources"]'));
    expect(onOutputs).toHaveBeenCalledOnce();
  });

  it('says that there are more than it shows', () => {
    listOf({ list: { runs: [run()], total: 1_235 } });
    expect(text()).toContain('1,234 older runs are not shown.');
  });
});

describe('a report', () => {
  const report = (change: Partial<RunReport> = {}): RunReport => ({
    run: run({ tasks: [FAILED, SKIPPED] }),
    failures: [
      {
        quantum: 'q1',
        task: 'detect',
        data_id: { visit: 7, detector: 93 },
        state: 'failed',
        error: 'RuntimeError: The sky has fallen.',
        log: '/home/me/run one/logs/detect/q1.log',
        lines: ['one', 'two'],
        command: "satellite run start '/home/me/run one' --quantum q1"
      }
    ],
    more_failures: 1,
    commands: { start: 'satellite run start X', collect: 'satellite run collect X', report: 'report X' },
    ...change
  });
  const actionsOf = (): IReportActions => ({ showOutputs: vi.fn(), showLog: vi.fn(), copyText: vi.fn() });

  it('tells of each failure what, why, the end of its log, and how to try again', () => {
    const actions = actionsOf();
    render(<Report report={report()} actions={actions} />);
    expect(text()).toContain('2 failures');
    expect(find('.pb-Failure').textContent).toContain('RuntimeError: The sky has fallen.');
    expect(find('.pb-Failure pre').textContent).toBe('one\ntwo');
    expect(text()).toContain('1 more failures are not shown.');
    click(find('[aria-label="Open log: detect, visit=7, detector=93"]'));
    expect(actions.showLog).toHaveBeenCalledOnce();
    click(find('[aria-label="Copy command to rerun: detect, visit=7, detector=93"]'));
    expect(actions.copyText).toHaveBeenCalledWith("satellite run start '/home/me/run one' --quantum q1");
  });

  it('has columns only for the states that there are', () => {
    render(<Report report={report()} actions={actionsOf()} />);
    expect(find('thead').textContent).toBe('TaskProgressQuantasucceededfailedskipped');
  });

  it('before outputs are collected it says how to, afterwards it shows them', () => {
    const actions = actionsOf();
    const done = run({ tasks: [DONE] });
    render(<Report report={report({ run: done, failures: [], more_failures: 0 })} actions={actions} />);
    expect(text()).not.toContain('Show outputs');
    click(find('[aria-label="Copy command: satellite run collect X"]'));
    expect(actions.copyText).toHaveBeenCalledWith('satellite run collect X');
    const collected = { ...done, collected: 'all' as const };
    render(<Report report={report({ run: collected, failures: [], more_failures: 0 })} actions={actions} />);
    expect(text()).not.toContain('satellite run collect');
    click(find('.pb-mod-accept'));
    expect(actions.showOutputs).toHaveBeenCalledWith(collected);
  });
});

describe('a log', () => {
  const log = { path: '/logs/q1.log', text: 'one\ntwo\n', bytes: 8, left_out: 0 };
  const show = (change: Partial<typeof log>): void =>
    render(<Log log={{ ...log, ...change }} onRefresh={() => undefined} copyText={() => undefined} />);

  it('says so when it is not whole, and when it is empty', () => {
    show({});
    expect(find('pre').textContent).toBe('one\ntwo\n');
    expect(text()).not.toContain('not shown');
    show({ bytes: 3_000_000, left_out: 2_740_000 });
    expect(text()).toContain('The end of a log of 3 MB; 2.7 MB before it are not shown.');
    show({ text: '', bytes: 0 });
    expect(text()).toContain('The log is empty.');
  });
});
