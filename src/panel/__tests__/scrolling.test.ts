import { beforeEach, describe, expect, it } from 'vitest';

import { MAX_HEIGHT, ScaledScroll } from '../scrolling';

const VIEW = 480;

describe('a short list', () => {
  it('is where the bar is', () => {
    const scroll = new ScaledScroll();
    scroll.resize(10_000, VIEW);
    scroll.scrolled(5_000);
    expect([scroll.offset, scroll.shift, scroll.height, scroll.isScaled]).toEqual([5_000, 0, 10_000, false]);
  });
});

describe('a list of 1,600,000 rows', () => {
  const TOTAL = 1_600_000 * 24;
  let scroll: ScaledScroll;

  beforeEach(() => {
    scroll = new ScaledScroll();
    scroll.resize(TOTAL, VIEW);
  });

  it('is no higher than browsers can lay out', () => {
    expect(scroll.height).toBe(MAX_HEIGHT);
  });

  it('moves by as much as a wheel says', () => {
    scroll.scrolled(100);
    expect(scroll.offset).toBe(100);
    scroll.settle();
    scroll.scrolled(scroll.settle() + 120);
    expect(scroll.offset).toBe(220);
  });

  it('goes to its ends and its middle with the bar', () => {
    scroll.scrolled(MAX_HEIGHT - VIEW);
    expect(scroll.offset).toBe(TOTAL - VIEW);
    scroll.scrolled((MAX_HEIGHT - VIEW) / 2);
    expect(scroll.offset).toBeCloseTo((TOTAL - VIEW) / 2);
    scroll.scrolled(0);
    expect(scroll.offset).toBe(0);
  });

  it('does not move in view when the bar goes where it belongs', () => {
    scroll.scrolled(4_000_000);
    scroll.scrolled(4_000_300);
    const { offset } = scroll;
    const bar = scroll.settle();
    scroll.scrolled(bar);
    expect(scroll.offset).toBe(offset);
    expect(scroll.shift + bar).toBe(offset);
  });

  it('can be wheeled back to its top, however often the bar is there before', () => {
    scroll.reveal(30_000, 30_024);
    let bar = scroll.settle();
    for (let turn = 0; turn < 1_000 && scroll.offset > 0; turn++) {
      bar = Math.max(0, bar - 100);
      scroll.scrolled(bar);
      if (scroll.isStuck) {
        bar = scroll.settle();
      }
    }
    expect(scroll.offset).toBeLessThan(100);
  });
});
