import { geoCircle, geoPath } from 'd3-geo';

import type { SkyCircle } from '../api';
import type { IFootprint } from './footprints';
import { type IScene, paintChosen } from './painting';
import type { Point } from './projection';

/** What changes too often to draw the whole map for it. */
export interface IOverlay {
  readonly chosen: readonly IFootprint[];
  readonly marked: readonly IFootprint[];
  /** The circle that the list is narrowed to. */
  readonly near: SkyCircle | null;
  /** The circle that is being drawn. */
  readonly circle: SkyCircle | null;
  readonly lasso: readonly Point[];
}

/** Draw it, over a scene as it is shown. */
export function paintOverlay(canvas: HTMLCanvasElement, scene: IScene, overlay: IOverlay): void {
  const { projection, paints } = scene;
  const { width, height } = projection.view;
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext('2d');
  if (!context) {
    return;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  paintChosen(context, projection, overlay.chosen, paints.chosen, paints.sky, 0.35);
  paintChosen(context, projection, overlay.marked.slice(0, 1), paints.marked, paints.sky, 0.1);
  for (const [circle, dash] of [
    [overlay.near, [6, 4]],
    [overlay.circle, []]
  ] as const) {
    if (circle) {
      const shape = geoCircle().center([circle.ra, circle.dec]).radius(Math.max(circle.radius, 1e-6))();
      context.beginPath();
      geoPath(projection.d3(), context)(shape);
      context.setLineDash([...dash]);
      context.lineWidth = 2;
      context.strokeStyle = paints.marked;
      context.stroke();
      context.setLineDash([]);
    }
  }
  if (overlay.lasso.length > 1) {
    context.beginPath();
    overlay.lasso.forEach(([x, y], index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
    context.setLineDash([4, 3]);
    context.lineWidth = 1.5;
    context.strokeStyle = paints.marked;
    context.stroke();
    context.setLineDash([]);
  }
}
