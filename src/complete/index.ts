/**
 * The room that completes what is written: names and values of a repository in calls of its butlers.
 */

export { ButlerCompletionProvider } from './provider';
export { Words } from './words';
