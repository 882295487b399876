// Imports run one way: api <- model <- panel, viewer, insert, complete <- index.
const rooms = { upper: '^src/(panel|viewer|insert|complete)/' };

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }
    },
    {
      name: 'api-is-the-ground-floor',
      severity: 'error',
      from: { path: '^src/api/' },
      to: { path: '^src/', pathNot: '^src/api/' }
    },
    {
      name: 'model-stands-on-api',
      severity: 'error',
      from: { path: '^src/model/' },
      to: { path: '^src/', pathNot: '^src/(api|model)/' }
    },
    {
      name: 'model-has-no-DOM',
      comment: 'State is tested without a page, and outlives the widgets that show it.',
      severity: 'error',
      from: { path: '^src/(api|model)/', pathNot: '/__tests__/' },
      to: {
        path: 'node_modules/(react|react-dom|@lumino/widgets|@jupyterlab/(ui-components|apputils|application|notebook))/'
      }
    },
    {
      name: 'upper-rooms-are-neighbours',
      comment: 'They are wired together in index.ts, and may see each other by type only.',
      severity: 'error',
      from: { path: '^src/(panel|viewer|insert|complete)/' },
      to: { path: rooms.upper, pathNot: '^src/$1/', dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'nothing-imports-index',
      severity: 'error',
      from: { path: '^src/.+/' },
      to: { path: '^src/index\\.ts$' }
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'browser', 'types', 'default']
    }
  }
};
