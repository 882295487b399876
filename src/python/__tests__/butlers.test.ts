import { describe, expect, it } from 'vitest';

import { readNames } from '../butlers';

const IMPORT = 'from lsst.daf.butler import Butler\n';

function butlers(...sources: string[]): ReturnType<typeof readNames>['butlers'] {
  return readNames(sources).butlers;
}

describe('finding butlers in a notebook', () => {
  it.each([
    'butler = Butler("dp2", collections="dp2")',
    "butler = Butler('dp2', collections='dp2')",
    'butler = Butler(\n    "dp2",  # the release\n    collections=["dp2"],\n)',
    'butler: Butler = Butler("dp2", collections=("dp2",))',
    'butler = Butler.from_config("dp2", collections="dp2")',
    'butler = Butler(config="dp2", collections="dp2", instrument="LSSTCam")',
    'repo = "dp2"\nwhere = [repo]\nbutler = Butler(repo, collections=where)',
    '%matplotlib inline\nbutler = Butler("dp2", collections="dp2")',
    '%%time\nbutler = Butler("dp2", collections="dp2")',
    'if True:\n    butler = Butler("dp2", collections="dp2")',
    'x = 1; butler = Butler("dp2", collections="dp2")'
  ])('understands %s', source => {
    expect(butlers(IMPORT + source.replace(/^%%time\n/, ''), source)).toEqual([
      { name: 'butler', label: 'dp2', reads: 'official', collections: ['dp2'] }
    ]);
  });

  it.each([
    'import lsst.daf.butler as dafButler\nb = dafButler.Butler("dp2")',
    'import lsst.daf.butler\nb = lsst.daf.butler.Butler("dp2")',
    'from lsst.daf.butler import (\n    Butler as B,\n    DatasetRef,\n)\nb = B("dp2")',
    'from lsst.daf import butler\nb = butler.Butler("dp2")'
  ])('follows imports as in %s', source => {
    expect(butlers(source)).toEqual([{ name: 'b', label: 'dp2', reads: 'official', collections: [] }]);
  });

  it.each([
    'import python_butler\nb = python_butler.open("dp2", collections=["u/me/a", "dp2"])',
    'import python_butler as pb\nb = pb.open("dp2", collections=["u/me/a", "dp2"])',
    'from python_butler import open as open_butler\nb = open_butler("dp2", collections=["u/me/a", "dp2"])'
  ])('knows that %s reads both repositories', source => {
    expect(readNames([source])).toMatchObject({
      butlers: [{ name: 'b', label: 'dp2', reads: 'both', collections: ['u/me/a', 'dp2'] }],
      usesPythonButler: true
    });
  });

  it.each([
    '# butler = Butler("dp2")',
    'text = """\nbutler = Butler("dp2")\n"""',
    'def f():\n    butler = Butler("dp2")\n    return butler',
    '%%bash\nbutler = Butler("dp2")',
    'butler = Butler("dp2")\nbutler = None',
    'butler = Butler("dp2")\ndel butler',
    'butler = Butler(find())',
    'butler = Butler(f"dp{number}")',
    'ref = Butler("dp2").get_dataset(id)',
    'butler = open("dp2")',
    'found = f(butler=Butler("dp2"))'
  ])('is not fooled by %s', source => {
    expect(butlers(source)).toEqual([]);
  });

  it('says so if the default collections are not known', () => {
    expect(butlers('butler = Butler("dp2", collections=choose())')[0]?.collections).toBeNull();
  });

  it('follows a clone', () => {
    expect(
      butlers('a = Butler("dp2", collections="dp2")\nb = a.clone(collections="other")\nc = a.clone()')
    ).toEqual([
      { name: 'a', label: 'dp2', reads: 'official', collections: ['dp2'] },
      { name: 'b', label: 'dp2', reads: 'official', collections: ['other'] },
      { name: 'c', label: 'dp2', reads: 'official', collections: ['dp2'] }
    ]);
  });

  it('lists the names in use, and imports in a normal form', () => {
    const names = readNames([
      'import  uuid\na, b = 1, 2\nc = 3\ndef d(): e = 1',
      'from lsst.images import (Box)\ndel c'
    ]);
    expect([...names.taken].sort()).toEqual(['Box', 'a', 'b', 'd', 'uuid']);
    expect([...names.imports]).toEqual(['import uuid', 'from lsst.images import Box']);
  });

  it('survives code that is not finished', () => {
    expect(butlers('x = "abc\ny = (1,', IMPORT + 'butler = Butler("dp2"')).toEqual([]);
  });
});
