import { describe, expect, it } from 'vitest';

import type { Dataset } from '../../api';
import { RowSummary } from '../../model';
import { columnsOf as layOut, valueOf } from '../columns';

function columnsOf(dimensions: string[], rows: Dataset[]): ReturnType<typeof layOut> {
  const summary = new RowSummary();
  summary.take(rows);
  return layOut(dimensions, summary);
}

function row(dataId: Dataset['data_id']): Dataset {
  return { id: JSON.stringify(dataId), data_id: dataId, run: 'r' };
}

describe('the columns of a list', () => {
  it('leave out the instrument that all rows share, and name it once', () => {
    const rows = [row({ instrument: 'LSSTCam', visit: 1 }), row({ instrument: 'LSSTCam', visit: 2 })];
    expect(columnsOf(['instrument', 'visit'], rows)).toMatchObject({
      shown: ['visit'],
      common: [['instrument', 'LSSTCam']]
    });
  });

  it('show the instrument as soon as rows differ in it', () => {
    const rows = [row({ instrument: 'LSSTCam', visit: 1 }), row({ instrument: 'LATISS', visit: 2 })];
    expect(columnsOf(['instrument', 'visit'], rows)).toMatchObject({
      shown: ['instrument', 'visit'],
      common: []
    });
  });

  it('show the instrument if there is nothing else', () => {
    expect(columnsOf(['instrument'], [row({ instrument: 'LSSTCam' })]).shown).toEqual(['instrument']);
  });

  it('keep a visit that only happens to be the same so far', () => {
    const rows = [row({ instrument: 'LSSTCam', visit: 1, detector: 1 })];
    expect(columnsOf(['instrument', 'visit', 'detector'], rows).shown).toEqual(['visit', 'detector']);
  });

  it('are as wide as what is in them', () => {
    const rows = [row({ visit: 2025120200439, detector: 10 })];
    expect(columnsOf(['visit', 'detector'], rows).template).toBe('minmax(0, 13fr) minmax(0, 8fr)');
  });

  it('are the run for a dataset type without dimensions', () => {
    expect(columnsOf([], [row({})])).toMatchObject({ shown: ['run'], common: [] });
  });

  it('show the run where calibrations of different times share a data ID', () => {
    const rows = ['biasGen/a', 'biasGen/b'].map(run => ({ ...row({ detector: 10 }), id: run, run }));
    const { shown } = columnsOf(['detector'], rows);
    expect(shown).toEqual(['detector', 'run']);
    expect(rows.map(each => shown.map(name => valueOf(each, name)))).toEqual([
      ['10', 'biasGen/a'],
      ['10', 'biasGen/b']
    ]);
  });
});
