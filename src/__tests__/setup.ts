/**
 * What jsdom has not, and JupyterLab or the virtual lists need.
 */

import { vi } from 'vitest';

function nothing(): void {
  // Nothing ever changes in a page without a screen.
}

class Observer {
  observe = nothing;
  unobserve = nothing;
  disconnect = nothing;
}

Object.assign(globalThis, {
  matchMedia: () => ({ matches: false, addListener: nothing, removeListener: nothing }),
  DragEvent: globalThis.MouseEvent,
  IntersectionObserver: Observer,
  ResizeObserver: Observer
});

// Answers come when a test says so, not when a page has been held for too long.
vi.mock('../model/slices', () => ({ breathe: () => null }));
