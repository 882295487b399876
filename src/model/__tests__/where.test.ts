import { describe, expect, it } from 'vitest';

import type { Vocabulary } from '../../api';
import { completeColumn, completeWhere, type IWhereCompletion } from '../where';

type Element = Vocabulary['elements'][number];

function element(name: string, more: Partial<Element>): Element {
  return {
    name,
    is_dimension: true,
    key_type: 'int',
    dimensions: [name],
    implied: [],
    fields: [],
    doc: '',
    ...more
  };
}

function field(name: string, type: string, unit = ''): Element['fields'][number] {
  return { name, type, unit, doc: '' };
}

const vocabulary: Vocabulary = {
  elements: [
    element('band', { key_type: 'string' }),
    element('skymap', { key_type: 'string' }),
    element('instrument', { key_type: 'string' }),
    element('tract', { dimensions: ['skymap', 'tract'], fields: [field('region', 'region')] }),
    element('physical_filter', { key_type: 'string', dimensions: ['instrument'], implied: ['band'] }),
    element('visit', {
      dimensions: ['instrument', 'visit'],
      implied: ['physical_filter'],
      fields: [
        field('exposure_time', 'float', 's'),
        field('target_name', 'string'),
        field('region', 'region'),
        field('timespan', 'timespan')
      ]
    }),
    element('detector', { dimensions: ['instrument', 'detector'], fields: [field('raft', 'string')] }),
    element('visit_detector_region', {
      is_dimension: false,
      key_type: '',
      dimensions: ['instrument', 'detector', 'visit'],
      fields: [field('region', 'region')]
    })
  ],
  dataset_fields: [field('run', 'string'), field('timespan', 'timespan')],
  operators: ['=', '!=', '<', '<=', '>', '>=', 'IN', 'NOT IN', 'OVERLAPS', 'AND', 'OR', 'NOT'],
  functions: [
    { name: 'POINT', signature: 'POINT(ra, dec)', doc: '' },
    { name: 'GLOB', signature: 'GLOB(column, pattern)', doc: '' }
  ],
  instruments: ['LSSTCam'],
  skymaps: []
};

const SCOPE = { dimensions: ['instrument', 'visit', 'detector'], datasetTypes: ['bias'], bind: ['ra'] };

/** Complete where the text has a bar. */
function at(text: string): IWhereCompletion {
  return completeWhere(text.replace('|', ''), text.indexOf('|'), vocabulary, SCOPE);
}

function texts(text: string): string[] {
  return at(text).words.map(word => word.text);
}

describe('in a where-expression', () => {
  it('dimensions of the dataset type and what follows from them come first', () => {
    expect(texts('|')).toEqual([
      ...['band', 'instrument', 'physical_filter', 'visit', 'detector', 'visit_detector_region.'],
      ...['skymap', 'tract', 'bias.', 'GLOB(', 'NOT']
    ]);
  });

  it.each([
    ['vi|', ['visit', 'visit_detector_region.'], 0],
    ['band = 1 AND VI|', ['visit', 'visit_detector_region.'], 13],
    ['NOT (t|', ['tract'], 5],
    ['visit.|', ['visit.exposure_time', 'visit.target_name', 'visit.region', 'visit.timespan'], 0],
    ['visit.ex| > 3', ['visit.exposure_time'], 0],
    ['visit.timespan.b|', ['visit.timespan.begin'], 0],
    ['bias.|', ['bias.run', 'bias.timespan'], 0],
    ['nothing.|', [], 0],
    ['visit |', ['=', '!=', '<', '<=', '>', '>=', 'IN', 'NOT IN'], 6],
    ['visit I|', ['IN'], 6],
    ['visit.region |', ['OVERLAPS'], 13],
    [
      'tract.region OVERLAPS |',
      ['POINT(', 'tract.region', 'visit.region', 'visit_detector_region.region', ':ra'],
      22
    ],
    ['visit = 3 |', ['AND', 'OR'], 10],
    ["band IN ('r', 'i') o|", ['OR'], 19],
    ['visit IN (1..3) |', ['AND', 'OR'], 16],
    ['visit.region OVERLAPS POINT(1, 2) a|', ['AND'], 34],
    ['visit = :|', [':ra'], 8],
    ["band = 'r' AND 'x|", [], 16]
  ])('%s may go on with %j', (text, expected, from) => {
    const found = at(text);
    expect(found.words.map(word => word.text)).toEqual(expected);
    expect(found.from).toBe(from);
  });

  it.each([
    ["band = '|", 'band', '', false, 8],
    ["band != 'r|'", 'band', 'r', false, 9],
    ["band IN ('r', 'i|", 'band', 'i', false, 15],
    ["band NOT IN ('|", 'band', '', false, 14],
    ['band = r|', 'band', 'r', true, 7],
    ['visit = 2025|', 'visit', '2025', false, 8],
    ['visit IN (1, 2|', 'visit', '2', false, 13],
    ["visit > 3 AND visit.target_name = 'COS|", 'visit.target_name', 'COS', false, 35],
    ["(band = '|", 'band', '', false, 9]
  ])('the values of a column are asked for in %s', (text, column, prefix, quoted, from) => {
    expect(at(text)).toMatchObject({ values: { column, prefix, quoted }, from });
  });

  it.each([
    'visit.exposure_time > 3|',
    "bias.run = '|",
    "nothing = '|",
    "visit.timespan OVERLAPS T'|",
    "band = 'r'|"
  ])('no values are asked for in %s', text => {
    expect(at(text).values).toBeNull();
  });
});

it('completes a column to order by', () => {
  const found = completeColumn('-visit.ta', 9, vocabulary);
  expect(found.words.map(word => word.text)).toEqual(['visit.target_name']);
  expect(found.from).toBe(1);
});
