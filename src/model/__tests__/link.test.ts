import { describe, expect, it } from 'vitest';

import { type IView, linkText, linkTo, NO_FILTER, viewOf } from '..';

const WHOLE: IView = {
  kind: 'personal',
  label: 'dp2 & more?',
  collection: 'u/me/a+b c',
  datasetType: 'visit_image',
  filter: { ...NO_FILTER, data_id: { band: ['r'], visit: [5] }, where: "visit.name = 'a&b'" },
  ids: ['id-1', 'id-2']
};

describe('a view as text', () => {
  it.each<[string, IView]>([
    ['all its parts', WHOLE],
    [
      'a repository only',
      {
        kind: 'official',
        label: 'dp2',
        collection: undefined,
        datasetType: undefined,
        filter: null,
        ids: []
      }
    ]
  ])('comes back with %s', (_, view) => {
    expect(viewOf(linkText(view))).toEqual(view);
  });

  it('names a few of many chosen datasets, since addresses have an end', () => {
    const ids = Array.from({ length: 50 }, (_, index) => `id-${index}`);
    expect(viewOf(linkText({ ...WHOLE, ids }))?.ids).toEqual(ids.slice(0, 20));
  });

  it.each(['', 'dp2', 'somebody:dp2', 'official:'])('is none if it is “%s”', text => {
    expect(viewOf(text)).toBeNull();
  });

  it.each(['{', '[]', '"r"', 'null', '3'])('has no filter if that is %s', filter => {
    expect(viewOf(`official:dp2?filter=${encodeURIComponent(filter)}`)?.filter).toBeNull();
  });

  it('fills in what its filter leaves out', () => {
    const text = `official:dp2?filter=${encodeURIComponent('{"where":"visit > 5"}')}`;
    expect(viewOf(text)?.filter).toEqual({ ...NO_FILTER, where: 'visit > 5' });
  });

  it('takes a label that is no proper address as it is written', () => {
    expect(viewOf('official:100%')?.label).toBe('100%');
  });
});

describe('the address of a view', () => {
  const view: IView = { kind: 'official', label: 'dp2', collection: 'u/me' };

  it('leaves out what the page had in its own', () => {
    const url = 'https://example.org/lab?token=secret&butler=old#cell';
    const address = new URL(linkTo(view, { url, hubPrefix: null }));
    expect(address.origin + address.pathname).toBe('https://example.org/lab');
    expect([...address.searchParams.keys()]).toEqual(['butler']);
    expect(address.hash).toBe('');
    expect(viewOf(address.searchParams.get('butler')!)).toMatchObject(view);
  });

  it('is of use to others on a hub', () => {
    const url = 'https://example.org/nb/user/me/lab?token=secret';
    const address = new URL(linkTo(view, { url, hubPrefix: '/nb/' }));
    expect(address.pathname).toBe('/nb/user-redirect/lab');
  });
});
