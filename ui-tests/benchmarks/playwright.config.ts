import base from '../playwright.config';

/** The figures of the sidebar: not tests, but measured by the same means. */
export default {
  ...base,
  testDir: '.',
  testMatch: '*.bench.ts',
  outputDir: '../test-results/benchmarks',
  timeout: 900_000,
  use: { ...base.use, trace: 'off' as const, screenshot: 'off' as const }
};
