// Prints how large the bundle is: what every page loads, and what is loaded when it is needed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const STATIC = 'labextension/dist/static';

/** Chunks that plugins load by themselves have a name; others are theirs, or of the libraries they share. */
const files = readdirSync(STATIC)
  .filter(name => name.endsWith('.js'))
  .map(name => {
    const content = readFileSync(join(STATIC, name));
    return { name, size: content.length, packed: gzipSync(content).length };
  })
  .sort((one, other) => other.size - one.size);

const kilobytes = bytes => `${(bytes / 1000).toFixed(1).padStart(8)} kB`;
for (const { name, size, packed } of files) {
  console.log(`${kilobytes(size)} ${kilobytes(packed)} packed  ${name}`);
}
const total = key => files.reduce((sum, file) => sum + file[key], 0);
console.log(`${kilobytes(total('size'))} ${kilobytes(total('packed'))} packed  all`);
