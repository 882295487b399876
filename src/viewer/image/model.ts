import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { IImageClient, ImageDescription, ImageMaskPlane, ImageStatistics } from '../../api';
import { type Loadable, Resource } from '../../model';
import { coloursOf, type ColourMap, maskColours } from './colours';
import { binOf, contains, type ITile, overview, visibleTiles } from './grid';
import { type ILoadedTile, Layer } from './layer';
import { type ISkyPoint, toSky } from './sky';
import { ColourTable, type IRange, type Limits, rangeOf, type Scale } from './stretch';
import { type IPoint, type ISize, View } from './view';

/** How values become colours. */
export interface ILook {
  readonly scale: Scale;
  readonly limits: Limits;
  readonly manual: IRange | null;
  readonly map: ColourMap;
  readonly inverted: boolean;
}

/** Which mask planes are drawn over the image. */
export interface IMaskLook {
  readonly shown: ReadonlySet<string>;
  readonly opacity: number;
}

/** What there is at a pixel. */
export interface IReading {
  readonly x: number;
  readonly y: number;
  readonly sky: ISkyPoint | null;
  /** Null where there is no value; undefined as long as it is not here. */
  readonly value: number | null | undefined;
  /** Pixels each way that the value is the mean of. */
  readonly bin: number;
  /** Names of the mask planes, if the mask is here. */
  readonly flags: readonly string[] | null;
}

/** A part of the sky; the radius in arcseconds. */
export interface ISkyCircle extends ISkyPoint {
  readonly radius: number;
}

/** The name of the mask among the planes, as the backend has it. */
const MASK = 'mask';

const LOOK: ILook = { scale: 'linear', limits: 'p99.8', manual: null, map: 'grey', inverted: false };
/** Planes that are models or variances have no faint things to bring out. */
const PLAIN_LOOK: ILook = { ...LOOK, limits: 'minmax', map: 'viridis' };

/**
 * An image as it is looked at.
 */
export class ImageModel implements IDisposable {
  constructor(
    private readonly _client: IImageClient,
    private readonly _pixelRatio: () => number = () => 1
  ) {
    this._description = new Resource(
      signal => this._client.describe(signal),
      () => this._described(),
      () => true
    );
    this._layer = this._newLayer('');
  }

  /** Begin to ask. */
  start(): void {
    this._description.ask();
  }

  /** Emitted whenever something looks different. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get description(): Loadable<ImageDescription> {
    return this._description.state;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get plane(): string {
    return this._layer.plane;
  }

  get layer(): Layer {
    return this._layer;
  }

  /** Tiles of the mask; null as long as nobody wants to see it. */
  get maskLayer(): Layer | null {
    return this._mask;
  }

  get view(): View | null {
    return this._view;
  }

  get look(): ILook {
    return this._look;
  }

  get mask(): IMaskLook {
    return this._maskLook;
  }

  /** The pixel that is read out. */
  get cursor(): IPoint | null {
    return this._cursor;
  }

  /** Pixels each way that a dot of the picture stands for, when all that is wanted has come. */
  get bin(): number {
    return this._view ? binOf(this._view, this._pixelRatio()) : 1;
  }

  /** Of all pixels of the plane, once they have been looked through. */
  get statistics(): ImageStatistics | null {
    const box = this._description.value?.box;
    return (box && this._layer.get(overview(box).key)?.region.head.statistics) ?? null;
  }

  get range(): IRange {
    return rangeOf(this._look.limits, this.statistics, this._look.manual);
  }

  /** Colours of values, made anew only if they changed. */
  get table(): ColourTable {
    const { low, high } = this.range;
    const { scale, map, inverted } = this._look;
    const key = [low, high, scale, map, inverted].join();
    if (this._table?.key !== key) {
      this._table = { key, table: new ColourTable({ low, high }, scale, coloursOf(map, inverted)) };
    }
    return this._table.table;
  }

  /** Mask planes with their colours, in the order of their bits. */
  get maskPlanes(): readonly { readonly plane: ImageMaskPlane; readonly colour: string }[] {
    const planes = this._description.value?.mask ?? [];
    const colours = maskColours(planes.map(({ name }) => name));
    return planes.map((plane, index) => ({ plane, colour: colours[index] ?? '' }));
  }

  /** The largest circle that is seen whole, around the middle of the view; null if nobody knows the sky. */
  get circle(): ISkyCircle | null {
    const sky = this._description.value?.sky;
    if (!sky || !this._view) {
      return null;
    }
    const { zoom, size, center } = this._view;
    const pixels = Math.min(size.width, size.height) / 2 / zoom;
    return { ...toSky(sky, center), radius: pixels * sky.pixel_scale };
  }

  /** Whether that circle is drawn. */
  get circleShown(): boolean {
    return this._circleShown;
  }

  showCircle(shown: boolean): void {
    if (this._circleShown !== shown) {
      this._circleShown = shown;
      this._touch();
    }
  }

  get failure(): unknown {
    return this._layer.failure ?? this._mask?.failure ?? null;
  }

  /** How many parts are on their way. */
  get waiting(): number {
    return this._layer.missing + (this._mask?.missing ?? 0);
  }

  get paused(): boolean {
    return this._layer.paused || (this._mask?.paused ?? false);
  }

  retryDescription(): void {
    this._description.retry();
  }

  retry(): void {
    this._layer.retry();
    this._mask?.retry();
  }

  stop(): void {
    this._description.cancel();
    this._layer.stop();
    this._mask?.stop();
  }

