/**
 * The room of state without DOM: what is known, what is being asked for, what went wrong.
 */

export * from './butler';
export * from './cellmetadata';
export * from './datasets';
export * from './details';
export * from './filters';
export * from './format';
export * from './holdings';
export * from './known';
export * from './link';
export * from './marks';
export * from './memory';
export * from './notices';
export * from './picking';
export * from './places';
export * from './requests';
export * from './resource';
export * from './rows';
export * from './search';
export * from './selection';
export * from './slices';
export * from './summary';
export * from './targets';
export * from './tree';
export * from './watch';
export * from './where';
