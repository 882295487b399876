// What the panel's parts ask to have done, watched instead of done.
import { vi } from 'vitest';

import type { IPanelActions } from '../actions';

export const actions = {
  insert: vi.fn(),
  open: vi.fn(),
  offers: vi.fn(),
  run: vi.fn(),
  copyCode: vi.fn(),
  copyReference: vi.fn(),
  copyText: vi.fn(),
  openInsertMenu: vi.fn(),
  show: vi.fn(),
  drag: vi.fn()
} satisfies IPanelActions;
