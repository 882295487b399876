import type { ISkyView, Point } from './projection';

/** What dragging on the map does. */
export type Tool = 'move' | 'lasso' | 'circle';

/** Pixels that a pointer moves before it is a drag and no click. */
const SLACK = 4;

/** A press of the pointer until it is let go. */
export interface IGesture {
  readonly tool: Tool;
  /** The view at its beginning. */
  readonly view: ISkyView;
  readonly from: Point;
  readonly to: Point;
  /** Whether it went far enough to be no click. */
  readonly isDrag: boolean;
  /** All places on the way. */
  readonly path: readonly Point[];
  move(to: Point): void;
}

/** Begin to follow the pointer. */
export function startGesture(tool: Tool, from: Point, view: ISkyView): IGesture {
  const path: Point[] = [from];
  let isDrag = false;
  return {
    tool,
    view,
    from,
    path,
    get to() {
      return path.at(-1) ?? from;
    },
    get isDrag() {
      return isDrag;
    },
    move(to) {
      path.push(to);
      isDrag ||= Math.hypot(to[0] - from[0], to[1] - from[1]) > SLACK;
    }
  };
}

/** What becomes of a press. */
export interface IPress {
  moved(to: Point): void;
  /** It was let go, or taken away. */
  ended(isDone: boolean): void;
}

/** Follow a pressed pointer until it is let go, wherever it goes. */
export function followPointer(element: HTMLElement, pressed: PointerEvent, press: IPress): void {
  const end = new AbortController();
  const follow = (
    type: 'pointermove' | 'pointerup' | 'pointercancel',
    act: (event: PointerEvent) => void
  ): void =>
    element.addEventListener(type, event => event.pointerId === pressed.pointerId && act(event), {
      signal: end.signal
    });
  const ended = (isDone: boolean): void => {
    end.abort();
    press.ended(isDone);
  };
  element.setPointerCapture(pressed.pointerId);
  follow('pointermove', event => press.moved(placeOf(event)));
  follow('pointerup', () => ended(true));
  follow('pointercancel', () => ended(false));
}

/** Where a pointer is on the element that an event is about. */
export function placeOf({ offsetX, offsetY }: MouseEvent): Point {
  return [offsetX, offsetY];
}
