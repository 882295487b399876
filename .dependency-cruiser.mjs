// Imports run one way: trans <- api <- model <- the upper rooms <- tokens <- plugins <- index.
const names = 'panel|query|viewer|sky|jobs|insert|complete|notebook';
const rooms = { upper: `^src/(${names})/` };

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
      to: { path: '^src/', pathNot: '^src/(api/|trans\\.ts)' }
    },
    {
      name: 'python-stands-alone',
      comment: 'Reading and writing Python has to do with text only.',
      severity: 'error',
      from: { path: '^src/python/', pathNot: '/__tests__/' },
      to: { path: '^(src/(?!python/)|node_modules)', dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'model-stands-on-api',
      severity: 'error',
      from: { path: '^src/model/' },
      to: { path: '^src/', pathNot: '^src/((api|model)/|trans\\.ts)' }
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
      comment: 'They are wired together in plugins/, and may see each other by type only.',
      severity: 'error',
      from: { path: rooms.upper },
      to: { path: rooms.upper, pathNot: '^src/$1/', dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'nothing-imports-index',
      severity: 'error',
      from: { path: '^src/.+/', pathNot: '/__tests__/' },
      to: { path: '^src/index\\.ts$' }
    },
    {
      name: 'rooms-know-no-plugins',
      severity: 'error',
      from: { path: '^src/.+/', pathNot: '^src/plugins/' },
      to: { path: '^src/(plugins/|tokens\\.ts)', dependencyTypesNot: ['type-only'] }
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
