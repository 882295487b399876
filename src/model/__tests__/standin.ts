/**
 * A backend that answers when the test says so: the order of answers is what these tests are about,
 * and a real one cannot be told to be slow, late or gone at a given step.
 */

import {
  AbortedError,
  ApiError,
  type Collection,
  type CollectionFolder,
  type Dataset,
  type DatasetType,
  type EndEvent,
  type ErrorReport,
  type HoldingProgress,
  type IButlerClient,
  type IDatasetClient,
  type ILevelQuery,
  type PageEvent,
  type Repository,
  type SearchProgress
} from '../../api';

/** One question that has been asked, and waits for its answer. */
export interface IAsked {
  readonly what: string;
  readonly signal: AbortSignal;
  answer(value: unknown): Promise<void>;
  fail(error: Partial<ErrorReport>): Promise<void>;
}

/** A page of datasets that is being streamed. */
export interface IStreamed extends IAsked {
  /** Some rows, with these numbers as visits. */
  rows(...visits: number[]): Promise<void>;
  busy(seconds: number): Promise<void>;
  end(nextCursor: string | null, superseded?: boolean): Promise<void>;
}

/** A search whose matches are streamed. */
export interface ISearched extends IAsked {
  /** Some runs with these names, as an answer to this question or to another. */
  found(names: string[], request?: string): Promise<void>;
  busy(seconds: number): Promise<void>;
  end(total: number, capped?: boolean): Promise<void>;
}

export class StandIn implements IButlerClient, IDatasetClient {
  /** Everything asked so far, answered or not, in order. */
  readonly asked: IAsked[] = [];
  readonly pages: IStreamed[] = [];
  readonly searches: ISearched[] = [];

  /** What has been asked, in words. */
  get words(): string[] {
    return this.asked.map(({ what }) => what);
  }

  /** The newest question of this wording. */
  find(what: string): IAsked {
    const asked = this.asked.filter(question => question.what === what).at(-1);
    if (!asked) {
      throw new Error(`Nobody asked for ${what}, but for: ${this.words.join('; ')}`);
    }
    return asked;
  }

  repositories = (signal: AbortSignal) => this._ask('repositories', signal);
  repository = (key: { kind: string; label: string }, signal: AbortSignal) =>
    this._ask(`check ${key.kind} ${key.label}`, signal);
  collections = (key: { kind: string; label: string }, level: ILevelQuery, signal: AbortSignal) => {
    const { parent, folder, offset } = level;
    const what = `collections ${key.kind} ${key.label} ${parent ?? folder ?? 'flat'}`.trim();
    return this._ask(offset === 0 ? what : `${what} from ${offset}`, signal);
  };
  path = (key: { kind: string; label: string }, collection: string, _: boolean, signal: AbortSignal) =>
    this._ask(`path ${key.kind} ${key.label} ${collection}`, signal);
  usage = (key: { kind: string; label: string }, signal: AbortSignal) =>
    this._ask(`usage ${key.kind} ${key.label}`, signal);
  validity = (query: { collection: string; datasetType: string }, signal: AbortSignal) =>
    this._ask(`validity ${query.collection} ${query.datasetType}`, signal);
  datasetTypes = (key: { kind: string; label: string }, collection: string, signal: AbortSignal) =>
    this._ask(`types ${key.kind} ${key.label} ${collection}`, signal);
  place = (key: { kind: string; label: string }, datasetType: string, signal: AbortSignal) =>
    this._ask(`place ${key.kind} ${key.label} ${datasetType}`, signal);
  count = (query: { collection: string; datasetType: string }, signal: AbortSignal) =>
    this._ask(`count ${query.collection} ${query.datasetType}`, signal);
  details = (_: unknown, id: string, signal: AbortSignal) => this._ask(`details ${id}`, signal);
  provenance = (_: unknown, id: string, signal: AbortSignal, brief?: boolean) =>
    this._ask(`${brief ? 'maker' : 'provenance'} ${id}`, signal);
  versions = (signal: AbortSignal) => this._ask('versions', signal);

  datasets(
    query: { collection: string; datasetType: string },
    page: { limit: number; cursor: string | null },
    signal: AbortSignal
  ): AsyncGenerator<PageEvent, EndEvent, undefined> {
    const what = `datasets ${query.collection} ${query.datasetType} ${page.limit} ${page.cursor ?? 'first'}`;
    const { put, events } = streaming<PageEvent>(signal);
    const streamed: IStreamed = {
      what,
      signal,
      answer: () => settled(),
      fail: error => put(new ApiError(report(error))),
      rows: (...visits) => put({ event: 'rows', rows: visits.map(dataset) }),
      busy: seconds => put({ event: 'busy', retry_in: seconds }),
      end: (nextCursor, superseded = false) => put({ event: 'end', next_cursor: nextCursor, superseded })
    };
    this.asked.push(streamed);
    this.pages.push(streamed);
    return events;
  }

