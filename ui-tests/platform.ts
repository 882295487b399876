// The whole demonstration platform with its JupyterLab, as a fixture, and a page that is listened to.
import { test as base, type Page } from '@playwright/test';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

import { openLab } from './lab';

type Command = 'stop-server' | 'start-server' | 'wrong-token' | 'right-token' | 'token' | `latency ${number}`;

/** A running `satellite demo --control`. */
export class Platform {
  private constructor(
    private readonly _process: ChildProcessWithoutNullStreams,
    private readonly _lines: AsyncIterator<string>,
    readonly directory: string,
    readonly labUrl: string,
    /** The file of the repository index. */
    readonly index: string
  ) {}

  /** Start it in a directory of its own; the backend is started by the command in that directory, if named. */
  static async start(backendCommand?: string): Promise<Platform> {
    const directory = await mkdtemp(join(tmpdir(), 'python-butler-ui-'));
    const child = spawn(
      'satellite',
      [
        ...['demo', '--directory', directory, '--no-browser', '--json', '--control'],
        ...(backendCommand === undefined ? [] : ['--backend-command', join(directory, backendCommand)])
      ],
      { stdio: 'pipe' }
    );
    child.stderr.pipe(process.stderr);
    const reader: Interface = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) {
      throw new Error('The demonstration did not start; its own message is above.');
    }
    const addresses = JSON.parse(first.value) as { lab: string; index: string };
    return new Platform(child, lines, directory, addresses.lab, addresses.index);
  }

  /** Carry out one command and return what follows "ok". */
  async tell(command: Command): Promise<string> {
    this._process.stdin.write(`${command}\n`);
    const answer = await this._lines.next();
    if (answer.done === true || !answer.value.startsWith('ok')) {
      throw new Error(`${command}: ${answer.done === true ? 'the demonstration has ended' : answer.value}`);
    }
    return answer.value.slice('ok'.length).trim();
  }

  /** Stop everything and remove the directory. */
  async close(): Promise<void> {
    const ended = new Promise(resolve => this._process.once('exit', resolve));
    this._process.stdin.end('quit\n');
    await ended;
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Everything that a page received: bodies of answers and frames of web sockets. */
export class Received {
  readonly texts: string[] = [];
  private readonly _pending = new Set<Promise<void>>();

  constructor(page: Page) {
    page.on('response', response => {
      const reading = response.body().then(
        body => {
          this.texts.push(JSON.stringify(response.headers()), body.toString('utf8'));
        },
        () => undefined // redirects and cancelled requests have no body
      );
      this._pending.add(reading);
      void reading.finally(() => this._pending.delete(reading));
    });
    page.on('websocket', socket => {
      socket.on('framereceived', ({ payload }) => this.texts.push(payload.toString()));
    });
  }

  /** All of it, once nothing is being read any more. */
  async all(): Promise<string[]> {
    await Promise.all(this._pending);
    return this.texts;
  }
}

export const test = base.extend<{ lab: Page; received: Received }, { platform: Platform }>({
  platform: [
    // Playwright wants the first argument to be destructured, even where nothing is taken from it.
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const platform = await Platform.start();
      await use(platform);
      await platform.close();
    },
    // The first start on a machine builds the simulated data.
    { scope: 'worker', timeout: 600_000 }
  ],
  // Listening must begin before the page is opened, so it does for every test.
  received: [
    async ({ page }, use) => {
      await use(new Received(page));
    },
    { auto: true }
  ],
  lab: async ({ page, platform }, use) => {
    await openLab(page, platform.labUrl);
    await use(page);
    await page.evaluate(() => window.jupyterapp.serviceManager.sessions.shutdownAll());
  }
});

export { expect } from '@playwright/test';
