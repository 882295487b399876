// What is measured on the page itself: how long it is held, and how much memory it takes.
import type { Page } from '@playwright/test';

declare global {
  interface Window {
    /** Ends the watch, and gives the longest hold in milliseconds. */
    endOfHolds?: () => Promise<number>;
  }
}

/**
 * Have something happen, and give the longest time in which the page could do nothing else meanwhile: between
 * two ticks of a timer, or in one task as the browser itself counts it.
 */
export async function longestHold(page: Page, happening: () => Promise<void>): Promise<number> {
  await page.evaluate(() => {
    /** Milliseconds that browsers wait between the ticks of a timer that shall tick at once. */
    const CLAMP = 4;
    let longest = 0;
    let last = performance.now();
    let timer = 0;
    const tick = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last - CLAMP);
      last = now;
      timer = window.setTimeout(tick);
    };
    const note = (entries: PerformanceEntryList): void =>
      entries.forEach(({ duration }) => (longest = Math.max(longest, duration)));
    const observer = new PerformanceObserver(list => note(list.getEntries()));
    observer.observe({ type: 'longtask' });
    timer = window.setTimeout(tick);
    window.endOfHolds = async () => {
      // The last task is told of in a later one.
      await new Promise(resolve => setTimeout(resolve, 100));
      window.clearTimeout(timer);
      note(observer.takeRecords());
      observer.disconnect();
      return longest;
    };
  });
  await happening();
  return page.evaluate(() => window.endOfHolds!());
}

/** An event of the browser's own record; times in microseconds. */
interface IRecorded {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly name?: string };
  /** Time that a processor was used. */
  readonly tdur?: number;
}

/**
 * Have something happen, and give the longest task of the page meanwhile, in milliseconds of a processor's time:
 * what else the machine does hardly matters.
 */
export async function longestWork(page: Page, happening: () => Promise<void>): Promise<number> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, { categories: ['-*', 'disabled-by-default-devtools.timeline'] });
  await happening();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: IRecorded[];
  };
  const threadOf = ({ pid, tid }: IRecorded): string => `${pid} ${tid}`;
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(threadOf)
  );
  const tasks = traceEvents.filter(event => event.name === 'RunTask' && main.has(threadOf(event)));
  const times = tasks.flatMap(({ tdur }) => (tdur === undefined ? [] : [tdur / 1000]));
  if (times.length === 0) {
    throw new Error('The browser recorded no task of the page.');
  }
  return times.reduce((longest, time) => Math.max(longest, time), 0);
}

/**
 * Wait until an element has a text.
 *
 * With little looks from within the page: a look of Playwright's own that fails describes the whole page, which
 * takes longer than anything that is measured here.
 */
export async function awaitText(page: Page, selector: string, text: RegExp): Promise<void> {
  await page.waitForFunction(
    ([where, source]) => new RegExp(source!).test(document.querySelector(where!)?.textContent ?? ''),
    [selector, text.source],
    { polling: 20, timeout: 120_000 }
  );
}

/** Wait until no element matches any more, in the same way. */
export async function awaitNone(page: Page, selector: string): Promise<void> {
  await page.waitForFunction(where => document.querySelector(where) === null, selector, {
    polling: 20,
    timeout: 120_000
  });
}

/** Megabytes of objects that the page holds, after everything that nobody needs has been collected. */
export async function heapHeld(page: Page): Promise<number> {
  const browser = await page.context().newCDPSession(page);
  // What the first collection finishes leaves more for the next.
  for (let round = 0; round < 3; round++) {
    await page.requestGC();
  }
  const { usedSize } = await browser.send('Runtime.getHeapUsage');
  await browser.detach();
  return usedSize / 1e6;
}
