/**
 * What may be completed at a place in Python code: found in the text alone, so that nothing is asked of
 * anybody where there is nothing to complete.
 */

import { callAt, type Given, type ICallInWriting } from '../python/calls';

/** Values of some dimensions. */
export type DataId = Readonly<Record<string, string | number>>;

/** What is wanted, apart from where it stands. */
export type Want =
  | { readonly kind: 'repository' }
  | { readonly kind: 'collection' }
  | { readonly kind: 'dataset_type'; readonly collections: readonly string[] | null }
  /** Names of dimensions: as keyword arguments, as keys of a dictionary, or as they are. */
  | {
      readonly kind: 'dimension';
      readonly datasetType: string | null;
      readonly taken: readonly string[];
      readonly style: 'keyword' | 'plain';
    }
  | { readonly kind: 'value'; readonly column: string; readonly dataId: DataId; readonly quoted: boolean }
  | {
      readonly kind: 'where' | 'order_by';
      readonly datasetType: string | null;
      readonly bind: readonly string[];
    };

/** Something to complete. */
export interface IPlaceToComplete {
  readonly want: Want;
  /** Name of the variable that holds the butler, or what is opened. */
  readonly butler:
    { readonly variable: string } | { readonly label: string; readonly reads: 'official' | 'both' };
  /** What is begun, and where that begins. */
  readonly begun: string;
  readonly from: number;
}

/** Where a method takes its dataset type, data ID and collections, by position. */
interface IMethod {
  readonly type?: number;
  readonly dataId?: number;
  readonly collections?: number;
  /** Names of dimensions or their combinations. */
  readonly dimensions?: number;
  /** Whether dimensions are keyword arguments, too. */
  readonly keywords?: boolean;
}

const READS: IMethod = { type: 0, dataId: 1, keywords: true };

const METHODS: Readonly<Record<string, IMethod>> = {
  get: READS,
  getDeferred: READS,
  getURI: READS,
  getURIs: READS,
  find_dataset: READS,
  exists: READS,
  put: { type: 1, dataId: 2, keywords: true },
  query_datasets: { type: 0, collections: 1, keywords: true },
  query_all_datasets: { collections: 0, keywords: true },
  query_data_ids: { dimensions: 0, keywords: true },
  query_dimension_records: { dimensions: 0, keywords: true },
  'collections.get_info': { collections: 0 },
  'collections.query': { collections: 0 },
  'collections.query_info': { collections: 0 },
  clone: {}
};

/** Arguments that name collections. */
const COLLECTIONS: ReadonlySet<string> = new Set(['collections', 'collection', 'run']);
const TYPES: ReadonlySet<string> = new Set(['dataset_type', 'datasetType', 'datasetRefOrType']);
const DATA_IDS: ReadonlySet<string> = new Set(['data_id', 'dataId']);
/** Arguments of these methods that are no dimensions. */
const OTHERS: ReadonlySet<string> = new Set(
  (
    'parameters collections storageClass storage_class timespan where bind order_by limit find_first explain ' +
    'with_dimension_records dimension_records datastore_records run predict name element dimensions expanded'
  ).split(' ')
);

