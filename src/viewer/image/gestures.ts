import type { IDisposable } from '@lumino/disposable';

import type { ImageModel } from './model';
import type { IPoint, View } from './view';

/**
 * What a mouse, a touch pad and fingers do to an image: the wheel and pinching zoom, dragging moves it, and
 * the pixel under the pointer is read out.
 */
export class Gestures implements IDisposable {
  constructor(
    private readonly _element: HTMLElement,
    private readonly _model: ImageModel
  ) {
    for (const type of EVENTS) {
      // The wheel must not scroll the page, which React's own listeners could not prevent.
      _element.addEventListener(type, this, { passive: false });
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    for (const type of EVENTS) {
      this._element.removeEventListener(type, this);
    }
  }

  handleEvent(event: Event): void {
    const { view } = this._model;
    if (!view) {
      return;
    }
    switch (event.type) {
      case 'wheel':
        this._wheel(event as WheelEvent, view);
        break;
      case 'dblclick':
        this._model.setView(view.zoomed(2, this._point(event as MouseEvent)));
        break;
      case 'pointerdown':
        this._down(event as PointerEvent);
        break;
      case 'pointermove':
        this._move(event as PointerEvent, view);
        break;
      case 'pointerup':
      case 'pointercancel':
        this._fingers.delete((event as PointerEvent).pointerId);
        this._element.classList.toggle('pb-mod-grabbed', this._fingers.size > 0);
        break;
      case 'pointerleave':
        // With the keyboard's cursor in the image, it stays where it was.
        if (document.activeElement !== this._element) {
          this._model.setCursor(null);
        }
        break;
    }
  }

  private _wheel(event: WheelEvent, view: View): void {
    event.preventDefault();
    // A pinch on a touch pad comes as a wheel with Ctrl, in smaller steps.
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * 33;
    const factor = Math.exp(-Math.max(-200, Math.min(200, lines)) * (event.ctrlKey ? 0.01 : 0.002));
    this._model.setView(view.zoomed(factor, this._point(event)));
  }

  private _down(event: PointerEvent): void {
    if (event.button !== 0) {
      return;
    }
    this._element.setPointerCapture(event.pointerId);
    this._element.classList.add('pb-mod-grabbed');
    this._fingers.set(event.pointerId, this._point(event));
  }

  private _move(event: PointerEvent, seen: View): void {
    const model = this._model;
    const to = this._point(event);
    const from = this._fingers.get(event.pointerId);
    let view = seen;
    if (from) {
      const others = [...this._fingers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      const other = others[0];
      if (other) {
        // What is between two fingers stays between them.
        const before = Math.hypot(from.x - other.x, from.y - other.y);
        const after = Math.hypot(to.x - other.x, to.y - other.y);
        const middle = { x: (from.x + other.x) / 2, y: (from.y + other.y) / 2 };
        view = before > 0 ? view.zoomed(after / before, middle) : view;
        view = view.panned((to.x - from.x) / 2, (to.y - from.y) / 2);
      } else {
        view = view.panned(to.x - from.x, to.y - from.y);
      }
      this._fingers.set(event.pointerId, to);
      model.setView(view);
    }
    model.setCursor(view.toImage(to));
  }

  private _point(event: MouseEvent): IPoint {
    const { left, top } = this._element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  private readonly _fingers = new Map<number, IPoint>();
  private _isDisposed = false;
}

const EVENTS = [
  'wheel',
  'dblclick',
  'pointerdown',
  'pointermove',
  'pointerup',
  'pointercancel',
  'pointerleave'
] as const;
