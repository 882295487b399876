/**
 * The room that talks to the backend: types, client, streams. It imports nothing else of ours.
 */

export * from './types';