/** Find out what may be completed; null if that is nothing of ours. */
export function placeToComplete(source: string, offset: number): IPlaceToComplete | null {
  // Nearly all places are in no call: this says so without reading the source.
  if (!/[("'[{,=]/.test(source.slice(Math.max(0, offset - 2_000), offset))) {
    return null;
  }
  const call = callAt(source, offset);
  const found = call && (opening(call) ?? method(call));
  return found ? { ...found, begun: call.begun, from: call.from } : null;
}

type Found = Pick<IPlaceToComplete, 'want' | 'butler'>;

/** Inside `Butler("…` and `python_butler.open("…`. */
function opening(call: ICallInWriting): Found | null {
  const name = call.callee.join('.');
  const isButler = /(^|\.)Butler(\.from_config)?$/.test(name);
  if ((!isButler && !/^\w+\.open$/.test(name)) || !call.quoted) {
    return null;
  }
  const label = call.given.get('0') ?? call.given.get('config') ?? call.given.get('label');
  const butler = {
    label: typeof label === 'string' ? label : '',
    reads: isButler ? 'official' : 'both'
  } as const;
  if (call.argument === '0' || call.argument === 'config' || call.argument === 'label') {
    return { want: { kind: 'repository' }, butler };
  }
  return COLLECTIONS.has(call.argument) && butler.label !== ''
    ? { want: { kind: 'collection' }, butler }
    : null;
}

function method(call: ICallInWriting): Found | null {
  const [variable = '', ...path] = call.callee;
  const known = METHODS[path.join('.')];
  const want = known && variable !== '' ? wantOf(known, call) : null;
  return want && { want, butler: { variable } };
}

function wantOf(known: IMethod, call: ICallInWriting): Want | null {
  const { argument, quoted } = call;
  const at = (position: number | undefined): boolean =>
    position !== undefined && argument === String(position);
  const datasetType = typeOf(known, call);
  if (DATA_IDS.has(argument) || at(known.dataId)) {
    return inDataId(known, call, datasetType);
  }
  if (quoted) {
    const text = inText(known, call, datasetType);
    if (text || OTHERS.has(argument)) {
      return text;
    }
  }
  if (!known.keywords || call.inside !== 'argument') {
    return null;
  }
  if (/^\d+$/.test(argument)) {
    // A name that is begun behind the positional arguments may become a keyword.
    const isBehind = Number(argument) > (known.type ?? known.dimensions ?? known.collections ?? 0);
    return !quoted && isBehind
      ? { kind: 'dimension', datasetType, taken: Object.keys(dataIdOf(known, call)), style: 'keyword' }
      : null;
  }
  return OTHERS.has(argument) || TYPES.has(argument)
    ? null
    : { kind: 'value', column: argument, dataId: dataIdOf(known, call), quoted };
}

/** Inside the strings of arguments that are no values of dimensions. */
function inText(known: IMethod, call: ICallInWriting, datasetType: string | null): Want | null {
  const { argument } = call;
  const at = (position: number | undefined): boolean =>
    position !== undefined && argument === String(position);
  if (TYPES.has(argument) || (at(known.type) && call.inside !== 'value')) {
    return { kind: 'dataset_type', collections: collectionsOf(known, call) };
  }
  if (COLLECTIONS.has(argument) || at(known.collections)) {
    return { kind: 'collection' };
  }
  if (argument === 'where') {
    const bound = call.given.get('bind');
    const bind =
      bound !== null && typeof bound === 'object' && !Array.isArray(bound) ? Object.keys(bound) : [];
    return { kind: 'where', datasetType, bind };
  }
  if (argument === 'order_by') {
    return { kind: 'order_by', datasetType, bind: [] };
  }
  return argument === 'element' || argument === 'dimensions' || at(known.dimensions)
    ? { kind: 'dimension', datasetType: null, taken: [], style: 'plain' }
    : null;
}

/** Inside the dictionary of a data ID; before one is begun, keywords may still come. */
function inDataId(known: IMethod, call: ICallInWriting, datasetType: string | null): Want | null {
  const dataId = { ...dataIdOf(known, call), ...call.entries };
  switch (call.inside) {
    case 'key':
      return call.quoted
        ? { kind: 'dimension', datasetType, taken: Object.keys(dataId), style: 'plain' }
        : null;
    case 'value':
      return { kind: 'value', column: call.key ?? '', dataId, quoted: call.quoted };
    case 'argument':
      return !call.quoted && known.keywords && /^\d+$/.test(call.argument)
        ? { kind: 'dimension', datasetType, taken: Object.keys(dataId), style: 'keyword' }
        : null;
    case 'list':
      return null;
  }
}

function typeOf(known: IMethod, { given }: ICallInWriting): string | null {
  const named = [...TYPES].map(name => given.get(name)).find(value => value !== undefined);
  const value = named ?? (known.type === undefined ? null : given.get(String(known.type)));
  // A component has the dimensions of what it is part of.
  return typeof value === 'string' ? (value.split('.')[0] ?? value) : null;
}

function collectionsOf(known: IMethod, { given }: ICallInWriting): readonly string[] | null {
  const value: Given | undefined =
    given.get('collections') ??
    (known.collections === undefined ? null : given.get(String(known.collections)));
  return typeof value === 'string' ? [value] : Array.isArray(value) ? (value as readonly string[]) : null;
}

function dataIdOf(known: IMethod, { given }: ICallInWriting): DataId {
  const dataId: Record<string, string | number> = {};
  for (const [name, value] of given) {
    const isDictionary = DATA_IDS.has(name) || (known.dataId !== undefined && name === String(known.dataId));
    if (isDictionary && value !== null && typeof value === 'object' && !Array.isArray(value)) {
      Object.assign(dataId, value);
    } else if (
      !/^\d+$/.test(name) &&
      !OTHERS.has(name) &&
      (typeof value === 'string' || typeof value === 'number')
    ) {
      dataId[name] = value;
    }
  }
  return dataId;
}
