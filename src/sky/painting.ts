import { geoPath, type GeoPermissibleObjects } from 'd3-geo';

import type { RightAscensionUnit } from './coordinates';
import { geometryOf, type IFootprint } from './footprints';
import { ECLIPTIC, GALACTIC_PLANE, graticule } from './graticule';
import type { Point, SkyProjection } from './projection';
import { scaleBar } from './scalebar';
import type { Vector } from './vectors';

/** Colours and fonts of JupyterLab's theme. */
export interface IPaints {
  readonly background: string;
  readonly sky: string;
  readonly line: string;
  readonly text: string;
  readonly plane: string;
  readonly footprint: string;
  readonly chosen: string;
  readonly marked: string;
  readonly font: string;
}

/** What is drawn. */
export interface IScene {
  readonly projection: SkyProjection;
  readonly footprints: readonly IFootprint[];
  readonly unit: RightAscensionUnit;
  readonly paints: IPaints;
}

/** Footprints drawn between two looks at the clock. */
const SLICE = 400;

/** Wider ones, in radians, have sides that need bending. */
const BENT = 0.12;

/** Pixels below which a footprint is a dot. */
const DOT = 3;

/** Read the theme's colours where an element is. */
export function paintsOf(element: Element): IPaints {
  const style = getComputedStyle(element);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  return {
    background: value('--jp-layout-color1'),
    sky: value('--jp-layout-color0'),
    line: value('--jp-border-color2'),
    text: value('--jp-ui-font-color2'),
    plane: value('--jp-ui-font-color3'),
    footprint: value('--jp-brand-color1'),
    chosen: value('--jp-warn-color1'),
    marked: value('--jp-ui-font-color0'),
    font: `11px ${value('--jp-ui-font-family')}`
  };
}

/** Draw everything but what is chosen, in slices: after each the caller may do something else. */
export function* paint(context: CanvasRenderingContext2D, scene: IScene): Generator<void, void, undefined> {
  const { projection, paints } = scene;
  const { width, height } = projection.view;
  context.globalAlpha = 1;
  context.fillStyle = paints.background;
  context.fillRect(0, 0, width, height);
  paintSky(context, scene);
  yield;
  context.lineWidth = 1;
  context.strokeStyle = paints.footprint;
  context.fillStyle = paints.footprint;
  let path = new Path2D();
  let drawn = 0;
  for (const footprint of scene.footprints) {
    if (projection.mayShow(footprint.centre, footprint.radius)) {
      outline(path, footprint, projection);
      drawn++;
      if (drawn % SLICE === 0) {
        stain(context, path);
        path = new Path2D();
        yield;
      }
    }
  }
  stain(context, path);
  paintLabels(context, scene);
  paintScale(context, scene);
}

/** Draw footprints over the others, so that they stand out. */
export function paintChosen(
  context: CanvasRenderingContext2D,
  projection: SkyProjection,
  footprints: Iterable<IFootprint>,
  colour: string,
  halo: string,
  fill: number
): void {
  const path = new Path2D();
  for (const footprint of footprints) {
    if (projection.mayShow(footprint.centre, footprint.radius)) {
      outline(path, footprint, projection);
    }
  }
  context.fillStyle = colour;
  context.globalAlpha = fill;
  context.fill(path);
  context.globalAlpha = 1;
  context.lineJoin = 'round';
  for (const [style, width] of [
    [halo, 4],
    [colour, 2]
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke(path);
  }
}

/** Add the outline of a footprint to a path. */
export function outline(path: Path2D, footprint: IFootprint, projection: SkyProjection): void {
  const { centre, radius, rings } = footprint;
  if (radius * projection.view.scale * 2 < DOT) {
    const [x, y] = projection.project(centre);
    path.rect(x - DOT / 2, y - DOT / 2, DOT, DOT);
    return;
  }
  if (radius > BENT || isCut(rings, projection)) {
    const d3 = geoPath(projection.d3());
    path.addPath(new Path2D(d3(geometryOf(footprint)) ?? ''));
    return;
  }
  for (const ring of rings) {
    ring.forEach((corner, index) => {
      const [x, y] = projection.project(corner);
      if (index === 0) {
        path.moveTo(x, y);
      } else {
        path.lineTo(x, y);
      }
    });
    path.closePath();
  }
}

function isCut(rings: readonly (readonly Vector[])[], projection: SkyProjection): boolean {
  return rings.some(ring => {
    let before = ring.at(-1);
    return ring.some(corner => {
      const cut = before !== undefined && projection.isCut(before, corner);
      before = corner;
      return cut;
    });
  });
}

function stain(context: CanvasRenderingContext2D, path: Path2D): void {
  context.globalAlpha = 0.16;
  context.fill(path);
  context.globalAlpha = 0.75;
  context.stroke(path);
  context.globalAlpha = 1;
}

function paintSky(context: CanvasRenderingContext2D, { projection, unit, paints }: IScene): void {
  const draw = geoPath(projection.d3(), context);
  context.fillStyle = paints.sky;
  context.beginPath();
  draw({ type: 'Sphere' });
  context.fill();
  const lines = (
    object: GeoPermissibleObjects,
    colour: string,
    dash: readonly number[],
    width: number
  ): void => {
    context.strokeStyle = colour;
    context.setLineDash([...dash]);
    context.lineWidth = width;
    context.beginPath();
    draw(object);
    context.stroke();
    context.setLineDash([]);
  };
  lines(graticule(projection, unit).lines, paints.line, [], 1);
  lines(GALACTIC_PLANE, paints.plane, [1, 4], 2);
  lines(ECLIPTIC, paints.plane, [8, 5], 1);
  if (projection.isWhole) {
    lines({ type: 'Sphere' }, paints.line, [], 1.5);
  }
}

function paintLabels(context: CanvasRenderingContext2D, { projection, unit, paints }: IScene): void {
  context.font = paints.font;
  for (const { text, at, side } of graticule(projection, unit).labels) {
    const [x, y] = at;
    if (projection.isWhole) {
      write(context, paints, text, [x + 3, y - 3], 'left', 'bottom');
    } else if (side === 'bottom') {
      write(context, paints, text, [x, y - 4], 'center', 'bottom');
    } else {
      write(context, paints, text, [x + 4, y], 'left', 'middle');
    }
  }
}

function paintScale(context: CanvasRenderingContext2D, { projection, paints }: IScene): void {
  const { width, height, scale } = projection.view;
  if (projection.isWhole) {
    return;
  }
  const { pixels, label } = scaleBar(scale, Math.min(140, width / 3));
  const [right, y] = [width - 16, height - 30];
  context.strokeStyle = paints.marked;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(right - pixels, y - 4);
  context.lineTo(right - pixels, y);
  context.lineTo(right, y);
  context.lineTo(right, y - 4);
  context.stroke();
  write(context, paints, label, [right - pixels / 2, y - 4], 'center', 'bottom');
}

/** Write over whatever is there, with a halo in the colour of the sky. */
function write(
  context: CanvasRenderingContext2D,
  paints: IPaints,
  text: string,
  [x, y]: Point,
  align: CanvasTextAlign,
  baseline: CanvasTextBaseline
): void {
  context.textAlign = align;
  context.textBaseline = baseline;
  context.lineJoin = 'round';
  context.lineWidth = 3;
  context.strokeStyle = paints.sky;
  context.strokeText(text, x, y);
  context.fillStyle = paints.text;
  context.fillText(text, x, y);
}