  choosePlane(plane: string): void {
    const known = this._description.value?.planes.find(({ id }) => id === plane);
    if (!known || plane === this.plane) {
      return;
    }
    this._looks.set(this.plane, this._look);
    this._look = this._looks.get(plane) ?? lookOf(plane);
    this._layer.dispose();
    this._layer = this._newLayer(plane);
    this._want();
    this._touch();
  }

  setLook(look: Partial<ILook>): void {
    // What is set by hand begins where it was.
    const manual = look.limits === 'manual' && !look.manual ? { manual: this.range } : {};
    this._look = { ...this._look, ...look, ...manual };
    this._touch();
  }

  setMask(mask: Partial<IMaskLook>): void {
    this._maskLook = { ...this._maskLook, ...mask };
    if (this._maskLook.shown.size > 0 && !this._mask) {
      this._mask = new Layer(MASK, this._client, () => this._touch());
    }
    this._want();
    this._touch();
  }

  resize(size: ISize): void {
    const box = this._description.value?.box;
    this._size = size;
    if (box && size.width > 0 && size.height > 0) {
      this.setView(this._view ? this._view.resized(size) : View.fit(box, size));
    }
  }

  setView(view: View): void {
    this._view = view;
    this._want();
    this._touch();
  }

  /** Show all of it. */
  fit(): void {
    if (this._view) {
      this.setView(View.fit(this._view.box, this._view.size));
    }
  }

  /** Read out another pixel; `follow` brings it into view. */
  setCursor(cursor: IPoint | null, follow = false): void {
    const box = this._description.value?.box;
    this._cursor =
      cursor && box
        ? {
            x: Math.min(box.x1 - 1, Math.max(box.x0, Math.round(cursor.x))),
            y: Math.min(box.y1 - 1, Math.max(box.y0, Math.round(cursor.y)))
          }
        : null;
    if (follow && this._cursor && this._view) {
      this.setView(this._view.showing(this._cursor));
    }
    this._touch();
  }

  /** What there is at the cursor, as exact as what has come. */
  get reading(): IReading | null {
    const description = this._description.value;
    if (!this._cursor || !description) {
      return null;
    }
    const { x, y } = this._cursor;
    const tile = finest(this._layer, x, y);
    const value = tile?.region.pixels[place(tile, x, y)];
    const mask = this._mask && finest(this._mask, x, y);
    return {
      x,
      y,
      sky: description.sky && toSky(description.sky, this._cursor),
      value: value === undefined ? undefined : Number.isNaN(value) ? null : value,
      bin: tile?.bin ?? 1,
      flags: mask ? description.mask.filter(plane => isSet(mask, plane, x, y)).map(({ name }) => name) : null
    };
  }

  dispose(): void {
    this._isDisposed = true;
    this._description.dispose();
    this._layer.dispose();
    this._mask?.dispose();
    Signal.clearData(this);
  }

  private _described(): void {
    const description = this._description.value;
    const first = description?.planes[0]?.id;
    if (description && first !== undefined && !this.plane) {
      this._look = lookOf(first);
      this._layer = this._newLayer(first);
      const detected = description.mask.filter(({ name }) => name.startsWith('DETECTED'));
      this._suggested = new Set(detected.map(({ name }) => name));
      this.resize(this._size);
    }
    this._touch();
  }

  /** The planes that are shown when the mask is first turned on. */
  get suggested(): ReadonlySet<string> {
    return this._suggested;
  }

  /** Ask for the whole image first: what is not known in detail is shown as it is known. */
  private _want(): void {
    if (!this._view || !this.plane) {
      return;
    }
    const all = overview(this._view.box);
    const seen = visibleTiles(this._view, this.bin);
    const tiles: ITile[] = [all, ...seen.filter(({ key }) => key !== all.key)];
    this._layer.want(tiles);
    this._mask?.want(this._maskLook.shown.size > 0 ? tiles : []);
  }

  private _newLayer(plane: string): Layer {
    return new Layer(plane, this._client, () => this._touch());
  }

  private _touch(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _description: Resource<ImageDescription>;
  private readonly _looks = new Map<string, ILook>();
  private _layer: Layer;
  private _mask: Layer | null = null;
  private _circleShown = false;
  private _maskLook: IMaskLook = { shown: new Set(), opacity: 0.5 };
  private _suggested: ReadonlySet<string> = new Set();
  private _look = LOOK;
  private _table: { readonly key: string; readonly table: ColourTable } | null = null;
  private _size: ISize = { width: 0, height: 0 };
  private _view: View | null = null;
  private _cursor: IPoint | null = null;
  private _isDisposed = false;
}

function lookOf(plane: string): ILook {
  return ['image', 'red', 'green', 'blue'].includes(plane) || plane.startsWith('hdu') ? LOOK : PLAIN_LOOK;
}

/** The tile with the smallest blocks at a pixel. */
function finest(layer: Layer, x: number, y: number): ILoadedTile | undefined {
  return layer.tiles.reverse().find(({ box }) => contains(box, x, y));
}

function place({ box, bin, region }: ILoadedTile, x: number, y: number): number {
  return Math.floor((y - box.y0) / bin) * region.head.width + Math.floor((x - box.x0) / bin);
}

function isSet(tile: ILoadedTile, { word, bit }: ImageMaskPlane, x: number, y: number): boolean {
  const { width, height } = tile.region.head;
  return (((tile.region.pixels[word * width * height + place(tile, x, y)] ?? 0) >>> bit) & 1) === 1;
}
