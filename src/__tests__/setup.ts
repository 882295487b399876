/**
 * What jsdom has not, and JupyterLab or the virtual lists need.
 */

class Observer {
  observe(): void {
    // jsdom has no layout, so there is nothing to report.
  }
  unobserve(): void {
    // As above.
  }
  disconnect(): void {
    // As above.
  }
}

Object.assign(globalThis, {
  DragEvent: globalThis.MouseEvent,
  IntersectionObserver: Observer,
  ResizeObserver: Observer
});
