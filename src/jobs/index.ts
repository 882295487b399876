/**
 * The room of jobs: long work on a person's own repository, agreed to, followed and accounted for.
 */

export * from './commands';
export * from './feed';
export * from './held';
export * from './jobs';
export * from './marks';
export * from './strip';
export { hasEnded, jobLine, jobName } from './words';
