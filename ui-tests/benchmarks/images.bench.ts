// An image as it is looked at: it comes, its colours are changed, it is zoomed and pulled about.
import type { Locator, Page } from '@playwright/test';

import { expect } from '../platform';
import { bench, report } from './figures';
import { longestHold, longestWork } from './measuring';

const ROUNDS = 5;

/** What is opened in turn: one of many cells, and one of a detector, both with a mask; in runs with files. */
const COADDS = ['LSSTCam/runs/DRP/DP2/v30_0_8/stage3/20260211T031930Z', 'deep_coadd'] as const;
const VISITS = ['LSSTCam/runs/DRP/DP2/v30_0_8/stage2/20260128T070215Z', 'visit_image'] as const;

const IMAGE = '.pb-ViewerPanel:not(.lm-mod-hidden) .pb-Image';

bench('an image is opened and looked at', async ({ lab }) => {
  // One after the other: a repository lists for one at a time.
  const ids = [await idsOf(lab, ...COADDS), await idsOf(lab, ...VISITS)];
  const image = lab.locator(IMAGE);
  const holds: number[] = [];
  const works: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const id = ids[round % ids.length]![Math.floor(round / ids.length)]!;
    works.push(
      await longestWork(lab, async () => {
        holds.push(await longestHold(lab, () => lookAt(lab, id)));
      })
    );
    await expect(image.getByLabel('Colours', { exact: true })).toHaveValue('magma');
    await expect(image.getByRole('checkbox', { name: /^DETECTED / })).toBeChecked();
    await expect(image).toContainText('Full resolution');
  }
  // Never longer: the worst of all rounds counts.
  await report('longest hold of the page, an image', [Math.max(...holds)]);
  await report('longest work of the page, an image', works);
});

/** Do to one dataset what a person does. */
async function lookAt(lab: Page, id: string): Promise<void> {
  await lab.evaluate(dataset => {
    const which = { kind: 'official', label: 'dp2', id: dataset };
    void window.jupyterapp.commands.execute('python-butler:open-dataset', which);
  }, id);
  await lab.waitForFunction(where => document.querySelector(where) !== null, `${IMAGE}-stage`, LOOKING);
  await rest(lab);
  for (const [label, value] of [
    ['Scale', 'log'],
    ['Colours', 'magma'],
    ['Limits', 'zscale']
  ] as const) {
    await choose(lab, label, value);
    await rest(lab);
  }
  await lab.evaluate(showMask, IMAGE);
  await rest(lab);
  for (const direction of [-1, 1, -1]) {
    await lab.evaluate(zoom, [IMAGE, direction] as const);
    await rest(lab);
  }
  await pull(lab, lab.locator(`${IMAGE}-stage`));
  await rest(lab);
}

/** Little looks from within the page, as in `awaitText`. */
const LOOKING = { polling: 20, timeout: 120_000 };

/** Wait until all that is seen has come, and is drawn. */
async function rest(lab: Page): Promise<void> {
  // In the next frame it is known what is missing.
  await lab.evaluate(letPass, 2);
  await lab.waitForFunction(
    where => document.querySelector(where)?.getAttribute('aria-busy') === 'false',
    `${IMAGE}-middle`,
    LOOKING
  );
  // More than there are tiles: they are coloured in one frame after the other.
  await lab.evaluate(letPass, 30);
}

async function letPass(frames: number): Promise<void> {
  for (let frame = 0; frame < frames; frame++) {
    await new Promise(resolve => requestAnimationFrame(resolve));
  }
}

async function choose(lab: Page, label: string, value: string): Promise<void> {
  await lab.evaluate(
    ([where, name, chosen]) => {
      const select = document.querySelector<HTMLSelectElement>(`${where} select[aria-label="${name}"]`)!;
      select.value = chosen;
      select.dispatchEvent(new Event('change', { bubbles: true }));
    },
    [IMAGE, label, value] as const
  );
}

function showMask(where: string): void {
  const buttons = [...document.querySelectorAll<HTMLElement>(`${where} button`)];
  buttons.find(({ textContent }) => textContent === 'Mask')!.click();
}

/** Turn the wheel in the middle of the image, a little in each frame. */
async function zoom([where, direction]: readonly [string, number]): Promise<void> {
  const stage = document.querySelector(`${where}-stage`)!;
  const { left, top, width, height } = stage.getBoundingClientRect();
  const place = { clientX: left + width / 2, clientY: top + height / 2 };
  for (let step = 0; step < 24; step++) {
    const event = { deltaY: 150 * direction, bubbles: true, cancelable: true, ...place };
    stage.dispatchEvent(new WheelEvent('wheel', event));
    await new Promise(resolve => requestAnimationFrame(resolve));
  }
}

async function pull(lab: Page, stage: Locator): Promise<void> {
  const { x, y, width, height } = (await stage.boundingBox())!;
  const from = { x: x + width / 2, y: y + height / 2 };
  await lab.mouse.move(from.x, from.y);
  await lab.mouse.down();
  await lab.mouse.move(from.x + 150, from.y + 100, { steps: 30 });
  await lab.mouse.up();
}

/** Identifiers of as many datasets of a type as there are rounds. */
async function idsOf(lab: Page, run: string, datasetType: string): Promise<string[]> {
  const answer = await lab.evaluate(async query => {
    const { baseUrl } = window.jupyterapp.serviceManager.serverSettings;
    return (await fetch(`${baseUrl}python-butler/api/repositories/official/dp2/datasets?${query}`)).text();
  }, `collection=${run}&dataset_type=${datasetType}&limit=${ROUNDS}`);
  const ids = new Set(answer.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g));
  expect(ids.size).toBeGreaterThanOrEqual(ROUNDS);
  return [...ids];
}
