import type { ImageMaskPlane } from '../../api';
import { packed } from './colours';
import { overlaps, visibleTiles } from './grid';
import type { ILoadedTile, Layer } from './layer';
import type { ImageModel } from './model';
import type { ColourTable } from './stretch';
import type { View } from './view';

/** Milliseconds of a frame that may be spent on colouring tiles; the others follow in the next frame. */
const BUDGET = 12;

interface IPainted {
  readonly canvas: HTMLCanvasElement;
  /** What it was painted with. */
  readonly by: unknown;
}

/** What a mask is drawn in: the word, the bit and the colour of each plane that is shown. */
type MaskColours = readonly { readonly plane: ImageMaskPlane; readonly colour: number }[];

/**
 * Draws what has come of an image, and of its mask over it, onto two canvases.
 */
export class Painter {
  /**
   * @returns Whether there is more to do, in another frame.
   */
  paint(model: ImageModel, image: HTMLCanvasElement, mask: HTMLCanvasElement, ratio: number): boolean {
    const { view } = model;
    if (!view) {
      return false;
    }
    const until = performance.now() + BUDGET;
    const { table } = model;
    const { shown, opacity } = model.mask;
    let more = this._draw(model, model.layer, image, ratio, table, until, tile => colour(tile, table));
    if (model.maskLayer && shown.size > 0) {
      const colours = this._maskColours(model);
      more =
        this._draw(model, model.maskLayer, mask, ratio, colours, until, tile => colourMask(tile, colours)) ||
        more;
    } else {
      mask.getContext('2d')?.clearRect(0, 0, mask.width, mask.height);
    }
    mask.style.opacity = String(opacity);
    return more;
  }

  private _draw(
    model: ImageModel,
    layer: Layer,
    canvas: HTMLCanvasElement,
    ratio: number,
    by: unknown,
    until: number,
    paint: (tile: ILoadedTile) => HTMLCanvasElement
  ): boolean {
    const context = canvas.getContext('2d');
    const { view } = model;
    if (!context || !view) {
      return false;
    }
    context.clearRect(0, 0, canvas.width, canvas.height);
    let more = false;
    for (const tile of seenTiles(layer, view, model.bin)) {
      let painted = this._painted.get(tile);
      if (painted?.by !== by) {
        if (performance.now() < until) {
          painted = { canvas: paint(tile), by };
          this._painted.set(tile, painted);
        } else {
          more = true;
        }
      }
      if (painted) {
        place(context, view, ratio, tile, painted.canvas);
      }
    }
    return more;
  }

  private _maskColours(model: ImageModel): MaskColours {
    const { shown } = model.mask;
    if (this._colours?.shown !== shown) {
      const colours = model.maskPlanes
        .filter(({ plane }) => shown.has(plane.name))
        .map(({ plane, colour }) => ({ plane, colour: packed(colour) }));
      this._colours = { shown, colours };
    }
    return this._colours.colours;
  }

  private readonly _painted = new WeakMap<ILoadedTile, IPainted>();
  private _colours: { readonly shown: ReadonlySet<string>; readonly colours: MaskColours } | null = null;
}

/** What has come of what is seen, coarse first, so that the fine covers it. */
function seenTiles(layer: Layer, view: View, bin: number): ILoadedTile[] {
  const visible = view.visible;
  if (!visible) {
    return [];
  }
  const wanted = new Set(visibleTiles(view, bin).map(({ key }) => key));
  const here = layer.tiles.filter(tile => tile.bin >= bin && overlaps(tile.box, visible));
  const complete = here.filter(({ key }) => wanted.has(key)).length === wanted.size;
  return complete ? here.filter(({ key }) => wanted.has(key)) : here;
}

function place(
  context: CanvasRenderingContext2D,
  view: View,
  ratio: number,
  { box, bin }: ILoadedTile,
  picture: HTMLCanvasElement
): void {
  // Edges on whole pixels of the screen, or seams would show between tiles.
  const corner = view.toScreen({ x: box.x0 - 0.5, y: box.y0 - 0.5 });
  const end = view.toScreen({
    x: box.x0 - 0.5 + picture.width * bin,
    y: box.y0 - 0.5 + picture.height * bin
  });
  const [left, right] = [Math.round(corner.x * ratio), Math.round(end.x * ratio)];
  const [top, bottom] = [Math.round(end.y * ratio), Math.round(corner.y * ratio)];
  context.imageSmoothingEnabled = bin * view.zoom * ratio < 1;
  // What is coarser and below must not show where there is no value.
  context.clearRect(left, top, right - left, bottom - top);
  context.drawImage(picture, left, top, right - left, bottom - top);
}

function colour({ region }: ILoadedTile, table: ColourTable): HTMLCanvasElement {
  const { width, height } = region.head;
  return filled(width, height, target => table.paint(region.pixels as Float32Array, width, height, target));
}

/** Each pixel in the mean colour of the planes that are set there. */
function colourMask({ region }: ILoadedTile, colours: MaskColours): HTMLCanvasElement {
  const { width, height, words } = region.head;
  const { pixels } = region;
  const count = width * height;
  const mixed = new Map<number, number>();
  const chosen = new Uint32Array(words);
  for (const { plane } of colours) {
    chosen[plane.word] = (chosen[plane.word] ?? 0) | (1 << plane.bit);
  }
  return filled(width, height, target => {
    for (let row = 0; row < height; row++) {
      let to = (height - 1 - row) * width;
      for (let at = row * width; at < (row + 1) * width; at++, to++) {
        // Which planes are set, as one number: exact for up to 53 of them.
        let set = 0;
        for (let word = 0; word < words; word++) {
          set = set * 2 ** 32 + (((pixels[word * count + at] ?? 0) & (chosen[word] ?? 0)) >>> 0);
        }
        if (set !== 0) {
          let colour = mixed.get(set);
          if (colour === undefined) {
            const planes = colours.filter(
              ({ plane }) => ((pixels[plane.word * count + at] ?? 0) >>> plane.bit) & 1
            );
            colour = mix(planes.map(one => one.colour));
            mixed.set(set, colour);
          }
          target[to] = colour;
        }
      }
    }
  });
}

function mix(colours: readonly number[]): number {
  const mean = (shift: number): number =>
    Math.round(colours.reduce((sum, one) => sum + ((one >>> shift) & 255), 0) / colours.length);
  return ((255 << 24) | (mean(16) << 16) | (mean(8) << 8) | mean(0)) >>> 0;
}

function filled(width: number, height: number, fill: (target: Uint32Array) => void): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (context) {
    const data = context.createImageData(width, height);
    fill(new Uint32Array(data.data.buffer));
    context.putImageData(data, 0, 0);
  }
  return canvas;
}