  async *holdings(
    _: unknown,
    id: string,
    signal: AbortSignal
  ): AsyncGenerator<HoldingProgress, boolean, undefined> {
    const found = (await this._ask(`collections of ${id}`, signal)) as HoldingProgress[];
    yield* found;
    return true;
  }

  search(
    key: { kind: string; label: string },
    question: { text: string; request: string },
    signal: AbortSignal
  ): AsyncGenerator<SearchProgress, EndEvent, undefined> {
    const { request, text } = question;
    const { put, events } = streaming<SearchProgress>(signal);
    const searched: ISearched = {
      what: `search ${key.kind} ${key.label} ${text}`,
      signal,
      answer: () => settled(),
      fail: error => put(new ApiError(report(error))),
      busy: seconds => put({ event: 'busy', retry_in: seconds }),
      found: (names, of = request) =>
        put({
          event: 'found',
          request: of,
          matches: names.map(name => ({ what: 'collection', collection: run(name), by: 'name' }))
        }),
      end: async (total, capped = false) => {
        await put({ event: 'summary', request, total, capped });
        await put({ event: 'end', next_cursor: null, superseded: false });
      }
    };
    this.asked.push(searched);
    this.searches.push(searched);
    return events;
  }

  /** Every question has its own type of answer; `never` stands for them all. */
  private _ask(what: string, signal: AbortSignal): Promise<never> {
    return new Promise<never>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new AbortedError()));
      this.asked.push({
        what,
        signal,
        answer: value => {
          resolve(value as never);
          return settled();
        },
        fail: error => {
          reject(new ApiError(report(error)));
          return settled();
        }
      });
    });
  }
}

/** A stream that gives what is put in, until an end or a failure is, or its reader leaves. */
function streaming<E extends { event: string }>(
  signal: AbortSignal
): {
  put: (event: E | EndEvent | Error) => Promise<void>;
  events: AsyncGenerator<E, EndEvent, undefined>;
} {
  const queue: (E | EndEvent | Error)[] = [];
  let wake = (): void => undefined;
  const put = (event: E | EndEvent | Error): Promise<void> => {
    queue.push(event);
    wake();
    return settled();
  };
  signal.addEventListener('abort', () => void put(new AbortedError()));
  async function* read(): AsyncGenerator<E, EndEvent, undefined> {
    for (;;) {
      while (queue.length === 0) {
        await new Promise<void>(resolve => (wake = resolve));
      }
      const event = queue.shift()!;
      if (event instanceof Error) {
        throw event;
      }
      if (event.event === 'end') {
        return event as EndEvent;
      }
      yield event as E;
    }
  }
  return { put, events: read() };
}

/** Let everything that waits for an answer go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await Promise.resolve();
  }
}

export function report(error: Partial<ErrorReport>): ErrorReport {
  return {
    kind: 'internal',
    message: 'It failed.',
    next_step: 'Do something.',
    retry_in: null,
    request_id: 'r-1',
    ...error
  };
}

export const OFFICIAL: Repository = {
  kind: 'official',
  label: 'dp2',
  state: 'connected',
  error: null,
  location: 'data.example.org',
  default_collections: ['dp2'],
  writeable: false
};

export const PERSONAL: Repository = {
  ...OFFICIAL,
  kind: 'personal',
  location: '/home/me/butler/dp2',
  writeable: true
};

export function chain(name: string, ...children: string[]): Collection {
  return { name, type: 'CHAINED', doc: '', children };
}

export function run(name: string): Collection {
  return { name, type: 'RUN', doc: '', children: null };
}

export function level(...collections: (Collection | CollectionFolder)[]) {
  return { entries: collections, offset: 0, total: collections.length };
}

export const VISIT_IMAGE: DatasetType = {
  name: 'visit_image',
  dimensions: ['instrument', 'visit', 'detector'],
  storage_class: 'VisitImage',
  is_calibration: false,
  components: ['bbox'],
  parameters: ['bbox']
};

export const SOURCE: DatasetType = {
  ...VISIT_IMAGE,
  name: 'source',
  dimensions: ['instrument', 'visit'],
  storage_class: 'ArrowAstropy',
  components: [],
  parameters: ['columns']
};

export function dataset(visit: number): Dataset {
  return { id: `id-${visit}`, data_id: { instrument: 'LSSTCam', visit, detector: 10 }, run: 'r' };
}
