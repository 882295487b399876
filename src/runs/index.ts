/**
 * The room of runs: pipelines that were prepared, how far they are, what failed and why.
 */

export * from './followed';
export * from './strip';
export * from './words';
