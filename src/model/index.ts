/**
 * The room of state without DOM: what is known, what is being asked for, what went wrong.
 */

export * from './butler';
export * from './datasets';
export * from './details';
export * from './format';
export * from './memory';
export * from './notices';
export * from './picking';
export * from './requests';
export * from './resource';
export * from './rows';
export * from './selection';
export * from './tree';
export * from './watch';
