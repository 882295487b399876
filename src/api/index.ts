/**
 * The room that talks to the backend: types, client, streams. It imports nothing else of ours.
 */

export * from './client';
export * from './tables';
export * from './footprints';
export * from './images';
export * from './jobs';
export * from './transport';
export { AbortedError, ApiError, reportOf } from './errors';
export * from './query';
export * from './runs';
export * from './types';
export * from './used';
export * from './vocabulary';
export * from './viewer';
