/**
 * The room that talks to the backend: types, client, streams. It imports nothing else of ours.
 */

export * from './client';
export { AbortedError, ApiError, reportOf } from './errors';
export * from './types';
