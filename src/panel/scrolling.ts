/**
 * Where in a list of any length a scroll bar of limited length is.
 */

/** Highest element that all browsers lay out exactly, in pixels; Firefox has the lowest limit, at 17.8 M. */
export const MAX_HEIGHT = 8_000_000;

/**
 * The position in a list that may be higher than an element can be.
 *
 * Small steps move by as much as they say, so that rows pass under the eye as in any list; a jump, as by the
 * scroll bar, goes to the place that the bar shows. In between, `settle` brings the bar to where it belongs.
 */
export class ScaledScroll {
  /** How far the first pixel in view is from the top of the list. */
  get offset(): number {
    return this._offset;
  }

  /** Height of the element that scrolls. */
  get height(): number {
    return Math.min(this._total, MAX_HEIGHT);
  }

  /** What to subtract from a place in the list to have it in the element. */
  get shift(): number {
    return this._offset - this._bar;
  }

  get isScaled(): boolean {
    return this._total > MAX_HEIGHT;
  }

  /** The list, or what is seen of it, has another height. */
  resize(total: number, view: number): void {
    const isOther = total !== this._total || view !== this._view;
    this._total = total;
    this._view = view;
    if (isOther) {
      this._offset = this._within(this._offset);
    }
  }

  /** The bar has been moved. */
  scrolled(bar: number): void {
    const step = bar - this._bar;
    const isJump = Math.abs(step) > Math.max(4 * this._view, 2_000);
    this._offset = this._within(!this.isScaled ? bar : isJump ? bar * this._scale : this._offset + step);
    this._bar = bar;
  }

  /**
   * Where the bar belongs.
   *
   * @returns The place to move it to; moving it there changes nothing in view.
   */
  settle(): number {
    this._bar = this.isScaled ? Math.round(this._offset / this._scale) : this._offset;
    return this._bar;
  }

  /** Whether the bar has come to its end before the list has. */
  get isStuck(): boolean {
    const end = this.height - this._view;
    return (
      this.isScaled &&
      ((this._bar <= 0 && this._offset > 0) || (this._bar >= end && this._offset < this._total - this._view))
    );
  }

  /** Go where a stretch is in view, moving as little as possible; the bar is to be settled then. */
  reveal(start: number, end: number): void {
    if (start < this._offset) {
      this._offset = this._within(start);
    } else if (end > this._offset + this._view) {
      this._offset = this._within(end - this._view);
    }
  }

  private get _scale(): number {
    return Math.max(1, (this._total - this._view) / Math.max(1, this.height - this._view));
  }

  private _within(offset: number): number {
    return Math.max(0, Math.min(offset, this._total - this._view));
  }

  private _total = 0;
  private _view = 0;
  private _bar = 0;
  private _offset = 0;
}
