import { act, type ReactElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, vi } from 'vitest';

// React asks for this wherever `act` is used.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

/** Height of a row of every list. */
const ROW_HEIGHT = 24;

/** Height of everything that scrolls: jsdom has no layout, and nothing would be in view. */
export const VIEW_HEIGHT = 480;

let host: HTMLElement;
let root: Root;

/** Give each test a page with room for twenty rows. */
export function preparePage(): void {
  beforeEach(() => {
    vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockImplementation(function (this: HTMLElement) {
      return this.classList.contains('pb-Rows') ? VIEW_HEIGHT : ROW_HEIGHT;
    });
    vi.spyOn(HTMLElement.prototype, 'offsetWidth', 'get').mockReturnValue(300);
    vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(VIEW_HEIGHT);
    // Without a layout nothing scrolls, and there is no next frame in which to see whether it did.
    HTMLElement.prototype.scrollTo = () => undefined;
    vi.spyOn(window, 'requestAnimationFrame').mockReturnValue(0);
    host = document.createElement('div');
    document.body.append(host);
    root = createRoot(host);
  });
  afterEach(() => {
    act(() => root.unmount());
    host.remove();
  });
}

export function render(element: ReactElement): void {
  act(() => root.render(element));
}

/** All elements with this role, from top to bottom. */
export function all(role: string): HTMLElement[] {
  return [...host.querySelectorAll<HTMLElement>(`[role="${role}"]`)];
}

export function find(selector: string): HTMLElement {
  const element = host.querySelector<HTMLElement>(selector);
  if (!element) {
    throw new Error(`There is no ${selector} in ${host.innerHTML}`);
  }
  return element;
}

export function text(): string {
  return host.textContent;
}

/** Press a key where the focus is. */
export function press(key: string, modifiers: KeyboardEventInit = {}): void {
  const init = { key, bubbles: true, cancelable: true, ...modifiers };
  act(() => void (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent('keydown', init)));
}

export function click(element: Element, modifiers: MouseEventInit = {}): void {
  act(() => void element.dispatchEvent(new MouseEvent('click', { bubbles: true, ...modifiers })));
}

export function focus(element: HTMLElement): void {
  act(() => element.focus());
}
