// Images in the viewer: coloured, zoomed, read out, with their mask, and cut out into a notebook.
import type { Locator, Page } from '@playwright/test';
import { join } from 'node:path';

import { cells, newNotebook, runActiveCell, sources, useTheme } from '../lab';
import { CHAIN, OFFICIAL, chooseType, datasets, openPanel } from '../panel';
import { expect, test } from '../platform';

const SHOTS = join(__dirname, '../test-results/screenshots');

/** The image in front. */
function image(page: Page): Locator {
  return page.locator('.pb-ViewerPanel:not(.lm-mod-hidden) .pb-Image');
}

/** A sum over the colours of what is drawn, and which part of the window is drawn at all. */
async function drawn(canvas: Locator): Promise<{ sum: number; part: number }> {
  return canvas.evaluate((element: HTMLCanvasElement) => {
    const { data } = element.getContext('2d')!.getImageData(0, 0, element.width, element.height);
    let [sum, count] = [0, 0];
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3]! > 0) {
        count += 1;
        sum = (sum + data[at]! * 3 + data[at + 1]! * 5 + data[at + 2]! * 7 + at) % 1_000_000_007;
      }
    }
    return { sum, part: (4 * count) / data.length };
  });
}

/** Everything that is wanted has come. */
async function settled(page: Page): Promise<void> {
  await expect(image(page).locator('.pb-Image-middle')).toHaveAttribute('aria-busy', 'false');
  await expect(image(page).locator('.pb-Notice')).toHaveCount(0);
  await expect
    .poll(async () => (await drawn(image(page).locator('canvas').first())).part)
    .toBeGreaterThan(0.3);
}

async function open(page: Page, datasetType: string): Promise<void> {
  const panel = await openPanel(page);
  await chooseType(panel, [OFFICIAL, CHAIN], datasetType);
  await datasets(panel).first().dblclick();
  await expect(image(page).getByRole('application')).toBeVisible();
  await settled(page);
}

async function shots(page: Page, name: string): Promise<void> {
  for (const theme of ['Light', 'Dark'] as const) {
    await useTheme(page, `JupyterLab ${theme}`);
    await page.screenshot({ path: join(SHOTS, `image-${name}-${theme.toLowerCase()}.png`) });
  }
  await useTheme(page, 'JupyterLab Light');
}

