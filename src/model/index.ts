/**
 * The room of state without DOM: what is known, what is being asked for, what went wrong.
 */

export * from './selection';
