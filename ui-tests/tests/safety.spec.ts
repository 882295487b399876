// What must never reach the browser, looked for in everything that it receives.
import { newNotebook, runActiveCell } from '../lab';
import { CHAIN, OFFICIAL, chooseType, datasets, find, openPanel } from '../panel';
import { expect, test } from '../platform';

test('neither the token nor a signed address reaches the page', async ({ lab, platform, received }) => {
  const panel = await openPanel(lab);
  await newNotebook(lab, [
    'from lsst.daf.butler import Butler\nbutler = Butler("dp2", collections="dp2")\nprint(butler.query_datasets("visit_image", limit=1))'
  ]);
  await runActiveCell(lab);
  await chooseType(panel, [OFFICIAL, CHAIN], 'visit_image');
  await datasets(panel).first().click();
  await expect(panel.getByText('VisitImage', { exact: true })).toBeVisible();
  await platform.tell('stop-server');
  try {
    await lab.evaluate(() => window.jupyterapp.commands.execute('python-butler:refresh'));
    await expect(await find(panel, OFFICIAL)).toHaveAccessibleName(/offline/);
  } finally {
    await platform.tell('start-server');
  }
  const token = await platform.tell('token');
  const texts = await received.all();
  // The listening itself works: names of datasets have come.
  expect(texts.some(text => text.includes('visit_image'))).toBe(true);
  // What streams told is among it, rows of the list too.
  expect(received.streams.some(text => text.includes('"rows"'))).toBe(true);
  for (const secret of [token, 'X-Amz-Signature', 'Signature=', 'AWSAccessKeyId']) {
    const where = texts.filter(text => text.includes(secret) && (secret === token || !isCode(text)));
    expect(where.map(text => text.slice(0, 300))).toEqual([]);
  }
});

/** JavaScript of JupyterLab itself may name what it never receives. */
function isCode(text: string): boolean {
  return text.includes('__webpack_require__') || text.includes('webpackChunk');
}