test('a coadd is looked at from all of it down to single pixels', async ({ lab }) => {
  // Many pictures, each looked at in two themes.
  test.slow();
  await newNotebook(lab, ['x = 1']);
  await open(lab, 'deep_coadd');
  const stage = image(lab).getByRole('application', { name: 'Image of deep_coadd' });
  const canvas = image(lab).locator('canvas').first();

  await test.step('all of it is shown, and what is left out is said', async () => {
    await expect(image(lab)).toContainText(/1 of \d pixels each way, averaged/);
    await expect(image(lab).locator('.pb-Image-compass')).toContainText('N');
    await shots(lab, 'coadd');
  });

  await test.step('scale, limits and colours change the picture at once, and ask the server for nothing', async () => {
    let asked = 0;
    lab.on('request', request => (asked += request.url().includes('/region') ? 1 : 0));
    let before = (await drawn(canvas)).sum;
    for (const [label, option] of [
      ['Scale', 'Logarithm'],
      ['Limits', 'Zscale'],
      ['Colours', 'Magma']
    ] as const) {
      await image(lab).getByLabel(label, { exact: true }).selectOption(option);
      await expect.poll(async () => (await drawn(canvas)).sum).not.toBe(before);
      before = (await drawn(canvas)).sum;
    }
    await image(lab).getByRole('button', { name: 'Invert' }).click();
    await expect.poll(async () => (await drawn(canvas)).sum).not.toBe(before);
    await image(lab).getByRole('button', { name: 'Invert' }).click();
    expect(asked).toBe(0);
  });

  await test.step('limits can be set by hand', async () => {
    await image(lab).getByLabel('Limits', { exact: true }).selectOption('By hand');
    await image(lab).getByLabel('Upper limit').fill('1234');
    await image(lab).getByLabel('Upper limit').press('Enter');
    await expect(image(lab).locator('.pb-Image-bar')).toContainText('1234');
    await image(lab).getByLabel('Limits', { exact: true }).selectOption('99.8 %');
  });

  await test.step('the mask lies over it, with names and what they mean', async () => {
    await image(lab).getByRole('button', { name: 'Mask' }).click();
    const planes = image(lab).getByRole('group', { name: 'Mask planes' });
    await expect(planes.getByRole('checkbox', { name: /^DETECTED / })).toBeChecked();
    await expect(planes).toContainText('SATURATED');
    const mask = image(lab).locator('canvas').nth(1);
    await expect.poll(async () => (await drawn(mask)).part).toBeGreaterThan(0);
    await shots(lab, 'mask');
    await planes.getByRole('button', { name: 'None' }).click();
    await expect.poll(async () => (await drawn(mask)).part).toBe(0);
    await image(lab).getByRole('button', { name: 'Mask' }).click();
  });

  await test.step('zoomed in, it has full resolution', async () => {
    await image(lab).getByRole('button', { name: /^One pixel/ }).click();
    await expect(image(lab)).toContainText('Full resolution');
    await settled(lab);
    const box = (await stage.boundingBox())!;
    await lab.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    for (let step = 0; step < 8; step++) {
      await lab.mouse.wheel(0, -200);
    }
    await expect(image(lab).locator('.pb-Image-zoom')).toContainText('×');
    await settled(lab);
    await shots(lab, 'pixels');
  });

  await test.step('pulling it moves it', async () => {
    const box = (await stage.boundingBox())!;
    const before = (await drawn(canvas)).sum;
    await lab.mouse.move(box.x + 200, box.y + 200);
    await lab.mouse.down();
    await lab.mouse.move(box.x + 300, box.y + 250, { steps: 4 });
    await lab.mouse.up();
    await expect.poll(async () => (await drawn(canvas)).sum).not.toBe(before);
  });

  await test.step('what is seen is inserted as a cutout, which the kernel reads', async () => {
    await image(lab).getByRole('button', { name: 'Insert this cutout' }).click();
    await expect(cells(lab)).toHaveCount(2);
    const source = (await sources(lab)).join('\n');
    const [, y0, y1, x0, x1] = /Box\.factory\[(\d+):(\d+), (\d+):(\d+)\]/.exec(source)!.map(Number);
    const output = await runActiveCell(lab);
    expect(output).toMatch(new RegExp(`\\b${y1! - y0!}\\b.*\\b${x1! - x0!}\\b`));
  });

  await test.step('the circle around the middle is drawn before it is inserted, and read by the kernel', async () => {
    await lab.locator('.lm-TabBar-tab', { hasText: /^deep_coadd/ }).first().click();
    const button = image(lab).getByRole('button', { name: 'Insert circle' });
    await button.hover();
    await expect(image(lab).locator('.pb-Image-circle').first()).toBeVisible();
    await shots(lab, 'circle');
    await button.click();
    await expect(cells(lab)).toHaveCount(3);
    const [, radius] = /Angle\(([\d.]+), "arcsec"\)/.exec((await sources(lab))[2]!)!.map(Number);
    const [height, width] = (await runActiveCell(lab)).match(/\d+/g)!.map(Number);
    // A coadd has pixels of a fifth of an arcsecond.
    for (const side of [height!, width!]) {
      expect(Math.abs(side - (2 * radius!) / 0.2)).toBeLessThanOrEqual(3);
    }
  });
});

