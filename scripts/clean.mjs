// Removes what a build makes, with Node alone: the build also runs where there is no other tool.
import { rmSync } from 'node:fs';

for (const path of ['lib', 'labextension/dist']) {
  rmSync(path, { recursive: true, force: true });
}
