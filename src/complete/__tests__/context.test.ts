import { describe, expect, it } from 'vitest';

import { placeToComplete, type Want } from '../context';

/** What may be completed at the bar. */
function at(text: string): ReturnType<typeof placeToComplete> {
  return placeToComplete(text.replace('|', ''), text.indexOf('|'));
}

const MINE = { variable: 'butler' };
const IMAGE = 'visit_image';

describe('in a call of a butler', () => {
  it.each<[string, Want, string]>([
    ['butler.get("vis|")', { kind: 'dataset_type', collections: null }, 'vis'],
    ["butler.get('|", { kind: 'dataset_type', collections: null }, ''],
    ['x = f(butler.getDeferred("a.b|', { kind: 'dataset_type', collections: null }, 'a.b'],
    ['butler.put(image, "my|', { kind: 'dataset_type', collections: null }, 'my'],
    ['butler.query_datasets(\n    "vis|', { kind: 'dataset_type', collections: null }, 'vis'],
    [
      'butler.query_datasets(collections=["a", "b"], dataset_type="|',
      { kind: 'dataset_type', collections: ['a', 'b'] },
      ''
    ],
    ['butler.query_datasets("visit_image", "LSST|', { kind: 'collection' }, 'LSST'],
    ['butler.get("visit_image", collections="dp|', { kind: 'collection' }, 'dp'],
    ['butler.get("visit_image", collections=["a", "dp|', { kind: 'collection' }, 'dp'],
    ['butler.put(1, "a", run="u/|', { kind: 'collection' }, 'u/'],
    ['butler.collections.get_info("|', { kind: 'collection' }, ''],
    ['butler.clone(collections="|', { kind: 'collection' }, ''],
    [
      'butler.get("visit_image", vis|',
      { kind: 'dimension', datasetType: IMAGE, taken: [], style: 'keyword' },
      'vis'
    ],
    [
      'butler.get("visit_image.psf", instrument="a", |',
      { kind: 'dimension', datasetType: IMAGE, taken: ['instrument'], style: 'keyword' },
      ''
    ],
    [
      'butler.get("visit_image", {"instrument": "a", "vi|',
      { kind: 'dimension', datasetType: IMAGE, taken: ['instrument'], style: 'plain' },
      'vi'
    ],
    [
      'butler.query_data_ids(["vi|',
      { kind: 'dimension', datasetType: null, taken: [], style: 'plain' },
      'vi'
    ],
    ['butler.get("visit_image", band="|', { kind: 'value', column: 'band', dataId: {}, quoted: true }, ''],
    [
      'butler.get("visit_image", instrument="LSSTCam", visit=20|',
      { kind: 'value', column: 'visit', dataId: { instrument: 'LSSTCam' }, quoted: false },
      '20'
    ],
    [
      'butler.get("visit_image", {"instrument": "LSSTCam", "visit": 20|',
      { kind: 'value', column: 'visit', dataId: { instrument: 'LSSTCam' }, quoted: false },
      '20'
    ],
    [
      'butler.query_datasets("visit_image", data_id={"band": "|',
      { kind: 'value', column: 'band', dataId: {}, quoted: true },
      ''
    ],
    [
      'butler.query_datasets("visit_image", where="visit.ex|',
      { kind: 'where', datasetType: IMAGE, bind: [] },
      'visit.ex'
    ],
    [
      'butler.query_datasets("visit_image", bind={"ra": 1}, where="|',
      { kind: 'where', datasetType: IMAGE, bind: ['ra'] },
      ''
    ],
    [
      'butler.query_datasets("visit_image", order_by=["-visit.|',
      { kind: 'order_by', datasetType: IMAGE, bind: [] },
      '-visit.'
    ]
  ])('%s', (text, want, begun) => {
    expect(at(text)).toEqual({ want, butler: MINE, begun, from: text.indexOf('|') - begun.length });
  });

  it.each([
    ['Butler("d|', 'repository', { label: '', reads: 'official' }],
    ['dafButler.Butler("dp2", collections="|', 'collection', { label: 'dp2', reads: 'official' }],
    ['python_butler.open("|', 'repository', { label: '', reads: 'both' }],
    ['python_butler.open("dp2", run="u/|', 'collection', { label: 'dp2', reads: 'both' }],
    ['Butler.from_config("dp2", collections=["|', 'collection', { label: 'dp2', reads: 'official' }]
  ])('%s', (text, kind, butler) => {
    expect(at(text)).toMatchObject({ want: { kind }, butler });
  });
});

it.each([
  'x|',
  'f("|',
  'butler.|',
  'butler.get(|',
  'butler.get(vis|',
  'butler.get("visit_image|" + x)'.replace('|"', '"|'),
  'butler.get("visit_image")|',
  'butler.get("visit_image", parameters={"|',
  'butler.get("visit_image", storageClass="|',
  'butler.query_datasets("a", limit=1|',
  'butler.get(f"vis|',
  '# butler.get("|',
  'x = 1  # butler.get("|',
  '"""butler.get("|',
  '%run butler.get("|',
  'butler.get(\n"a")\nx = {"|',
  'def get("|',
  'butlers[0].get("|',
  'f().get("|',
  'Butler("dp2", |'
])('nothing is completed in %s', text => {
  expect(at(text)).toBeNull();
});

// In the time that the runner gives to any test: a bound in milliseconds would be about the machine.
it('is found in a long file, so that typing is not held up', () => {
  const file = 'image = butler.get("visit_image", visit=1, detector=2)\n'.repeat(5_000) + 'butler.get("vis';
  expect(placeToComplete(file, file.length)).not.toBeNull();
});
