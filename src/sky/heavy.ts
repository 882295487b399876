/**
 * The part of the room that is loaded on demand.
 */

export { SkyModel } from './model';
export { SkyWidget } from './widget';
