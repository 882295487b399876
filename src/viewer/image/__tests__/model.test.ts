import { beforeEach, describe, expect, it, vi } from 'vitest';

import {
  AbortedError,
  decodeRegion,
  type IImageClient,
  type IImageRegion,
  type ImageBox,
  type ImageDescription,
  type ImageRegion
} from '../../../api';
import { ImageModel } from '../model';

const BOX = { x0: 100, x1: 100 + 2048, y0: 200, y1: 200 + 2048 };
const DESCRIPTION: ImageDescription = {
  type: 'CellCoadd',
  box: BOX,
  planes: ['image', 'variance'].map(id => ({ id, unit: 'nJy', description: '', smooth: false })),
  mask: [
    { name: 'BAD', description: 'Bad', word: 0, bit: 0 },
    { name: 'DETECTED', description: 'Above the threshold', word: 0, bit: 5 }
  ],
  sky: null,
  cells: null,
  missing: []
};

interface IRequest {
  readonly plane: string;
  readonly bin: number;
  readonly box: ImageBox;
  readonly signal: AbortSignal;
  answer(): void;
  fail(reason: unknown): void;
}

/** A backend whose answers come when the test says so: the value of a block is that of its first pixel's x. */
class StandIn implements IImageClient {
  readonly requests: IRequest[] = [];

  describe(): Promise<ImageDescription> {
    return Promise.resolve(DESCRIPTION);
  }

  region(plane: string, bin: number, box: ImageBox, signal: AbortSignal): Promise<IImageRegion> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new AbortedError()));
      const width = Math.ceil((box.x1 - box.x0) / bin);
      const height = Math.ceil((box.y1 - box.y0) / bin);
      const head: ImageRegion = {
        plane,
        box,
        bin,
        width,
        height,
        kind: plane === 'mask' ? 'uint32' : 'float32',
        words: 1,
        statistics:
          plane === 'mask'
            ? null
            : {
                pixels: 1,
                missing: 0,
                minimum: 0,
                maximum: 10,
                zscale: [1, 2],
                percentiles: [
                  [0, 0],
                  [100, 10]
                ],
                sampled: 1
              }
      };
      const value = (at: number): number => (plane === 'mask' ? 1 << 5 : box.x0 + (at % width) * bin);
      const all = Array.from({ length: width * height }, (_, at) => value(at));
      const pixels = plane === 'mask' ? Uint32Array.from(all) : Float32Array.from(all);
      this.requests.push({
        ...{ plane, bin, box, signal },
        answer: () => resolve({ head, pixels }),
        fail: reject
      });
    });
  }

  /** Answer until nothing more is asked for. */
  async settle(): Promise<void> {
    // The list grows meanwhile.
    for (const request of this.requests) {
      request.answer();
      await flush();
    }
  }
}

async function flush(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await Promise.resolve();
  }
}

let backend: StandIn;
let model: ImageModel;

beforeEach(async () => {
  backend = new StandIn();
  model = new ImageModel(backend);
  model.start();
  model.resize({ width: 600, height: 600 });
  await flush();
});

