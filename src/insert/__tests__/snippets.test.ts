import { describe, expect, it } from 'vitest';

import { citationFor, referencesFor } from '../citation';
import { cellFor, expressionFor, snippetsFor } from '../code';
import { type IView, linkText, NO_FILTER, viewOf } from '../../model';
import { readNames } from '../../python/butlers';
import type { IRowFilter } from '../snippets';
import { NOWHERE, type IPlace } from '../source';
import {
  bias,
  calexp,
  calib,
  chain,
  chip,
  dataset,
  exposure,
  log,
  object,
  personal,
  run,
  select,
  tract,
  UUID,
  visitImage
} from './fixtures';

/** A place in a notebook below the given code cells. */
function below(...sources: string[]): IPlace {
  return { names: readNames(sources), kernel: [] };
}

const WITH_BUTLER = below('from lsst.daf.butler import Butler\nbutler = Butler("dp2", collections="dp2")');

function ids(...args: Parameters<typeof snippetsFor>): string[] {
  return snippetsFor(...args).map(({ id }) => id);
}

describe('a complete cell', () => {
  it('opens the repository, reads an image by its data ID and shows its shape', () => {
    expect(cellFor(select(visitImage, exposure))).toBe(
      `from lsst.daf.butler import Butler

butler = Butler("dp2", collections="dp2")
visit_image = butler.get(
    "visit_image", instrument="LSSTCam", visit=2025120200439, detector=10
)
visit_image.bbox.shape`
    );
  });

  it('reads some columns of a table, because whole tables may be too wide', () => {
    expect(cellFor(select(object, tract), WITH_BUTLER)).toBe(
      `data_id = {"skymap": "lsst_cells_v2", "tract": 5063}
columns = list(butler.get("object.columns", data_id))
columns = columns[:10]  # name those you need: a wide table has over a thousand
object_table = butler.get("object", data_id, parameters={"columns": columns})
object_table`
    );
  });

  it('names the columns that were chosen', () => {
    const options = { choice: { columns: ['coord_ra', 'coord_dec'] } };
    expect(cellFor(select(object, tract), WITH_BUTLER, options)).toContain(
      'columns = ["coord_ra", "coord_dec"]\n'
    );
  });

  it('keeps the rows that were chosen, and reads what that needs', () => {
    const range: IRowFilter = { column: 'r_psfFlux', kind: 'float', low: 1.5, high: 20, values: null };
    const flag: IRowFilter = { column: 'good', kind: 'boolean', low: null, high: null, values: ['true'] };
    const choice = { columns: ['coord_ra'], rows: [range, flag] };
    expect(cellFor(select(object, tract), WITH_BUTLER, { choice })).toBe(
      `import numpy as np

columns = ["coord_ra", "r_psfFlux", "good"]
object_table = butler.get(
    "object", skymap="lsst_cells_v2", tract=5063, parameters={"columns": columns}
)
keep = (
    (object_table["r_psfFlux"] >= 1.5)
    & (object_table["r_psfFlux"] <= 20)
    & (object_table["good"] == True)
)
object_table = object_table[np.ma.filled(keep, False)]
object_table`
    );
  });

  it('keeps rows of every form of table in its own way', () => {
    const rows: IRowFilter[] = [{ column: 'id', kind: 'integer', low: null, high: null, values: ['1', '2'] }];
    const kept = (snippet: string): string =>
      cellFor(select(object, tract), WITH_BUTLER, { snippet, choice: { columns: ['id'], rows } })!;
    expect(kept('as-pandas')).toContain(
      'keep = object_table["id"].isin([1, 2])\nobject_table = object_table[keep]'
    );
    expect(kept('as-arrow')).toContain(
      'keep = pc.field("id").isin([1, 2])\nobject_table = object_table.filter(keep)'
    );
    expect(kept('as-arrow')).not.toContain('numpy');
  });

  it('prints a log', () => {
    expect(cellFor(select(log, exposure), WITH_BUTLER)).toMatch(/print\(calibrateImage_log\)$/);
  });

  it('reads personal data through python_butler', () => {
    const mine = { repository: personal, collection: { ...run, name: 'u/me/stars' } };
    expect(cellFor(select(object, tract, mine), WITH_BUTLER, { snippet: 'whole' })).toBe(
      `import python_butler

butler_dp2 = python_butler.open("dp2", collections="u/me/stars")
# Every column: a wide table may need more memory than the kernel has.
object_table = butler_dp2.get("object", skymap="lsst_cells_v2", tract=5063)
object_table`
    );
  });

  it('reads official data through python_butler if the notebook does, or the setting says so', () => {
    const opens = 'butler = python_butler.open("dp2", collections="dp2")';
    expect(cellFor(select(visitImage, exposure), below('import python_butler'))).toContain(opens);
    expect(cellFor(select(visitImage, exposure), NOWHERE, { preferPythonButler: true })).toContain(opens);
  });

  it('binds no name that the notebook has bound', () => {
    expect(cellFor(select(visitImage, exposure), below('visit_image = 1'))).toContain(
      'visit_image_2 = butler'
    );
  });

  it('does not open the repository for an IVOA identifier, which names it', () => {
    expect(cellFor(select(visitImage, exposure), NOWHERE, { snippet: 'ivoa' })).toBe(
      `from lsst.daf.butler import Butler

visit_image_ref = Butler.get_dataset_from_uri(
    "ivo://org.rubinobs/usdac/lsst-dp2?repo=dp2&id=${UUID}"
).dataset
visit_image_ref`
    );
  });

  it('binds values in queries, never pastes them, under names that no dimension has', () => {
    expect(cellFor(select(object, tract), WITH_BUTLER, { snippet: 'query' })).toBe(
      `object_refs = butler.query_datasets(
    "object",
    where="skymap = :skymap_name AND tract = :tract_id",
    bind={"skymap_name": "lsst_cells_v2", "tract_id": 5063},
)
object_refs`
    );
  });

  it('cuts out a box with the rows first', () => {
    const options = { snippet: 'cutout-box', choice: { box: { x0: 1, x1: 2, y0: 3, y1: 4 } } };
    expect(cellFor(select(visitImage, exposure), WITH_BUTLER, options)).toContain('Box.factory[3:4, 1:2]');
  });

  it('cuts out a circle at the position that was chosen', () => {
    const options = { snippet: 'cutout-circle', choice: { circle: { ra: 53.1, dec: -27.8, radius: 5 } } };
    const cell = cellFor(select(visitImage, exposure), WITH_BUTLER, options);
    expect(cell).toContain('center = SkyCoord(53.1, -27.8, unit="deg")');
    expect(cell).toContain('Angle(5, "arcsec")');
  });

  it("uses the science pipelines' boxes for their images", () => {
    const cell = cellFor(select(calexp, exposure), WITH_BUTLER, { snippet: 'cutout-box' });
    expect(cell).toContain('from lsst.geom import Box2I, Extent2I');
    expect(cell).toMatch(/calexp_cutout\.getDimensions\(\)$/);
  });
});

