import { beforeEach, describe, expect, it } from 'vitest';

import {
  ApiError,
  type DatasetDetails,
  type HoldingProgress,
  type IViewerClient,
  type Provenance
} from '../../api';
import { ViewerModel } from '../model';

const DETAILS: DatasetDetails = {
  id: 'a',
  dataset_type: {
    name: 'visit_image',
    dimensions: ['visit'],
    storage_class: 'VisitImage',
    is_calibration: false,
    components: [],
    parameters: ['bbox']
  },
  data_id: { visit: 1 },
  run: 'run',
  records: [],
  files: [],
  stored: true
};

/** A server whose answers a test gives when it likes. */
class Server implements IViewerClient {
  readonly asked: string[] = [];
  details = (): Promise<DatasetDetails> => this._answer('details', this.known);
  memoryCost = (): ReturnType<IViewerClient['memoryCost']> =>
    this._answer('memory', {
      file_size: 1,
      needed: 6,
      basis: 'header',
      free: 2,
      total: 3,
      limited: true,
      fits: false
    });
  provenance = (): Promise<Provenance> => Promise.reject(new Error('not asked for'));
  preview = (): ReturnType<IViewerClient['preview']> => Promise.reject(new Error('not asked for'));
  figure = (): Promise<Blob> => Promise.reject(new Error('not asked for'));

  async *holdings(): AsyncGenerator<HoldingProgress, boolean, undefined> {
    this.asked.push('holdings');
    yield { collections: [{ name: 'run', type: 'RUN', validity: [] }] };
    await this.gate;
    if (this.trouble) {
      throw this.trouble;
    }
    yield { collections: [{ name: 'chain', type: 'CHAINED', validity: [] }] };
    return this.isWhole;
  }

  known = DETAILS;
  gate: Promise<void> = Promise.resolve();
  trouble: Error | null = null;
  isWhole = true;

  private _answer<T>(what: string, answer: T): Promise<T> {
    this.asked.push(what);
    return Promise.resolve(answer);
  }
}

let server: Server;
let model: ViewerModel;

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0));

/** Somebody sees it: a widget asks again whenever something changed. */
async function look(): Promise<void> {
  model.stateChanged.connect(() => model.ask());
  model.ask();
  await settled();
}

beforeEach(() => {
  server = new Server();
  model = new ViewerModel({ kind: 'official', label: 'dp2', id: 'a' }, server);
});

describe('a viewer', () => {
  it('asks for nothing before somebody sees it, and for each thing once', async () => {
    expect(server.asked).toEqual([]);
    await look();
    expect([...server.asked].sort()).toEqual(['details', 'holdings', 'memory']);
    model.ask();
    await settled();
    expect(server.asked).toHaveLength(3);
  });

  it('does not ask what a file would take that is not there', async () => {
    server.known = { ...DETAILS, stored: false };
    await look();
    expect(server.asked).not.toContain('memory');
    expect(model.holdings.status).toBe('complete');
  });

  it('shows collections as they are found', async () => {
    let go = (): void => undefined;
    server.gate = new Promise(resolve => {
      go = resolve;
    });
    await look();
    expect(model.holdings).toMatchObject({ status: 'loading', collections: [{ name: 'run' }] });
    go();
    await settled();
    expect(model.holdings).toMatchObject({
      status: 'complete',
      collections: [{ name: 'run' }, { name: 'chain' }]
    });
  });

  it('a search that was stopped stays so until a person wants it', async () => {
    server.gate = new Promise(() => undefined);
    await look();
    model.cancelHoldings();
    expect(model.holdings.status).toBe('cancelled');
    model.ask();
    expect(server.asked.filter(what => what === 'holdings')).toHaveLength(1);
    server.gate = Promise.resolve();
    model.retryHoldings();
    await settled();
    expect(model.holdings.status).toBe('complete');
  });

  it('tells when a search failed, or gave way to another', async () => {
    const error = {
      kind: 'offline',
      message: 'No.',
      next_step: '',
      retry_in: null,
      request_id: 'r'
    } as const;
    server.trouble = new ApiError(error);
    await look();
    expect(model.holdings).toMatchObject({ status: 'failed', error });
    server.trouble = null;
    server.isWhole = false;
    model.retryHoldings();
    await settled();
    expect(model.holdings.status).toBe('superseded');
  });

  it('keeps what it shows while it asks anew after a change', async () => {
    await look();
    model.refresh();
    expect(model.details.status).toBe('loaded');
    await settled();
    expect(server.asked.filter(what => what === 'details')).toHaveLength(2);
  });
});
