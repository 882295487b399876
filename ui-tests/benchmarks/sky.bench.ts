// As many footprints on the sky map as it ever shows.
import { openPanel } from '../panel';
import { expect } from '../platform';
import { bench, report } from './figures';
import { awaitText, longestHold } from './measuring';

const ROUNDS = 5;

bench('20,000 footprints', async ({ lab }) => {
  await openPanel(lab);
  await lab.evaluate(() =>
    window.jupyterapp.commands.execute('python-butler:show-in-panel', {
      kind: 'official',
      label: 'dp2',
      collection: 'LSSTCam/runs/DRP/DP2/v30_0_8/scale',
      datasetType: 'visit_image'
    })
  );
  const sky = lab.locator('.pb-Sky');
  const coming = await longestHold(lab, async () => {
    await lab.evaluate(() => window.jupyterapp.commands.execute('python-butler:show-sky'));
    await awaitText(lab, '.pb-Sky .pb-Sky-summary', /^20,000 footprints/);
  });
  await expect(sky.locator('.pb-SkyMap[data-generation]')).toBeVisible();
  const times: number[] = [];
  const holds: number[] = [coming];
  for (let round = 0; round < ROUNDS; round++) {
    holds.push(
      await longestHold(lab, async () => {
        times.push(await sky.locator('.pb-SkyMap').evaluate(drawnAnew, round % 2 === 0 ? '+' : '-'));
      })
    );
  }
  await report('20,000 footprints drawn anew', times);
  // Never longer: the worst of all counts.
  await report('longest hold of the page, 20,000 footprints', [Math.max(...holds)]);
});

/** Milliseconds from a key that zooms until the whole map is drawn anew. */
async function drawnAnew(map: Element, key: string): Promise<number> {
  const overlay = map.querySelector('.pb-SkyMap-overlay')!;
  const drawn = new Promise<void>(resolve => {
    const observer = new MutationObserver(() => {
      observer.disconnect();
      resolve();
    });
    observer.observe(map, { attributeFilter: ['data-generation'] });
  });
  const begin = performance.now();
  overlay.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  await drawn;
  return performance.now() - begin;
}
