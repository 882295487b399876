// Runs of pipelines, which somebody prepares and starts in a terminal: how far they are, what failed and why,
// their logs, and the way to their outputs.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import { serious } from '../accessibility';
import { newNotebook, runActiveCell, useTheme, widenSidebar } from '../lab';
import { find, openPanel } from '../panel';
import { expect, test } from '../platform';

const IMAGES = process.env.SCREENSHOTS ?? join(__dirname, '../test-results/screenshots');

// Two images are really measured.
test.slow();

/** The example's first task, which waits for a file and fails on one detector. */
const TASK = `import os, time
from pathlib import Path
from python_butler.example_pipeline import DetectSourcesTask

class FragileTask(DetectSourcesTask):
    def runQuantum(self, butlerQC, inputRefs, outputRefs):
        while not Path(os.environ["GO"]).exists():
            time.sleep(0.1)
        if butlerQC.quantum.dataId["detector"] == 93:
            raise RuntimeError("The sky of detector 93 has fallen.")
        super().runQuantum(butlerQC, inputRefs, outputRefs)
`;

/** What a person would type in a terminal, in the environment of a kernel. */
function typed(directory: string, command: string, isAwaited = true): string {
  return `import os, shlex, subprocess
place = ${JSON.stringify(directory)}
environment = os.environ | {"PYTHONPATH": place, "GO": place + "/go"}
words = shlex.split(${JSON.stringify(command)})
${
  isAwaited
    ? `done = subprocess.run(words, env=environment, capture_output=True, text=True)
print("exit", done.returncode, done.stdout, done.stderr)`
    : `subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print("begun")`
}`;
}

/** Pictures of what is there, in both themes, in which everybody can read and hear what is in one place. */
async function picture(page: Page, name: string, place: string): Promise<void> {
  for (const theme of ['Dark', 'Light'] as const) {
    await useTheme(page, `JupyterLab ${theme}`);
    // JupyterLab covers everything while a theme is loaded for the first time.
    await expect(page.locator('#jupyterlab-splash')).toHaveCount(0);
    await page.screenshot({ path: join(IMAGES, `${name}-${theme.toLowerCase()}.png`) });
    expect(await serious(page, place)).toEqual([]);
  }
}

test('a run is followed while it works, its failure is explained, and its outputs are shown', async ({
  newLab: lab,
  newPlatform: platform
}) => {
  const work = join(platform.directory, 'work');
  const prepare =
    `satellite run prepare ${work} --label dp2 --name mysources --pipeline fragile.FragileTask ` +
    `--where "instrument = 'LSSTCam' AND visit = 2025072100601 AND detector IN (91, 93)"`;
  await writeFile(join(platform.directory, 'fragile.py'), TASK);
  await lab.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const copied = (): Promise<string> => lab.evaluate(() => navigator.clipboard.readText());
  const runs = (): Locator => lab.getByRole('region', { name: 'Pipeline runs' });

  const panel = await openPanel(lab);
  await widenSidebar(lab, 380);
  await expect(runs()).toBeHidden();

  await test.step('one that was prepared is there by itself, in one line', async () => {
    await newNotebook(lab, [typed(platform.directory, prepare)]);
    expect(await runActiveCell(lab)).toContain('exit 0');
    const head = runs().getByRole('button', { name: 'Pipeline runs 1 run' });
    await expect(head).toHaveAttribute('aria-expanded', 'false');
    await head.press('Enter');
    await expect(runs().getByRole('listitem')).toContainText('Prepared, not started · 2 quanta');
    await head.press('Enter');
  });

  await test.step('while it works the list is open, as the person left it or by itself', async () => {
    await newNotebook(lab, [typed(platform.directory, `satellite run start ${work} -j 2`, false)]);
    expect(await runActiveCell(lab)).toContain('begun');
    const head = runs().getByRole('button', { name: 'Pipeline runs 1 working' });
    await head.press('Enter');
    await expect(runs()).toContainText('Working · 0 of 2 succeeded', { timeout: 60_000 });
    await picture(lab, 'runs-working', '.pb-Runs');
    await writeFile(join(platform.directory, 'go'), '');
  });

  await test.step('what failed is told without a reload', async () => {
    await expect(runs()).toContainText('1 of 2 succeeded, 1 failed · not collected', { timeout: 90_000 });
    await expect(runs().getByRole('progressbar', { name: 'detectSources' })).toHaveAttribute(
      'aria-valuetext',
      '1 of 2 succeeded, 1 failed'
    );
  });

  const report = lab.locator('.pb-RunReport');
  await test.step('the report says what, why, and what to type', async () => {
    await runs().getByRole('button', { name: 'Report: mysources' }).press('Enter');
    await expect(report.getByRole('heading', { name: '1 failure' })).toBeVisible();
    const failure = report.locator('.pb-Failure');
    await expect(failure).toContainText('detector=93');
    await expect(failure).toContainText('The sky of detector 93 has fallen.');
    await expect(report.getByRole('button', { name: 'Show outputs' })).toHaveCount(0);
    await picture(lab, 'runs-report', '.pb-RunReport');
    await failure.getByRole('button', { name: /^Copy command to rerun/ }).click();
    expect(await copied()).toMatch(new RegExp(`^satellite run start ${work} --quantum [-0-9a-f]{36}$`));
    await report.getByRole('button', { name: /^Copy command: satellite run collect/ }).click();
    expect(await copied()).toBe(`satellite run collect ${work}`);
  });

  await test.step('the whole log is a document of its own', async () => {
    await report.getByRole('button', { name: /^Open log/ }).click();
    const log = lab.locator('.pb-RunLog');
    await expect(log.getByRole('region', { name: 'Log' })).toContainText('The sky of detector 93 has fallen.');
    await picture(lab, 'runs-log', '.pb-RunLog');
  });

  await test.step('once they are collected, the outputs are shown in the panel', async () => {
    await newNotebook(lab, [typed(platform.directory, `satellite run collect ${work} --inputs none`)]);
    expect(await runActiveCell(lab)).toContain('exit');
    await expect(runs()).toContainText('collected in part', { timeout: 30_000 });
    await runs().getByRole('button', { name: 'Show outputs: mysources' }).click();
    const row = panel.locator('.pb-Tree [role="treeitem"][tabindex="0"]');
    await expect(row).toHaveAccessibleName(/^(u\/me\/mysources\/)?\d{8}T\d+Z?\W/);
    await row.press('ArrowRight');
    await find(panel, 'example_source');
    await picture(lab, 'runs-outputs', '.pb-Runs');
  });
});
