/** The package has no types of its own; this is what is used of it. */
declare module 'd3-geo-projection' {
  import type { GeoProjection } from 'd3-geo';

  export function geoHammer(): GeoProjection;
}
