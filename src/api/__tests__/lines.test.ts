// @vitest-environment node
import { describe, expect, it, vi } from 'vitest';

import { readLines } from '../lines';

function stream(chunks: readonly (string | Uint8Array)[], onCancel?: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const queue = chunks.map(chunk => (typeof chunk === 'string' ? encoder.encode(chunk) : chunk));
  return new ReadableStream({
    pull(controller) {
      const next = queue.shift();
      if (next) {
        controller.enqueue(next);
      } else {
        controller.close();
      }
    },
    cancel: onCancel
  });
}

async function lines(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  const read: string[] = [];
  for await (const line of readLines(stream(chunks))) {
    read.push(line);
  }
  return read;
}

describe('lines of a stream', () => {
  it('come out whole however the bytes were cut', async () => {
    expect(await lines('a', 'b\nc', '\n', 'd\ne\n')).toEqual(['ab', 'c', 'd', 'e']);
  });

  it('keep a character whole that was cut between two chunks', async () => {
    const bytes = new TextEncoder().encode('{"band":"ü€𝛼"}\n');
    expect(await lines(...[...bytes].map(byte => new Uint8Array([byte])))).toEqual(['{"band":"ü€𝛼"}']);
  });

  it('include a last one without a line feed', async () => {
    expect(await lines('a\nb')).toEqual(['a', 'b']);
  });

  it('are none in an empty stream', async () => {
    expect(await lines()).toEqual([]);
  });

  it('stop the sender when the reader leaves early', async () => {
    const onCancel = vi.fn();
    for await (const line of readLines(stream(['a\n', 'b\n', 'c\n'], onCancel))) {
      expect(line).toBe('a');
      break;
    }
    expect(onCancel).toHaveBeenCalledOnce();
  });
});
