import { type IRepositoryKey, type Transport, within } from './transport';
import type { ImageBox, ImageDescription, ImageRegion } from './types';

/** A region of an image: numbers, row by row from the bottom, and what they are. */
export interface IImageRegion {
  readonly head: ImageRegion;
  /** Values; of a mask its words, one array after the other. */
  readonly pixels: Float32Array | Uint32Array;
}

/** Asks about one image. */
export interface IImageClient {
  describe(signal: AbortSignal): Promise<ImageDescription>;
  region(plane: string, bin: number, box: ImageBox, signal: AbortSignal): Promise<IImageRegion>;
}

/** Asks the backend about one image. */
export class ImageClient implements IImageClient {
  constructor(
    private readonly _transport: Transport,
    repository: IRepositoryKey,
    id: string
  ) {
    this._path = within(repository, 'datasets', id, 'image');
  }

  describe(signal: AbortSignal): Promise<ImageDescription> {
    return this._transport.get(this._path, {}, signal);
  }

  async region(plane: string, bin: number, box: ImageBox, signal: AbortSignal): Promise<IImageRegion> {
    const bbox = [box.x0, box.x1, box.y0, box.y1];
    const { blob } = await this._transport.bytes([...this._path, 'region'], { plane, bin, bbox }, signal);
    return decodeRegion(new Uint8Array(await blob.arrayBuffer()));
  }

  private readonly _path: string[];
}

/** Read a region as `ImageRegion` says. */
export async function decodeRegion(body: Uint8Array<ArrayBuffer>): Promise<IImageRegion> {
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(body.subarray(4, 4 + length))) as ImageRegion;
  const deflated = new Response(body.subarray(4 + length)).body;
  const inflated = deflated?.pipeThrough(new DecompressionStream('deflate'));
  const shuffled = new Uint8Array(await new Response(inflated ?? null).arrayBuffer());
  const bytes = gather(shuffled);
  return { head, pixels: head.kind === 'float32' ? new Float32Array(bytes) : new Uint32Array(bytes) };
}

/** Put the bytes of each number together, in the order of this machine, which is that of all browsers. */
function gather(shuffled: Uint8Array): ArrayBuffer {
  const count = shuffled.length / 4;
  const numbers = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    numbers[index] =
      (shuffled[index] ?? 0) |
      ((shuffled[count + index] ?? 0) << 8) |
      ((shuffled[2 * count + index] ?? 0) << 16) |
      ((shuffled[3 * count + index] ?? 0) << 24);
  }
  return numbers.buffer;
}
