/**
 * Snippets for images: cutouts by pixels and by position.
 */

import { trans } from '../../trans';
import { familyOf, show } from './family';
import { nameFor, onlyDataset, Target } from './target';
import type { ICode, ISnippet, ISnippetContext } from './types';

/** Side of a cutout that nobody chose, in pixels. */
const SIDE = 200;
/** Radius of a cutout that nobody chose, in arcseconds. */
const RADIUS = 20;

export const boxCutout: ISnippet = {
  id: 'cutout-box',
  get label() {
    return trans.__('Cutout by bounding box');
  },
  icon: 'ui-components:cut',
  getCode: context => {
    switch (familyOf(context.selection.datasetType)) {
      case 'image':
        return imageBox(context);
      case 'afw':
        return afwBox(context);
      default:
        return null;
    }
  }
};

export const circleCutout: ISnippet = {
  id: 'cutout-circle',
  get label() {
    return trans.__('Cutout around a position');
  },
  icon: 'ui-components:search',
  getCode: context => {
    const { datasetType } = context.selection;
    const dataset = onlyDataset(context.selection);
    if (
      !dataset ||
      context.form !== 'cell' ||
      familyOf(datasetType) !== 'image' ||
      // A calibration belongs to a detector, not to a part of the sky.
      datasetType.is_calibration ||
      !datasetType.components.includes('sky_projection')
    ) {
      return null;
    }
    const { circle } = context.choice;
    const target = new Target(context, dataset, 3);
    const name = nameFor(context, '_cutout');
    const center = circle
      ? `center = SkyCoord(${circle.ra}, ${circle.dec}, unit="deg")`
      : 'center = projection.pixel_to_sky(x=bbox.x.center, y=bbox.y.center)  # or any SkyCoord';
    return target.cell(
      [
        target.statement('bbox = ', { component: 'bbox' }),
        target.statement('projection = ', { component: 'sky_projection' }),
        center,
        `circle = Box.from_sky_circle(projection, center, Angle(${circle?.radius ?? RADIUS}, "arcsec"))`,
        target.statement(`${name} = `, { parameters: '{"bbox": circle.intersection(bbox)}' }),
        show(datasetType, name)
      ],
      [
        `from astropy.coordinates import ${circle ? 'Angle, SkyCoord' : 'Angle'}`,
        'from lsst.images import Box'
      ]
    );
  }
};

function imageBox(context: ISnippetContext): ICode | null {
  const dataset = onlyDataset(context.selection);
  if (!dataset) {
    return null;
  }
  const { box } = context.choice;
  const imports = ['from lsst.images import Box'];
  if (box) {
    const target = new Target(context, dataset);
    const read = { parameters: `{"bbox": Box.factory[${box.y0}:${box.y1}, ${box.x0}:${box.x1}]}` };
    if (context.form === 'expression') {
      return { imports: [...imports, ...target.imports], body: target.expression(read) };
    }
    const name = nameFor(context, '_cutout');
    return target.cell(
      [target.statement(`${name} = `, read), show(context.selection.datasetType, name)],
      imports
    );
  }
  if (context.form === 'expression') {
    return null;
  }
  const target = new Target(context, dataset, 2);
  const name = nameFor(context, '_cutout');
  return target.cell(
    [
      target.statement('bbox = ', { component: 'bbox' }),
      'y0, x0 = bbox.start  # lsst.images counts y first',
      `box = Box.factory[y0 : y0 + ${SIDE}, x0 : x0 + ${SIDE}].intersection(bbox)`,
      target.statement(`${name} = `, { parameters: '{"bbox": box}' }),
      show(context.selection.datasetType, name)
    ],
    imports
  );
}

function afwBox(context: ISnippetContext): ICode | null {
  const { datasetType } = context.selection;
  const dataset = onlyDataset(context.selection);
  const { box } = context.choice;
  if (!dataset || context.form !== 'cell' || (!box && !datasetType.components.includes('bbox'))) {
    return null;
  }
  const target = new Target(context, dataset, box ? 1 : 2);
  const name = nameFor(context, '_cutout');
  const lines = box
    ? [`box = Box2I(Point2I(${box.x0}, ${box.y0}), Extent2I(${box.x1 - box.x0}, ${box.y1 - box.y0}))`]
    : [
        target.statement('bbox = ', { component: 'bbox' }),
        `box = Box2I(bbox.getMin(), Extent2I(${SIDE}, ${SIDE}))`,
        'box.clip(bbox)'
      ];
  return target.cell(
    [...lines, target.statement(`${name} = `, { parameters: '{"bbox": box}' }), show(datasetType, name)],
    [`from lsst.geom import ${box ? 'Box2I, Extent2I, Point2I' : 'Box2I, Extent2I'}`]
  );
}