test('a visit image is read out by pointer and by keyboard, as the library reads it', async ({ lab }) => {
  await newNotebook(lab, ['x = 1']);
  await open(lab, 'visit_image');
  const stage = image(lab).getByRole('application');
  const readout = image(lab).locator('.pb-Image-reading');

  await test.step('the pointer tells pixel, value and position', async () => {
    const box = (await stage.boundingBox())!;
    await lab.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await expect(readout).toContainText(/x \d+/);
    await expect(readout).toContainText('nJy');
    await expect(readout).toContainText(/RA, Dec \d+\.\d{6}, [−+]\d+\.\d{6}/);
  });

  await test.step('arrow keys move a cursor, which is spoken', async () => {
    await stage.focus();
    const x = async (): Promise<number> => Number(/x (\d+)/.exec((await readout.textContent())!)![1]);
    const before = await x();
    await lab.keyboard.press('ArrowRight');
    await expect.poll(x).toBe(before + 1);
    await lab.keyboard.press('Shift+ArrowLeft');
    await expect.poll(x).toBe(before - 9);
    await expect(image(lab).locator('.pb-Image-spoken')).toContainText('right ascension');
  });

  await test.step('and it is what the library finds there', async () => {
    const text = (await readout.textContent())!;
    const [, x, y] = /x (\d+)\s*y (-?\d+)/.exec(text)!.map(Number);
    const value = Number(/value (\S+)/.exec(text)![1]);
    const [, ra, dec] = /RA, Dec (\S+), (\S+?)\s/.exec(text)!;
    const truth = await lab.evaluate(
      () => document.querySelector('.pb-ViewerPanel:not(.lm-mod-hidden)')?.id ?? ''
    );
    const id = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(truth)![0];
    await lab.evaluate(() => {
      const app = window.jupyterapp;
      for (const widget of app.shell.widgets('main')) {
        if (widget.title.label.endsWith('.ipynb')) {
          app.shell.activateById(widget.id);
        }
      }
    });
    await lab.evaluate(
      ([uuid, column, row]) => {
        const panel = window.jupyterapp.shell.currentWidget as unknown as {
          context: { model: { sharedModel: { cells: { setSource(text: string): void }[] } } };
        };
        panel.context.model.sharedModel.cells[0]!.setSource(
          [
            'import uuid',
            'from lsst.daf.butler import Butler',
            `butler = Butler("dp2")`,
            `image = butler.get(butler.get_dataset(uuid.UUID("${uuid}")))`,
            `sky = image.sky_projection.pixel_to_sky(x=${column}, y=${row})`,
            `y0, x0 = image.bbox.start`,
            `print(float(image.image.array[${row} - y0, ${column} - x0]), sky.ra.deg, sky.dec.deg)`
          ].join('\n')
        );
      },
      [id, x!, y!] as const
    );
    const [trueValue, trueRa, trueDec] = (await runActiveCell(lab)).trim().split(' ').map(Number);
    expect(value).toBeCloseTo(trueValue!, 2);
    // A twentieth of a pixel, and the last digit shown.
    expect(Math.abs(Number(ra) - trueRa!)).toBeLessThan(3e-6);
    expect(Math.abs(Number(dec!.replace('−', '-')) - trueDec!)).toBeLessThan(3e-6);
  });
});

test('other planes and other images have looks of their own', async ({ lab }) => {
  await open(lab, 'visit_image');
  const canvas = image(lab).locator('canvas').first();

  await test.step('variance and background', async () => {
    const before = (await drawn(canvas)).sum;
    await image(lab).getByLabel('Plane').selectOption('Variance');
    await settled(lab);
    await expect(image(lab).getByLabel('Colours', { exact: true })).toHaveValue('viridis');
    await expect.poll(async () => (await drawn(canvas)).sum).not.toBe(before);
    await image(lab).getByLabel('Plane').selectOption('Background: standard');
    await settled(lab);
    await shots(lab, 'background');
  });

  await test.step('a difference image', async () => {
    await open(lab, 'difference_image');
    await shots(lab, 'difference');
  });
});
