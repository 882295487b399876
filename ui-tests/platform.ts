// The whole demonstration platform with its JupyterLab, as a fixture, and a page that is listened to.
import { expect, test as base, type Page } from '@playwright/test';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

import { openLab } from './lab';

type Command =
  | 'stop-server'
  | 'start-server'
  | 'wrong-token'
  | 'right-token'
  | 'token'
  | 'calm'
  | `latency ${number}`
  | `trouble ${'server' | 'store'} ${string}`;

/** What shall happen to some requests; `python_butler/demo/trouble.py` tells more, and knows more. */
export interface ITrouble {
  /** Regular expression that is searched for in the path; all requests if not given. */
  readonly path?: string;
  /** How many requests get through before. */
  readonly after?: number;
  /** Never answer. */
  readonly hang?: boolean;
  /** Answer this instead. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A running `satellite demo --control`. */
export class Platform {
  private constructor(
    private readonly _process: ChildProcessWithoutNullStreams,
    private readonly _lines: AsyncIterator<string>,
    readonly directory: string,
    readonly labUrl: string,
    /** The file of the repository index. */
    readonly index: string,
    private readonly _isOurs: boolean
  ) {}

  /**
   * Start it in a directory of its own; the backend is started by the command in that directory, if named.
   *
   * @param options - A directory that is there already, and how many datasets to add.
   */
  static async start(
    backendCommand?: string,
    options: { readonly directory?: string; readonly scale?: number } = {}
  ): Promise<Platform> {
    const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'python-butler-ui-')));
    const child = spawn(
      'satellite',
      [
        ...['demo', '--directory', directory, '--no-browser', '--json', '--control'],
        ...(options.scale === undefined ? [] : ['--scale', String(options.scale)]),
        ...(backendCommand === undefined ? [] : ['--backend-command', join(directory, backendCommand)])
      ],
      // Whoever runs the tests: names of runs have the user's name in them.
      { stdio: 'pipe', env: { ...process.env, JUPYTERHUB_USER: 'me' } }
    );
    child.stderr.pipe(process.stderr);
    const reader: Interface = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) {
      throw new Error('The demonstration did not start; its own message is above.');
    }
    const addresses = JSON.parse(first.value) as { lab: string; index: string };
    return new Platform(
      child,
      lines,
      directory,
      addresses.lab,
      addresses.index,
      options.directory === undefined
    );
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

  /** Make trouble for requests to the Butler server or to the object store, until it is told `calm`. */
  async trouble(service: 'server' | 'store', trouble: ITrouble): Promise<void> {
    await this.tell(`trouble ${service} ${JSON.stringify(trouble)}`);
  }

  /** Stop everything and remove the directory, unless somebody else has made it. */
  async close(): Promise<void> {
    const ended = new Promise(resolve => this._process.once('exit', resolve));
    this._process.stdin.end('quit\n');
    await ended;
    if (this._isOurs) {
      await rm(this.directory, { recursive: true, force: true });
    }
  }
}

/** Streams of lines; some never end. */
const STREAM = 'application/x-ndjson';

/** Everything that a page received: bodies of answers, streams as they come, and frames of web sockets. */
export class Received {
  private readonly _texts: string[] = [];
  private readonly _pending = new Set<Promise<void>>();
  private readonly _streams = new Map<string, Buffer[]>();

  private constructor(page: Page) {
    page.on('response', response => {
      this._texts.push(JSON.stringify(response.headers()));
      if (response.headers()['content-type']?.startsWith(STREAM)) {
        return;
      }
      const reading = response.body().then(
        body => void this._texts.push(body.toString('utf8')),
        () => undefined // redirects and cancelled requests have no body
      );
      this._pending.add(reading);
      void reading.finally(() => this._pending.delete(reading));
    });
    page.on('websocket', socket => {
      socket.on('framereceived', ({ payload }) => this._texts.push(payload.toString()));
    });
  }

  /** Listen to a page that is not opened yet. */
  static async by(page: Page): Promise<Received> {
    const received = new Received(page);
    await received._follow(page);
    return received;
  }

  /** All of it, once nothing is being read any more but streams that go on. */
  async all(): Promise<string[]> {
    await Promise.all(this._pending);
    return [...this._texts, ...this.streams];
  }

  /** What has come in each stream so far. */
  get streams(): string[] {
    return [...this._streams.values()].map(pieces => Buffer.concat(pieces).toString('utf8'));
  }

  /** A body is told only once it is whole: what does not end is taken from the browser piece by piece. */
  private async _follow(page: Page): Promise<void> {
    const browser = await page.context().newCDPSession(page);
    const take = (id: string, data: string): void => {
      this._streams.set(id, [...(this._streams.get(id) ?? []), Buffer.from(data, 'base64')]);
    };
    browser.on('Network.responseReceived', ({ requestId, response }) => {
      if (response.mimeType !== STREAM) {
        return;
      }
      const reading = browser
        .send('Network.streamResourceContent', { requestId })
        .then(({ bufferedData }) => bufferedData)
        .catch(async () => {
          // It has ended already.
          const { body, base64Encoded } = await browser.send('Network.getResponseBody', { requestId });
          return base64Encoded ? body : Buffer.from(body, 'utf8').toString('base64');
        })
        .then(
          data => take(requestId, data),
          () => undefined // cancelled
        );
      this._pending.add(reading);
      void reading.finally(() => this._pending.delete(reading));
    });
    browser.on('Network.dataReceived', ({ requestId, data }) => {
      if (data !== undefined) {
        take(requestId, data);
      }
    });
    await browser.send('Network.enable');
  }
}

interface IFixtures {
  /** JupyterLab, open on the platform that journeys share. */
  readonly lab: Page;
  /** A platform for one journey alone, where nobody has done anything yet. */
  readonly newPlatform: Platform;
  /** JupyterLab, open on that one. */
  readonly newLab: Page;
  readonly received: Received;
}

export const test = base.extend<IFixtures, { platform: Platform }>({
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
      const asked: URL[] = [];
      page.on('request', request => asked.push(new URL(request.url())));
      await use(await Received.by(page));
      // Neither anybody on the internet, nor the official server and its store, is asked by the page itself.
      const elsewhere = asked.filter(
        ({ protocol, origin }) => protocol.startsWith('http') && origin !== asked[0]!.origin
      );
      expect(elsewhere.map(String), 'requests to others than JupyterLab').toEqual([]);
    },
    { auto: true }
  ],
  lab: async ({ page, platform }, use) => useLab(page, platform, use),
  newPlatform: [
    // As above.
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const platform = await Platform.start();
      await use(platform);
      await platform.close();
    },
    { timeout: 300_000 }
  ],
  newLab: async ({ page, newPlatform }, use) => useLab(page, newPlatform, use)
});

async function useLab(page: Page, platform: Platform, use: (page: Page) => Promise<void>): Promise<void> {
  await openLab(page, platform.labUrl);
  await use(page);
  await page.evaluate(() => window.jupyterapp.serviceManager.sessions.shutdownAll());
}

export { expect } from '@playwright/test';
