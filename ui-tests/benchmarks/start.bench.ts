// What the extension costs a page that has just been opened, before anybody clicks on anything.
import { reload } from '../lab';
import { bench, report } from './figures';

bench('what is loaded with the page', async ({ lab }) => {
  await reload(lab);
  const bytes = await lab.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => /\/extensions\/python-butler\/.*\.js/.test(name))
      .reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).decodedBodySize, 0)
  );
  await report('code loaded with the page', [bytes / 1000]);
});
