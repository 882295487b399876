/**
 * The room of what notebooks use: which datasets are in which cells, and what became of them.
 */

export * from './cells';
export { UsedModel } from './model';
export * from './notes';
export { UsedWidget } from './widget';
