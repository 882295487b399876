/**
 * The room of the sidebar: what the state looks like, and what keys and the pointer do to it.
 */

export * from './actions';
export * from './commands';
export { followKernels } from './kernels';
export * from './panel';
export * from './showing';
