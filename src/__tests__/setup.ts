/**
 * What jsdom has not, and JupyterLab or the virtual lists need.
 */

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
