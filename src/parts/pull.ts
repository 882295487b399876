/** Pixels a pointer moves before a press becomes a pull. */
const THRESHOLD = 5;

/** Where a pull begins. */
export interface IPoint {
  readonly clientX: number;
  readonly clientY: number;
}

/**
 * Call once if the pointer, pressed here, moves further than a click would; forget it when it is released.
 */
export function watchPull(start: IPoint, onPull: (at: IPoint) => void): void {
  const end = (): void => {
    document.removeEventListener('pointermove', move, true);
    document.removeEventListener('pointerup', end, true);
    document.removeEventListener('pointercancel', end, true);
  };
  const move = (event: PointerEvent): void => {
    const distance = Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY);
    if (distance >= THRESHOLD) {
      end();
      onPull(event);
    }
  };
  document.addEventListener('pointermove', move, true);
  document.addEventListener('pointerup', end, true);
  document.addEventListener('pointercancel', end, true);
}
