import type { ReactElement } from 'react';

import type { ImageDescription } from '../../api';
import { trans } from '../../trans';
import type { ImageModel } from './model';
import { angleText, compass, scaleBar } from './sky';
import type { View } from './view';

/** Cells narrower than this on the screen are not outlined. */
const NARROW = 48;
const ARM = 30;

/** What is drawn over an image: the cursor, the cells, a scale and where north is. */
export function Overlay({ model }: { readonly model: ImageModel }): ReactElement | null {
  const { view, cursor, description } = model;
  if (!view || description.status !== 'loaded') {
    return null;
  }
  const { width, height } = view.size;
  return (
    <svg className="pb-Image-overlay" width={width} height={height} aria-hidden="true">
      <Frame view={view} />
      <Cells view={view} description={description.value} />
      {cursor && <Cursor view={view} x={cursor.x} y={cursor.y} />}
      {model.circleShown && <Circle view={view} />}
      <Scale view={view} description={description.value} />
    </svg>
  );
}

/** Covers what is outside of the image, and outlines it. */
function Frame({ view }: { readonly view: View }): ReactElement {
  const { x0, x1, y0, y1 } = view.box;
  const { x: left, y: bottom } = view.toScreen({ x: x0 - 0.5, y: y0 - 0.5 });
  const { x: right, y: top } = view.toScreen({ x: x1 - 0.5, y: y1 - 0.5 });
  const { width, height } = view.size;
  const inner = `M${left},${top} V${bottom} H${right} V${top} Z`;
  return (
    <>
      <path
        className="pb-Image-outside"
        fillRule="evenodd"
        d={`M-1,-1 H${width + 1} V${height + 1} H-1 Z ${inner}`}
      />
      <path className="pb-Image-frame" d={inner} />
    </>
  );
}

function Cells({
  view,
  description
}: {
  readonly view: View;
  readonly description: ImageDescription;
}): ReactElement | null {
  const { cells, missing } = description;
  const seen = view.visible;
  if (!cells || !seen) {
    return null;
  }
  const lines: string[] = [];
  if (cells.width * view.zoom >= NARROW) {
    const low = view.toScreen({ x: seen.x0 - 0.5, y: seen.y0 - 0.5 });
    const high = view.toScreen({ x: seen.x1 - 0.5, y: seen.y1 - 0.5 });
    for (let x = first(seen.x0, cells.x0, cells.width); x < seen.x1; x += cells.width) {
      lines.push(`M${view.toScreen({ x: x - 0.5, y: 0 }).x},${high.y} V${low.y}`);
    }
    for (let y = first(seen.y0, cells.y0, cells.height); y < seen.y1; y += cells.height) {
      lines.push(`M${low.x},${view.toScreen({ x: 0, y: y - 0.5 }).y} H${high.x}`);
    }
  }
  return (
    <>
      <path className="pb-Image-cells" d={lines.join(' ')} />
      {missing.map(({ x0, x1, y0, y1 }) => {
        const corner = view.toScreen({ x: x0 - 0.5, y: y1 - 0.5 });
        const [wide, high] = [(x1 - x0) * view.zoom, (y1 - y0) * view.zoom];
        return (
          <g key={`${x0},${y0}`} className="pb-Image-missing">
            <rect x={corner.x} y={corner.y} width={wide} height={high} />
            {wide > 60 && (
              <text x={corner.x + wide / 2} y={corner.y + high / 2}>
                {trans.__('missing')}
              </text>
            )}
          </g>
        );
      })}
    </>
  );
}

/** The first line of a grid that is not left of a pixel. */
function first(from: number, origin: number, step: number): number {
  return origin + Math.ceil((from - origin) / step) * step;
}

function Cursor({
  view,
  x,
  y
}: {
  readonly view: View;
  readonly x: number;
  readonly y: number;
}): ReactElement {
  const { x: column, y: row } = view.toScreen({ x, y });
  const half = Math.max(view.zoom / 2, 3);
  const lines = `M${column - half - 8},${row} h8 M${column + half},${row} h8 M${column},${row - half - 8} v8 M${column},${row + half} v8`;
  const square = `M${column - half},${row - half} h${2 * half} v${2 * half} h${-2 * half} Z`;
  return (
    <>
      <path className="pb-Image-cursor pb-mod-under" d={`${lines} ${square}`} />
      <path className="pb-Image-cursor" d={`${lines} ${square}`} />
    </>
  );
}

/** What a circle around the middle would cut out. */
function Circle({ view }: { readonly view: View }): ReactElement {
  const { width, height } = view.size;
  const circle = { cx: width / 2, cy: height / 2, r: Math.max(0, Math.min(width, height) / 2 - 1) };
  return (
    <>
      <circle className="pb-Image-circle pb-mod-under" {...circle} />
      <circle className="pb-Image-circle" {...circle} />
    </>
  );
}

/** A length in arcseconds, and the directions of north and east. */
function Scale({
  view,
  description
}: {
  readonly view: View;
  readonly description: ImageDescription;
}): ReactElement | null {
  const { sky } = description;
  const { width, height } = view.size;
  if (!sky || width < 200 || height < 150) {
    return null;
  }
  const bar = scaleBar(view.zoom / sky.pixel_scale, Math.min(150, width / 4));
  const { north, east } = compass(sky, view.center);
  const tip = (angle: number, length: number): string =>
    `${(length * Math.cos(angle)).toFixed(1)},${(-length * Math.sin(angle)).toFixed(1)}`;
  const label = (angle: number, text: string): ReactElement => (
    <text x={(ARM + 10) * Math.cos(angle)} y={-(ARM + 10) * Math.sin(angle)}>
      {text}
    </text>
  );
  return (
    <>
      <g className="pb-Image-scale" transform={`translate(16, ${height - 16})`}>
        <path className="pb-mod-under" d={`M0,-6 V0 H${bar.pixels} V-6`} />
        <path d={`M0,-6 V0 H${bar.pixels} V-6`} />
        <text x={bar.pixels / 2} y={-8}>
          {angleText(bar.arcseconds)}
        </text>
      </g>
      <g className="pb-Image-compass" transform={`translate(${width - 56}, ${height - 56})`}>
        <path className="pb-mod-under" d={`M${tip(north, ARM)} L0,0 L${tip(east, ARM)}`} />
        <path d={`M${tip(north, ARM)} L0,0 L${tip(east, ARM)}`} />
        {label(north, trans._p('direction', 'N'))}
        {label(east, trans._p('direction', 'E'))}
      </g>
    </>
  );
}
