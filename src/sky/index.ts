/**
 * The room of the sky map. What draws is heavy, and loaded when a map is opened.
 */

export type { ISkyActions, SkyWidget } from './widget';

/** Load what draws. */
export async function loadSky(): Promise<typeof import('./heavy')> {
  return import('./heavy');
}
