/**
 * Which part of an image is seen: how large, and around which pixel. Pixels have their centres at whole
 * numbers, as in all of Rubin's images, and y goes upwards.
 */

import type { ImageBox } from '../../api';

/** Extent of what one looks at or through. */
export interface ISize {
  readonly width: number;
  readonly height: number;
}

export interface IPoint {
  readonly x: number;
  readonly y: number;
}

const LARGEST = 64;

export class View {
  /**
   * @param zoom - Pixels of the screen to one of the image.
   * @param center - The pixel in the middle.
   */
  constructor(
    readonly box: ImageBox,
    readonly size: ISize,
    readonly zoom: number,
    readonly center: IPoint
  ) {}

  /** All of an image. */
  static fit(box: ImageBox, size: ISize): View {
    const zoom = Math.min(size.width / (box.x1 - box.x0), size.height / (box.y1 - box.y0));
    const center = { x: (box.x0 + box.x1 - 1) / 2, y: (box.y0 + box.y1 - 1) / 2 };
    return new View(box, size, Math.min(zoom > 0 ? zoom : 1, LARGEST), center);
  }

  get isFit(): boolean {
    const fit = View.fit(this.box, this.size);
    return this.zoom === fit.zoom && this.center.x === fit.center.x && this.center.y === fit.center.y;
  }

  toScreen({ x, y }: IPoint): IPoint {
    return {
      x: this.size.width / 2 + (x - this.center.x) * this.zoom,
      y: this.size.height / 2 - (y - this.center.y) * this.zoom
    };
  }

  toImage({ x, y }: IPoint): IPoint {
    return {
      x: this.center.x + (x - this.size.width / 2) / this.zoom,
      y: this.center.y - (y - this.size.height / 2) / this.zoom
    };
  }

  /** The same with another size of the window. */
  resized(size: ISize): View {
    return this.isFit ? View.fit(this.box, size) : this._changed({ size });
  }

  /** Larger or smaller, with the image staying where it is at one point of the screen. */
  zoomed(factor: number, at: IPoint = { x: this.size.width / 2, y: this.size.height / 2 }): View {
    return this.zoomedTo(this.zoom * factor, at);
  }

  zoomedTo(zoom: number, at: IPoint = { x: this.size.width / 2, y: this.size.height / 2 }): View {
    const smallest = View.fit(this.box, this.size).zoom / 4;
    const next = Math.min(LARGEST, Math.max(Math.min(smallest, 1), zoom));
    const fixed = this.toImage(at);
    return this._changed({
      zoom: next,
      center: {
        x: fixed.x - (at.x - this.size.width / 2) / next,
        y: fixed.y + (at.y - this.size.height / 2) / next
      }
    });
  }

  /** Moved by so many pixels of the screen. */
  panned(dx: number, dy: number): View {
    return this._changed({
      center: { x: this.center.x - dx / this.zoom, y: this.center.y + dy / this.zoom }
    });
  }

  /** Moved just so far that a pixel is seen. */
  showing(point: IPoint): View {
    const margin = Math.min(24, this.size.width / 4, this.size.height / 4);
    const { x, y } = this.toScreen(point);
    const dx = Math.max(margin - x, 0) + Math.min(this.size.width - margin - x, 0);
    const dy = Math.max(margin - y, 0) + Math.min(this.size.height - margin - y, 0);
    return dx === 0 && dy === 0 ? this : this.panned(dx, dy);
  }

  /** The pixels of the image that are seen, even in part; null if there are none. */
  get visible(): ImageBox | null {
    const low = this.toImage({ x: 0, y: this.size.height });
    const high = this.toImage({ x: this.size.width, y: 0 });
    const x0 = Math.max(this.box.x0, Math.floor(low.x + 0.5));
    const x1 = Math.min(this.box.x1, Math.ceil(high.x + 0.5));
    const y0 = Math.max(this.box.y0, Math.floor(low.y + 0.5));
    const y1 = Math.min(this.box.y1, Math.ceil(high.y + 0.5));
    return x0 < x1 && y0 < y1 ? { x0, x1, y0, y1 } : null;
  }

  private _changed({ size = this.size, zoom = this.zoom, center = this.center }): View {
    // Some of the image stays in view, wherever one pulls it.
    const x = Math.min(this.box.x1 - 1, Math.max(this.box.x0, center.x));
    const y = Math.min(this.box.y1 - 1, Math.max(this.box.y0, center.y));
    return new View(this.box, size, zoom, { x, y });
  }
}
