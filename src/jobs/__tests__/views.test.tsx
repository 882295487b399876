import { act, type ReactElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { emptyRequest } from '../requests';
import { canBegin, PlanView } from '../planview';
import { type IJobListProps, JobList } from '../strip';
import { Results, ResultsModel } from '../results';
import { job, plan, REPORT, StandIn } from './standin';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let host: HTMLElement;
let root: Root;

beforeEach(() => {
  host = document.createElement('div');
  document.body.append(host);
  root = createRoot(host);
});
afterEach(() => {
  act(() => root.unmount());
  host.remove();
});

function render(element: ReactElement): void {
  act(() => root.render(element));
}

function listOf(change: Partial<IJobListProps>): ReactElement {
  const none = (): void => undefined;
  const does = {
    onToggle: none,
    onStop: none,
    onResume: none,
    onRemove: none,
    onClear: none,
    onResults: none
  };
  return <JobList jobs={[]} isOpen={true} {...does} {...change} />;
}

describe('the results of a job', () => {
  async function headers(reasons: readonly string[]): Promise<string[]> {
    const client = new StandIn();
    client.listed = reasons.map((reason, index) => ({
      ...{
        id: `${index}`,
        dataset_type: 'visit_image',
        data_id: { visit: index },
        run: 'run/a',
        bytes: null
      },
      ...{ status: 'done' as const, reason }
    }));
    const model = new ResultsModel(client, job('1', { counts: { done: reasons.length } }));
    await vi.waitFor(() => expect(model.results).toHaveLength(reasons.length));
    render(<Results model={model} results={model.results} notice={null} />);
    return [...host.querySelectorAll('th')].map(each => each.textContent);
  }

  it('have a column of reasons only if there are some', async () => {
    expect(await headers(['', ''])).not.toContain('Reason');
    expect(await headers(['', 'It was there.'])).toContain('Reason');
  });
});

describe('the list of jobs', () => {
  it('is not there without jobs', () => {
    render(listOf({}));
    expect(host.innerHTML).toBe('');
  });

  it('shows how far a job is, and lets one stop it', () => {
    const onStop = vi.fn();
    const progress = { phase: 'copying', done: 3, total: 12, seconds_left: 9 } as const;
    render(listOf({ jobs: [job('1', { action: 'pin', progress })], onStop }));
    const bar = host.querySelector('[role="progressbar"]')!;
    expect(bar.getAttribute('aria-valuenow')).toBe('25');
    expect(bar.getAttribute('aria-label')).toBe('Pin visit_image');
    expect(bar.getAttribute('aria-valuetext')).toContain('3 of 12');
    act(() => host.querySelector<HTMLButtonElement>('[aria-label="Stop: Pin visit_image"]')!.click());
    expect(onStop).toHaveBeenCalledOnce();
  });

  it('has no number while nobody knows how much there is', () => {
    render(listOf({ jobs: [job('1')] }));
    expect(host.querySelector('[role="progressbar"]')!.hasAttribute('aria-valuenow')).toBe(false);
  });

  it('says why a job failed and what to do, and offers both to retry and the results', () => {
    const onResume = vi.fn();
    const failed = job('1', {
      state: 'failed',
      error: REPORT,
      resumable: true,
      counts: { done: 2, left: 10 }
    });
    render(listOf({ jobs: [failed], onResume }));
    expect(host.textContent).toContain('Failed: 2 referenced, 10 not done');
    expect(host.textContent).toContain(REPORT.message);
    expect(host.textContent).toContain(REPORT.next_step);
    expect(host.querySelector('[role="progressbar"]')).toBeNull();
    expect(host.querySelector('[aria-label^="Results"]')).not.toBeNull();
    act(() => host.querySelector<HTMLButtonElement>('[aria-label^="Retry"]')!.click());
    expect(onResume).toHaveBeenCalledOnce();
  });

  it('says of an interrupted job what happened', () => {
    render(listOf({ jobs: [job('1', { state: 'interrupted', resumable: true })] }));
    expect(host.textContent).toContain('Interrupted');
    expect(host.querySelector('[aria-label^="Resume"]')).not.toBeNull();
  });
});

describe('the plan of a job', () => {
  const show = (change: Parameters<typeof plan>[0]): void => {
    const request = emptyRequest('pin', 'dp2');
    const state = { status: 'planned', plan: plan({ action: 'pin', ...change }), request } as const;
    render(<PlanView state={state} onRetry={() => undefined} onCopy={() => undefined} />);
  };

  it('says what, how much, what is there and what cannot be done', () => {
    show({
      new: 9,
      there: 2,
      reference_first: 4,
      creates_satellite: true,
      problems: [{ status: 'missing', reason: 'The official server has no file of it.', datasets: 1 }]
    });
    const text = host.textContent;
    expect(text).toContain('9 datasets, 240 MB.');
    expect(text).toContain('2 have their files in it already.');
    expect(text).toContain('4 of them are referenced first.');
    expect(text).toContain('it is created in /home/me/butler/dp2');
    expect(text).toContain('1 missing: The official server has no file of it.');
  });

  it('cannot be begun if it does not fit, or if there is nothing to do', () => {
    const room = { needed: 2, free: 1, fits: false, place: 'disk', location: '/home', quota: null } as const;
    show({ room });
    expect(host.textContent).toContain('It does not fit.');
    expect(canBegin(plan({ room }))).toBe(false);
    expect(canBegin(plan({ new: 0 }))).toBe(false);
    expect(canBegin(plan())).toBe(true);
    show({ new: 0, there: 12, datasets: 12 });
    expect(host.textContent).toContain('all 12 datasets are so already');
  });

  it('warns of what nothing brings back', () => {
    show({ action: 'prune', irreversible: true });
    expect(host.textContent).toContain('Nothing brings them back.');
  });
});
