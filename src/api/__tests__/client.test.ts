// @vitest-environment node
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ServerConnection } from '@jupyterlab/services';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { AbortedError, ApiError, ButlerClient, type ErrorReport, type PageEvent, Transport } from '..';

// A real HTTP server stands in for Jupyter's: what is tested is what it does to a connection.
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const DP2 = { kind: 'official', label: 'dp2' } as const;
const VISIT_IMAGES = { ...DP2, collection: 'LSSTCam/runs/DRP', datasetType: 'visit_image' };
const FIRST_PAGE = { limit: 10, cursor: null };

let server: Server;
let handle: Handler;
let client: ButlerClient;
let requests: IncomingMessage[];

beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    requests.push(request);
    handle(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}/user/me/`;
  client = new ButlerClient(
    new Transport({ serverSettings: ServerConnection.makeSettings({ baseUrl, token: 'jupyter' }) })
  );
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
});

function answering(status: number, body: unknown, type = 'application/json'): Handler {
  return (_, response) => {
    response.writeHead(status, { 'Content-Type': type });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

function streaming(...lines: string[]): Handler {
  return answering(200, lines.join(''), 'application/x-ndjson');
}

const never = new AbortController().signal;

async function page(signal = never): Promise<{ events: PageEvent[]; cursor: string | null }> {
  const events: PageEvent[] = [];
  const stream = client.datasets(VISIT_IMAGES, FIRST_PAGE, signal);
  for (;;) {
    const next = await stream.next();
    if (next.done) {
      return { events, cursor: next.value.next_cursor };
    }
    events.push(next.value);
  }
}

async function failure(promise: Promise<unknown>): Promise<ErrorReport> {
  const reason: unknown = await promise.then(
    () => null,
    (error: unknown) => error
  );
  if (!(reason instanceof ApiError)) {
    throw new Error(`Expected an ApiError, got ${String(reason)}.`);
  }
  return reason.report;
}

const LEVEL = { parent: null, folder: null, offset: 0, limit: 10 };

describe('a request', () => {
  it('goes below the Jupyter server, with its token and an identifier of its own', async () => {
    handle = answering(200, { entries: [], total: 0, offset: 0 });
    await client.collections(DP2, { ...LEVEL, parent: 'u/me/a b' }, never);
    await client.collections(DP2, LEVEL, never);
    const urls = requests.map(({ url }) => new URL(url ?? '', 'http://host'));
    expect(urls[0]?.pathname).toBe('/user/me/python-butler/api/repositories/official/dp2/collections');
    expect(urls[0]?.searchParams.get('parent')).toBe('u/me/a b');
    expect(urls[1]?.searchParams.has('parent')).toBe(false);
    expect(requests[0]?.headers.authorization).toBe('token jupyter');
    const ids = requests.map(({ headers }) => headers['x-request-id']);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('fails with the report that the backend sent', async () => {
    const report = {
      kind: 'token',
      message: 'The token has expired.',
      next_step: 'Log in to the platform again, then press Retry.',
      retry_in: null,
      request_id: 'r-1'
    };
    handle = answering(502, report);
    expect(await failure(client.repository(DP2, never))).toEqual(report);
  });

  it.each([
    [403, 'The Jupyter session has ended.'],
    [404, 'The Jupyter server does not offer the Butler service.'],
    [500, 'The Jupyter server answered with HTTP status 500.']
  ])('explains an answer %i that is not from the backend', async (status, message) => {
    handle = answering(status, '<html>No.</html>', 'text/html');
    const report = await failure(client.versions(never));
    expect(report).toMatchObject({ kind: 'backend', message });
    expect(report.request_id).toBe(requests[0]?.headers['x-request-id']);
  });

  it('explains a Jupyter server that is gone', async () => {
    handle = (_, response) => response.destroy();
    expect(await failure(client.repositories(never))).toMatchObject({
      kind: 'backend',
      message: 'The Jupyter server does not answer.'
    });
  });

  it('is told apart as aborted when its asker left', async () => {
    const abort = new AbortController();
    handle = () => abort.abort();
    await expect(client.repositories(abort.signal)).rejects.toBeInstanceOf(AbortedError);
  });
});

describe('a page of datasets', () => {
  const rows = '{"event":"rows","rows":[{"id":"1","data_id":{"visit":1},"run":"r"}]}\n';

  it('gives rows and waits as they come, and at last the next cursor', async () => {
    handle = streaming(
      rows,
      '{"event":"busy","retry_in":5}\n',
      '{"event":"end","next_cursor":"c","superseded":false}\n'
    );
    const { events, cursor } = await page();
    expect(events.map(({ event }) => event)).toEqual(['rows', 'busy']);
    expect(cursor).toBe('c');
    const { searchParams } = new URL(requests[0]?.url ?? '', 'http://host');
    expect(Object.fromEntries(searchParams)).toMatchObject({
      collection: 'LSSTCam/runs/DRP',
      dataset_type: 'visit_image',
      limit: '10'
    });
  });

  it('gives its rows before it has ended', async () => {
    handle = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      response.write(rows);
    };
    const abort = new AbortController();
    const stream = client.datasets(VISIT_IMAGES, FIRST_PAGE, abort.signal);
    expect((await stream.next()).value).toMatchObject({ event: 'rows' });
    abort.abort();
    await expect(stream.next()).rejects.toBeInstanceOf(AbortedError);
  });

  it('fails with the error that ends it', async () => {
    const error = { kind: 'offline', message: 'No answer.', next_step: 'Retry.', request_id: 'r-2' };
    handle = streaming(rows, `${JSON.stringify({ event: 'error', error })}\n`);
    expect(await failure(page())).toEqual(error);
  });

  it.each([
    ['after a whole line', [rows]],
    ['in the middle of a line', [rows, '{"event":"en']],
    ['before the first', []]
  ])('is an error when it just stops %s', async (_, lines) => {
    handle = streaming(...lines);
    expect(await failure(page())).toMatchObject({
      kind: 'backend',
      message: 'The connection was cut before the answer was complete.'
    });
  });

  it('is an error when the connection breaks', async () => {
    handle = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Content-Length': '10000' });
      response.write(rows, () => response.destroy());
    };
    expect(await failure(page())).toMatchObject({
      kind: 'backend',
      message: 'The connection was cut before the answer was complete.'
    });
  });
});
