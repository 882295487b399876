import { describe, expect, it, vi } from 'vitest';

import type { IDatasetSelection } from '../../model';
import { readNames } from '../../python/butlers';
import { cellFor, expressionFor, snippetsFor } from '../code';
import { SnippetRegistry } from '../registry';

import { PLACEHOLDERS, readTemplates } from '../snippets/custom';
import type { IPlace } from '../source';
import { calib, chip, bias, dataset, exposure, object, select, tract, UUID, visitImage } from './fixtures';

const HERE: IPlace = {
  names: readNames(['from lsst.daf.butler import Butler\nbutler = Butler("dp2", collections="dp2")']),
  kernel: []
};

function cell(template: object, selection: IDatasetSelection = select(visitImage, exposure)): string | null {
  const { snippets, problems } = readTemplates([{ label: 'Mine', ...template }]);
  expect(problems).toEqual([]);
  return cellFor(selection, HERE, { snippet: 'settings:Mine', others: snippets });
}

describe('a snippet of the settings', () => {
  it('is Python whose gaps are filled, with its imports at the top', () => {
    const code = '${name} = ${get}\nshow(${name}, ${data_id}, "${butler}", cost="$$5")';
    expect(cell({ imports: ['from my.tools import show'], code })).toBe(
      `from my.tools import show

visit_image = butler.get("visit_image", instrument="LSSTCam", visit=2025120200439, detector=10)
show(visit_image, {"instrument": "LSSTCam", "visit": 2025120200439, "detector": 10}, "butler", cost="$5")`
    );
  });

  it.each([
    [
      '${butler}.get(${dataset_type}, ${keywords})',
      'butler.get("visit_image", instrument="LSSTCam", visit=2025120200439, detector=10)'
    ],
    ['f(${id}, ${run}, ${collection}, ${storage_class})', `f("${UUID}", "run/a", "dp2", "VisitImage")`],
    ['f(${refs})', `import uuid\n\nf([butler.get_dataset(uuid.UUID("${UUID}"))])`],
    ['f(${ids})', `f(["${UUID}"])`],
    ['f(f"{x} {len(y)}")', 'f(f"{x} {len(y)}")']
  ])('fills %s', (code, expected) => {
    expect(cell({ code })).toBe(expected);
  });

  it('takes several datasets where its gaps allow it', () => {
    const two = select(object, [
      tract,
      dataset({ skymap: 'lsst_cells_v2', tract: 1 }, UUID.replace('0', '1'))
    ]);
    expect(cell({ code: '${get}' }, two)).toBeNull();
    expect(cell({ code: 'f(${data_ids})' }, two)).toBe(
      'f([{"skymap": "lsst_cells_v2", "tract": 5063}, {"skymap": "lsst_cells_v2", "tract": 1}])'
    );
  });

  it('names a calibration by its identifier, since a data ID has several', () => {
    const selection = select(bias, chip, { collection: calib });
    expect(cell({ code: '${get}' }, selection)).toContain(
      `butler.get(butler.get_dataset(uuid.UUID("${UUID}")))`
    );
    expect(cell({ code: 'f(${keywords})' }, selection)).toBeNull();
  });

  it.each([
    [{ storageClass: 'Visit*, CellCoadd' }, true],
    [{ storageClass: 'ArrowAstropy' }, false],
    [{ datasetType: 'visit_?mage' }, true],
    [{ datasetType: 'visit' }, false],
    [{ storageClass: 'VisitImage', datasetType: 'raw' }, false]
  ])('with %j is offered for a visit image: %s', (patterns, isOffered) => {
    const { snippets } = readTemplates([{ label: 'Mine', code: '${get}', ...patterns }]);
    const ids = snippetsFor(select(visitImage, exposure), snippets).map(({ id }) => id);
    expect(ids.includes('settings:Mine')).toBe(isOffered);
    // It is one more, and not the default.
    expect(ids[0]).toBe('whole');
  });

  it('is an expression inside a cell if it has one', () => {
    const { snippets } = readTemplates([
      { label: 'Both', code: '${name} = f(${get})', expression: 'f(${get})' },
      { label: 'Cell', code: '${name} = f(${get})' }
    ]);
    const write = (snippet: string): string | undefined =>
      expressionFor(select(object, tract), HERE, { snippet, others: snippets })?.text;
    expect(write('settings:Both')).toBe('f(butler.get("object", skymap="lsst_cells_v2", tract=5063))');
    expect(write('settings:Cell')).toBeUndefined();
  });

  it.each([
    [{ code: 'x' }, 'Snippet 1 cannot be used: it has no label.'],
    [{ label: 'A', code: ' \n' }, '“A” cannot be used: it has no code.'],
    [
      { label: 'A', code: '${gte}' },
      `“A” cannot be used: there is no placeholder \${gte}; there are ${Object.keys(PLACEHOLDERS).join(', ')}.`
    ],
    [{ label: 'A', code: 'x', expression: '${}' }, /there is no placeholder/],
    [{ label: 'A', code: 'x', imports: ['numpy'] }, '“A” cannot be used: numpy is no import statement.'],
    [{ label: 'A', code: 'f(${get}' }, '“A” cannot be used: the bracket ( in its code has no counterpart.'],
    [{ label: 'A', code: 'f(")"])' }, '“A” cannot be used: the bracket ] in its code has no counterpart.']
  ])('that cannot be used says why: %j', (template, problem) => {
    const { snippets, problems } = readTemplates([template]);
    expect(snippets).toEqual([]);
    expect(problems).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
  });

  it('that cannot be used keeps no other from being used', () => {
    const { snippets, problems } = readTemplates([
      { label: 'A', code: '(' },
      { label: 'B', code: 'x' },
      { label: 'B', code: 'y' }
    ]);
    expect(snippets.map(({ label }) => label)).toEqual(['B']);
    expect(problems).toHaveLength(2);
  });
});

describe('the registry of snippets', () => {
  const mine = { id: 'mine:one', label: 'One', icon: '', getCode: () => ({ imports: [], body: '1' }) };

  it('takes those of other extensions, until they are disposed', () => {
    const registry = new SnippetRegistry();
    const changed = vi.fn();
    registry.changed.connect(changed);
    const handle = registry.add(mine);
    expect(() => registry.add(mine)).toThrow('mine:one');
    registry.personal = [{ ...mine, id: 'settings:x' }];
    expect(registry.snippets.map(({ id }) => id)).toEqual(['mine:one', 'settings:x']);
    handle.dispose();
    handle.dispose();
    expect(registry.snippets.map(({ id }) => id)).toEqual(['settings:x']);
    expect(changed).toHaveBeenCalledTimes(3);
  });

  it('survives one that fails', () => {
    vi.spyOn(console, 'error').mockReturnValue();
    const bad = {
      ...mine,
      getCode: () => {
        throw new Error('wrong');
      }
    };
    const ids = snippetsFor(select(visitImage, exposure), [bad]).map(({ id }) => id);
    expect(ids).toContain('whole');
    expect(ids).not.toContain('mine:one');
  });
});
