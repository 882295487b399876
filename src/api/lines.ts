/**
 * The lines of a stream of bytes, as they arrive. A last line without a line feed counts as a line.
 *
 * Bytes are searched rather than text, so that a character split between two chunks stays whole.
 */
export async function* readLines(
  stream: ReadableStream<Uint8Array>
): AsyncGenerator<string, void, undefined> {
  const LINE_FEED = 10;
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let pending: Uint8Array[] = [];

  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        break;
      }
      let start = 0;
      for (
        let end = value.indexOf(LINE_FEED, start);
        end >= 0;
        start = end + 1, end = value.indexOf(LINE_FEED, start)
      ) {
        pending.push(value.subarray(start, end));
        yield decoder.decode(joined(pending));
        pending = [];
      }
      if (start < value.length) {
        pending.push(value.subarray(start));
      }
    }
    if (pending.length > 0) {
      yield decoder.decode(joined(pending));
    }
  } finally {
    // Tells the server to stop when the reader leaves early; after the end it does nothing.
    await reader.cancel().catch(() => undefined);
    reader.releaseLock();
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1 && chunks[0]) {
    return chunks[0];
  }
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