describe('the butler that code reads from', () => {
  it('is the one the notebook has, without naming its default collection again', () => {
    expect(cellFor(select(object, tract), WITH_BUTLER, { snippet: 'schema' })).toBe(
      `object_schema = butler.get("object.schema", skymap="lsst_cells_v2", tract=5063)
object_schema`
    );
  });

  it.each([
    ['has other defaults', 'butler = Butler("dp2", collections="other")'],
    ['finds something else first', 'butler = Butler("dp2", collections=["u/me/a", "dp2"])'],
    ['has unknown defaults', 'butler = Butler("dp2", collections=choose())'],
    ['has none', 'butler = Butler("dp2")']
  ])('is told the collection if it %s', (_, source) => {
    const expression = expressionFor(select(visitImage, exposure), below(source));
    expect(expression?.text).toMatch(/^butler\.get\(.*, collections="dp2"\)$/);
    expect(expression?.preamble).toBe('');
  });

  it('is one whose default collection fits, rather than a later one', () => {
    const place = below('a = Butler("dp2", collections="dp2")\nb = Butler("dp2", collections="x")');
    expect(expressionFor(select(visitImage, exposure), place)?.text).toMatch(/^a\.get\(/);
  });

  it('is made anew beside the butler of another repository', () => {
    const cell = cellFor(select(visitImage, exposure), below('butler = Butler("dp1", collections="x")'));
    expect(cell).toContain('butler_dp2 = Butler("dp2", collections="dp2")');
  });

  it('is what the kernel has, even if the text does not say so', () => {
    const kernel = [{ name: 'b', label: 'dp2', reads: 'both', collections: ['dp2'] } as const];
    expect(expressionFor(select(visitImage, exposure), { ...NOWHERE, kernel })?.text).toMatch(/^b\.get\(/);
  });

  it('reads personal data only if it reads both repositories', () => {
    const mine = select(object, tract, { repository: personal, collection: run });
    expect(expressionFor(mine, WITH_BUTLER)?.preamble).toContain('python_butler.open');
    const both = below('import python_butler\nb = python_butler.open("dp2", collections="dp2")');
    expect(expressionFor(mine, both)?.text).toMatch(/^b\.get\(.*collections="run\/a"/);
  });
});

describe('an expression', () => {
  it('is one line, and comes with what the cell must say first', () => {
    expect(expressionFor(select(visitImage, exposure))).toEqual({
      text: 'butler.get("visit_image", instrument="LSSTCam", visit=2025120200439, detector=10)',
      preamble: 'from lsst.daf.butler import Butler\nbutler = Butler("dp2", collections="dp2")\n'
    });
  });

  it('needs no import that the notebook has', () => {
    const place = below('import uuid', 'butler = Butler("dp2", collections="dp2")');
    expect(expressionFor(select(visitImage, exposure), place, { snippet: 'reference' })).toEqual({
      text: `butler.get_dataset(uuid.UUID("${UUID}"))`,
      preamble: ''
    });
  });
});

describe('snippets are chosen by storage class', () => {
  it('offers an image whole, cut out, by component, deferred, and by reference', () => {
    expect(ids(select(visitImage, exposure))).toEqual([
      'whole',
      'cutout-box',
      'cutout-circle',
      'deferred',
      'component:bbox',
      'component:image',
      'component:psf',
      'component:sky_projection',
      'reference',
      'query',
      'ivoa',
      'datalink',
      'soda'
    ]);
  });

  it('offers a table in other forms than its own', () => {
    expect(ids(select(object, tract))).toEqual([
      'columns',
      'whole',
      'as-pandas',
      'as-arrow',
      'schema',
      'deferred',
      'component:columns',
      'component:rowcount',
      'component:schema',
      'reference',
      'query',
      'ivoa'
    ]);
  });

  it('does not go by the name of the dataset type', () => {
    const named = { ...visitImage, storage_class: 'StructuredDataDict', parameters: [], components: [] };
    expect(ids(select(named, exposure))).toEqual(['whole', 'deferred', 'reference', 'query', 'ivoa']);
  });

  it('offers no IVOA identifier for personal data, which no service can resolve', () => {
    expect(ids(select(log, exposure, { repository: personal }))).not.toContain('ivoa');
  });
});

describe('a calibration', () => {
  it.each([chain, calib])(
    'is named by its UUID in $type collections, where data IDs are ambiguous',
    collection => {
      expect(cellFor(select(bias, chip, { collection }), WITH_BUTLER)).toBe(
        `import uuid

bias_ref = butler.get_dataset(uuid.UUID("${UUID}"))
bias = butler.get(bias_ref)
bias.bbox.shape`
      );
    }
  );

  it('can be looked up for a visit', () => {
    const options = { snippet: 'for-visit', choice: { visit: 42 } };
    expect(cellFor(select(bias, chip), WITH_BUTLER, options)).toBe(
      `bias = butler.get("bias", instrument="LSSTCam", detector=10, visit=42)\nbias.bbox.shape`
    );
  });

  it('finds a visit in its validity range if none was chosen', () => {
    expect(cellFor(select(bias, chip), WITH_BUTLER, { snippet: 'for-visit' })).toContain(
      'bias.dataset_id = :id AND bias.timespan OVERLAPS visit.timespan'
    );
  });

  it('has no place on the sky', () => {
    expect(ids(select(bias, chip))).not.toContain('cutout-circle');
  });

  it('is like any dataset in a RUN', () => {
    const selection = select(bias, chip, { collection: run });
    expect(ids(selection)).not.toContain('for-visit');
    expect(cellFor(selection)).toContain('butler.get("bias", instrument="LSSTCam", detector=10)');
  });
});

describe('several datasets', () => {
  const at = (visit: number, detector: number) => dataset({ instrument: 'LSSTCam', visit, detector });

  it('are a query if one describes exactly them', () => {
    const four = [at(1, 10), at(1, 11), at(2, 10), at(2, 11)];
    expect(cellFor(select(visitImage, four), WITH_BUTLER)).toBe(
      `visit_image_refs = butler.query_datasets(
    "visit_image",
    where="instrument = :instrument_name AND visit IN (:visit_ids) AND detector IN (:detector_ids)",
    bind={"instrument_name": "LSSTCam", "visit_ids": [1, 2], "detector_ids": [10, 11]},
)
for ref in visit_image_refs:
    visit_image = butler.get(ref)
    print(ref.dataId, visit_image.bbox.shape)`
    );
  });

  it('are a list of data IDs otherwise', () => {
    expect(cellFor(select(visitImage, [at(1, 10), at(2, 11)]), WITH_BUTLER)).toBe(
      `data_ids = [{"visit": 1, "detector": 10}, {"visit": 2, "detector": 11}]
for data_id in data_ids:
    visit_image = butler.get("visit_image", data_id, instrument="LSSTCam")
    print(data_id, visit_image.bbox.shape)`
    );
  });

  it('are looked up by UUID if they are calibrations', () => {
    const cell = cellFor(select(bias, [chip, { ...chip, id: UUID.replace('0', '1') }]), WITH_BUTLER);
    expect(cell).toContain('bias_refs = [\n    butler.get_dataset(uuid.UUID(');
  });

  it('read the same columns of each table', () => {
    const two = [5063, 5064].map(number => dataset({ skymap: 's', tract: number }));
    expect(cellFor(select(object, two), WITH_BUTLER)).toContain(
      'columns = list(butler.get(object_refs[0].makeComponentRef("columns")))'
    );
  });
});

describe('text for people', () => {
  const addressOf = (view: IView): string => `/lab?butler=${encodeURIComponent(linkText(view))}`;
  /** The view that the link of a citation leads to. */
  const viewIn = (citation: string): IView | null => {
    const [, address] = /\]\((\S+)\)/.exec(citation)!;
    return viewOf(new URL(address!, 'http://lab.example').searchParams.get('butler')!);
  };

  it('cites name, data ID, run and identifier, with a link that leads there', () => {
    const citation = citationFor(select(visitImage, exposure), addressOf);
    expect(citation.split('](')[0]).toBe(
      '`visit_image` (instrument `LSSTCam`, visit `2025120200439`, detector `10`), run `run/a` of `dp2`, ' +
        `[\`ivo://org.rubinobs/usdac/lsst-dp2?repo=dp2&id=${UUID}\``
    );
    const where = { kind: 'official', label: 'dp2', collection: 'run/a', datasetType: 'visit_image' };
    expect(viewIn(citation)).toMatchObject({ ...where, ids: [UUID] });
  });

  it('links a query to what it finds', () => {
    const filter = { ...NO_FILTER, data_id: { visit: [1] } };
    const citation = citationFor(select(visitImage, [], { whole: null, filter }), addressOf);
    expect(viewIn(citation)).toMatchObject({ collection: 'dp2', datasetType: 'visit_image', filter });
  });

  it('makes a list of several citations', () => {
    expect(citationFor(select(object, [tract, tract]), addressOf)).toMatch(/^- `object`.*\n- `object`.*\n$/);
  });

  it('refers to personal data by UUID, which means nothing to other services', () => {
    expect(referencesFor(select(object, [tract, tract], { repository: personal }))).toBe(`${UUID}\n${UUID}`);
  });
});
