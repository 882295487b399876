/**
 * The tiles of an image: which there are at each resolution, and which of them are seen.
 */

import type { ImageBox } from '../../api';
import type { View } from './view';

/** Values of a tile each way: a megabyte before it is compressed. */
export const TILE = 512;

/** A square part of an image, in blocks of `bin` pixels each way. */
export interface ITile {
  readonly key: string;
  readonly bin: number;
  readonly box: ImageBox;
}

/** The tile at a place, counted from the lower left corner of the image. */
export function tileAt(image: ImageBox, bin: number, column: number, row: number): ITile {
  const step = TILE * bin;
  const [x0, y0] = [image.x0 + column * step, image.y0 + row * step];
  const box = { x0, x1: Math.min(x0 + step, image.x1), y0, y1: Math.min(y0 + step, image.y1) };
  return { key: `${bin}/${column}/${row}`, bin, box };
}

/** The only tile that shows all of an image. */
export function overview(image: ImageBox): ITile {
  const longest = Math.max(image.x1 - image.x0, image.y1 - image.y0);
  return tileAt(image, 2 ** Math.max(0, Math.ceil(Math.log2(longest / TILE))), 0, 0);
}

/** The blocks that are not larger than a pixel of the screen, nor smaller than they must be. */
export function binOf(view: View, ratio: number): number {
  const finest = 2 ** Math.max(0, Math.floor(Math.log2(1 / (view.zoom * ratio)) + 1e-9));
  return Math.min(finest, overview(view.box).bin);
}

/** The tiles that are seen, those in the middle first. */
export function visibleTiles(view: View, bin: number): ITile[] {
  const seen = view.visible;
  if (!seen) {
    return [];
  }
  const step = TILE * bin;
  const tiles: ITile[] = [];
  for (let row = Math.floor((seen.y0 - view.box.y0) / step); view.box.y0 + row * step < seen.y1; row++) {
    for (
      let column = Math.floor((seen.x0 - view.box.x0) / step);
      view.box.x0 + column * step < seen.x1;
      column++
    ) {
      tiles.push(tileAt(view.box, bin, column, row));
    }
  }
  const far = ({ box }: ITile): number =>
    Math.hypot((box.x0 + box.x1) / 2 - view.center.x, (box.y0 + box.y1) / 2 - view.center.y);
  return tiles.sort((one, other) => far(one) - far(other));
}

export function contains(box: ImageBox, x: number, y: number): boolean {
  return x >= box.x0 && x < box.x1 && y >= box.y0 && y < box.y1;
}

export function overlaps(one: ImageBox, other: ImageBox): boolean {
  return one.x0 < other.x1 && other.x0 < one.x1 && one.y0 < other.y1 && other.y0 < one.y1;
}
