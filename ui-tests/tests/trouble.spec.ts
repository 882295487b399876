// What a person sees when something is wrong, and that it gets well again without a reload.
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { newNotebook, openLab, runActiveCell } from '../lab';
import { CHAIN, OFFICIAL, chooseType, datasets, expand, find, openPanel, treeRow } from '../panel';
import { expect, Platform, test } from '../platform';

test('a stopped server is told within seconds, and Retry brings everything back', async ({ lab, platform }) => {
  const panel = await openPanel(lab);
  await expect(treeRow(panel, OFFICIAL)).toHaveAccessibleName(/connected/);
  await platform.tell('stop-server');
  try {
    await lab.evaluate(() => window.jupyterapp.commands.execute('python-butler:refresh'));
    await expect(treeRow(panel, OFFICIAL)).toHaveAccessibleName(/offline/, { timeout: 15_000 });
    await expand(panel, OFFICIAL);
    // In a panel of the usual width the whole text and the button can be seen.
    await expect(panel.getByText(/cannot be reached/)).toBeInViewport({ ratio: 1 });
    await expect(panel.getByRole('button', { name: 'Retry' }).first()).toBeInViewport({ ratio: 1 });
    // The rest of JupyterLab works on.
    await newNotebook(lab, ['print(6 * 7)']);
    expect(await runActiveCell(lab)).toContain('42');
  } finally {
    await platform.tell('start-server');
  }
  await panel.getByRole('button', { name: 'Retry' }).first().click();
  await expect(treeRow(panel, OFFICIAL)).toHaveAccessibleName(/connected/);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  await expect(datasets(panel).first()).toBeVisible();
});

test('a token that is not accepted is named, with what to do', async ({ lab, platform }) => {
  const panel = await openPanel(lab);
  await expect(treeRow(panel, OFFICIAL)).toHaveAccessibleName(/connected/);
  await platform.tell('wrong-token');
  try {
    await lab.evaluate(() => window.jupyterapp.commands.execute('python-butler:refresh'));
    await expect(treeRow(panel, OFFICIAL)).toHaveAccessibleName(/token not accepted/);
    await expand(panel, OFFICIAL);
    await expect(panel.getByText(/Log in to the platform again/)).toBeVisible();
  } finally {
    await platform.tell('right-token');
  }
  await panel.getByRole('button', { name: 'Retry' }).first().click();
  await expect(treeRow(panel, OFFICIAL)).toHaveAccessibleName(/connected/);
});

test('a server that is slow or busy is waited for in sight, until a person has enough of it', async ({
  lab,
  platform
}) => {
  const panel = await openPanel(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  await expect(datasets(panel).first()).toBeVisible();
  const notice = panel.locator('.pb-Datasets .pb-Notice');
  try {
    await test.step('one that does not answer', async () => {
      await platform.trouble('server', { path: 'query', hang: true });
      await (await find(panel, 'deep_coadd')).click();
      await expect(notice).toHaveText(/^Loading deep_coadd …/);
      await notice.getByRole('button', { name: 'Stop' }).click();
      await expect(notice).toContainText('Loading deep_coadd was stopped.');
    });

    await test.step('one that asks to come back later', async () => {
      await platform.tell('calm');
      await platform.trouble('server', { path: 'query', status: 429, headers: { 'retry-after': '5' } });
      await notice.getByRole('button', { name: 'Load' }).click();
      await expect(notice).toContainText(/The server is busy.*Asking again in [1-5] s/);
      await notice.getByRole('button', { name: 'Stop' }).click();
      await expect(notice).toContainText('Loading deep_coadd was stopped.');
    });
  } finally {
    await platform.tell('calm');
  }
  await notice.getByRole('button', { name: 'Load' }).click();
  await expect(datasets(panel).first()).toBeVisible();
});

test('a label that its server does not know is told, and gone once the index is mended', async ({ lab, platform }) => {
  const index = await readFile(platform.index, 'utf8');
  await writeFile(platform.index, index + index.replaceAll('dp2', 'dp9'));
  try {
    const panel = await openPanel(lab);
    await expect(treeRow(panel, 'dp9, official')).toHaveAccessibleName(/in error/);
    await expand(panel, 'dp9, official');
    await expect(panel.getByText(/does not serve dp9/)).toBeInViewport({ ratio: 1 });
    await expect(treeRow(panel, OFFICIAL)).toHaveAccessibleName(/connected/);
    await writeFile(platform.index, index);
    await lab.evaluate(() => window.jupyterapp.commands.execute('python-butler:refresh'));
    await expect(treeRow(panel, 'dp9, official')).toHaveCount(0);
    await expect(treeRow(panel, OFFICIAL)).toHaveAccessibleName(/connected/);
  } finally {
    await writeFile(platform.index, index);
  }
});

test('a kernel is told the same in words', async ({ lab, platform }) => {
  await newNotebook(lab, [
    'import python_butler\ntry:\n    python_butler.open("nowhere")\nexcept Exception as error:\n    print(error)',
    'try:\n    python_butler.open("dp2", collections="dp2").query_datasets("object")\nexcept Exception as error:\n    print(error)'
  ]);
  expect(await runActiveCell(lab)).toMatch(/no official repository with the label 'nowhere'.*Known labels: dp2/s);
  await platform.tell('stop-server');
  try {
    await lab.evaluate(() => {
      const current = window.jupyterapp.shell.currentWidget as import('@jupyterlab/notebook').NotebookPanel;
      current.content.activeCellIndex = 1;
    });
    expect(await runActiveCell(lab)).toMatch(/cannot be reached/);
  } finally {
    await platform.tell('start-server');
  }
});

test.describe('without an environment for the backend', () => {
  const COMMAND = 'start-backend';

  test('the panel says what is missing, and works as soon as it is there', async ({ page }) => {
    test.setTimeout(180_000);
    const platform = await Platform.start(COMMAND);
    try {
      await openLab(page, platform.labUrl);
      const panel = await openPanel(page);
      const message = panel.getByText(/backend's command '.*start-backend' cannot be run: No such file/);
      await expect(message).toBeInViewport({ ratio: 1 });
      await expect(panel.getByText(/Correct PythonButler\.backend_command/)).toBeInViewport({ ratio: 1 });
      // The rest of JupyterLab works on.
      await newNotebook(page, ['print(6 * 7)']);
      expect(await runActiveCell(page)).toContain('42');

      const command = join(platform.directory, COMMAND);
      await writeFile(`${command}.new`, '#!/bin/sh\nexec python -P -m python_butler.backend "$@"\n');
      await chmod(`${command}.new`, 0o755);
      await rename(`${command}.new`, command);
      // It may have looked again by itself, and the button be gone.
      const retry = panel.getByRole('button', { name: 'Retry' });
      await retry.or(treeRow(panel, OFFICIAL)).first().click();
      await expect(treeRow(panel, OFFICIAL)).toHaveAccessibleName(/connected/, { timeout: 60_000 });
      await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
      await expect(datasets(panel).first()).toBeVisible();
    } finally {
      await page.evaluate(() => window.jupyterapp.serviceManager.sessions.shutdownAll());
      await platform.close();
    }
  });
});