describe('An image that is looked at', () => {
  it('asks for all of it first, in blocks that fill the window', async () => {
    expect(backend.requests.map(({ bin, box }) => [bin, box])).toEqual([
      [4, BOX],
      [2, expect.anything()]
    ]);
    await backend.settle();
    expect(model.waiting).toBe(0);
    expect(backend.requests.every(({ plane }) => plane === 'image')).toBe(true);
  });

  it('never has more than two requests under way', () => {
    expect(backend.requests).toHaveLength(2);
  });

  it('asks for full resolution only of what is seen', async () => {
    await backend.settle();
    const before = backend.requests.length;
    model.setView(model.view!.zoomedTo(1));
    await backend.settle();
    const after = backend.requests.slice(before);
    expect(after.length).toBeGreaterThan(0);
    expect(after.length).toBeLessThanOrEqual(9);
    expect(after.every(({ bin }) => bin === 1)).toBe(true);
    expect(model.bin).toBe(1);
  });

  it('gives up what is not seen any more', async () => {
    await backend.settle();
    model.setView(model.view!.zoomedTo(1));
    const asked = backend.requests.at(-1)!;
    model.setView(model.view!.panned(1e5, 1e5));
    expect(asked.signal.aborted).toBe(true);
    expect(model.failure).toBeNull();
  });

  it('keeps a bounded number of tiles however far one wanders', async () => {
    model.setView(model.view!.zoomedTo(4));
    for (let step = 0; step < 60; step++) {
      await backend.settle();
      model.setView(model.view!.panned(step < 30 ? 1000 : -1000, step % 2 === 0 ? 1500 : -1400));
    }
    await backend.settle();
    expect(model.layer.tiles.length).toBeLessThanOrEqual(45);
  });

  it('tells the value under the cursor as exactly as it has come', async () => {
    model.setCursor({ x: 1500.2, y: 700.4 });
    expect(model.reading).toMatchObject({ x: 1500, y: 700, value: undefined, flags: null });
    backend.requests[0]!.answer();
    await flush();
    expect(model.reading).toMatchObject({ value: 1500, bin: 4 });
    model.setView(model.view!.zoomedTo(8));
    model.setCursor({ x: 1125, y: 1225 });
    await backend.settle();
    expect(model.reading).toMatchObject({ value: 1125, bin: 1 });
  });

  it('asks for the mask when it is to be shown, and names what is set', async () => {
    await backend.settle();
    model.setMask({ shown: model.suggested });
    await backend.settle();
    model.setCursor({ x: 1000, y: 1000 });
    expect([...model.mask.shown]).toEqual(['DETECTED']);
    expect(model.reading?.flags).toEqual(['DETECTED']);
  });

  it('shows another plane with limits and colours of its own', async () => {
    await backend.settle();
    model.setLook({ map: 'magma' });
    model.choosePlane('variance');
    expect(model.look.map).toBe('viridis');
    model.choosePlane('image');
    expect(model.look.map).toBe('magma');
  });

  it('begins limits by hand where they are', async () => {
    await backend.settle();
    model.setLook({ limits: 'zscale' });
    model.setLook({ limits: 'manual' });
    expect(model.range).toEqual({ low: 1, high: 2 });
  });

  it('makes its colour table anew only when something about it changed', async () => {
    await backend.settle();
    const { table } = model;
    model.setView(model.view!.zoomed(2));
    expect(model.table).toBe(table);
    model.setLook({ inverted: true });
    expect(model.table).not.toBe(table);
  });

  it('can be stopped and taken up again', async () => {
    model.stop();
    expect(backend.requests.every(({ signal }) => signal.aborted)).toBe(true);
    expect(model.paused).toBe(true);
    model.retry();
    await backend.settle();
    expect(model.waiting).toBe(0);
  });

  it('tells what failed, and asks again when told to', async () => {
    const reason = new Error('broken');
    backend.requests[0]!.fail(reason);
    await flush();
    expect(model.failure).toBe(reason);
    model.retry();
    expect(model.failure).toBeNull();
    await backend.settle();
    expect(model.statistics?.maximum).toBe(10);
  });

  it('says nothing any more once it is disposed', () => {
    const changed = vi.fn();
    model.changed.connect(changed);
    model.dispose();
    expect(backend.requests.every(({ signal }) => signal.aborted)).toBe(true);
    expect(changed).not.toHaveBeenCalled();
  });
});

describe('A region on the wire', () => {
  it('is read as it was written', async () => {
    const head = { kind: 'float32', width: 3, height: 1, words: 1 };
    const values = Float32Array.of(1.5, NaN, -2e30);
    const bytes = new Uint8Array(values.buffer);
    const shuffled = Uint8Array.from(bytes, (_, at) => bytes[(at % 3) * 4 + Math.floor(at / 3)]!);
    const packed = new Response(new Response(shuffled).body!.pipeThrough(new CompressionStream('deflate')));
    const deflated = new Uint8Array(await packed.arrayBuffer());
    const text = new TextEncoder().encode(JSON.stringify(head));
    const body = new Uint8Array(4 + text.length + deflated.length);
    new DataView(body.buffer).setUint32(0, text.length, true);
    body.set(text, 4);
    body.set(deflated, 4 + text.length);
    const region = await decodeRegion(body);
    expect(region.head).toEqual(head);
    expect(region.pixels).toEqual(values);
  });
});
