import { AbortedError, type IImageClient, type IImageRegion } from '../../api';
import type { ITile } from './grid';

/** A tile that is here. */
export interface ILoadedTile extends ITile {
  readonly region: IImageRegion;
}

/** Requests under way at a time, and tiles kept: about 60 megabytes. */
const REQUESTS = 2;
const KEPT = 40;

/**
 * The tiles of one plane: asked for when they are seen, given up when they are not seen any more before they
 * have come, kept for a while, and the oldest dropped.
 */
export class Layer {
  constructor(
    readonly plane: string,
    private readonly _client: IImageClient,
    private readonly _changed: () => void
  ) {}

  /** What went wrong with the tiles that are wanted now. */
  get failure(): unknown {
    return this._failure;
  }

  /** How many tiles are wanted and not here yet. */
  get missing(): number {
    return this._wanted.filter(tile => !this._tiles.has(tile.key)).length;
  }

  get paused(): boolean {
    return this._paused;
  }

  get(key: string): ILoadedTile | undefined {
    return this._tiles.get(key);
  }

  /** All that are here, the coarsest first. */
  get tiles(): ILoadedTile[] {
    return [...this._tiles.values()].sort((one, other) => other.bin - one.bin);
  }

  /** Say which tiles are wanted, the most urgent first; all others are not. */
  want(tiles: readonly ITile[]): void {
    const same =
      tiles.length === this._wanted.length && tiles.every((tile, at) => tile.key === this._wanted[at]?.key);
    if (same) {
      return;
    }
    this._wanted = tiles;
    this._failure = null;
    this._paused = false;
    for (const tile of tiles) {
      this._touch(tile.key);
    }
    for (const [key, request] of this._requests) {
      if (!tiles.some(tile => tile.key === key)) {
        this._requests.delete(key);
        request.abort();
      }
    }
    this._next();
  }

  /** Ask again for what failed or was stopped. */
  retry(): void {
    this._failure = null;
    this._paused = false;
    this._next();
    this._changed();
  }

  /** Ask for nothing more until something else is wanted. */
  stop(): void {
    this._paused = this.missing > 0;
    this._abort();
    this._changed();
  }

  dispose(): void {
    this._wanted = [];
    this._abort();
    this._tiles.clear();
  }

  private _next(): void {
    for (const tile of this._wanted) {
      if (this._requests.size >= REQUESTS || this._failure !== null || this._paused) {
        return;
      }
      if (!this._tiles.has(tile.key) && !this._requests.has(tile.key)) {
        void this._load(tile);
      }
    }
  }

  private async _load(tile: ITile): Promise<void> {
    const request = new AbortController();
    this._requests.set(tile.key, request);
    try {
      const region = await this._client.region(this.plane, tile.bin, tile.box, request.signal);
      if (this._requests.get(tile.key) === request) {
        this._tiles.set(tile.key, { ...tile, region });
        this._drop();
      }
    } catch (reason) {
      if (!(reason instanceof AbortedError) && this._requests.get(tile.key) === request) {
        this._failure = reason;
      }
    }
    // What was given up meanwhile has no place here any more.
    if (this._requests.get(tile.key) === request) {
      this._requests.delete(tile.key);
      this._next();
      this._changed();
    }
  }

  /** Make it the one that was seen last. */
  private _touch(key: string): void {
    const tile = this._tiles.get(key);
    if (tile) {
      this._tiles.delete(key);
      this._tiles.set(key, tile);
    }
  }

  private _drop(): void {
    for (const key of this._tiles.keys()) {
      if (this._tiles.size <= KEPT) {
        return;
      }
      if (!this._wanted.some(tile => tile.key === key)) {
        this._tiles.delete(key);
      }
    }
  }

  private _abort(): void {
    for (const request of this._requests.values()) {
      request.abort();
    }
    this._requests.clear();
  }

  private _wanted: readonly ITile[] = [];
  private _failure: unknown = null;
  private _paused = false;
  private readonly _tiles = new Map<string, ILoadedTile>();
  private readonly _requests = new Map<string, AbortController>();
}
