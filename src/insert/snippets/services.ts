/**
 * Snippets that ask the platform's own web services about an official dataset: where it may be had, and for
 * a part of it that is cut out before it is sent.
 *
 * Addresses come from the platform's service discovery, and its client sends the token to nobody else.
 */

import type { IDatasetSelection } from '../../model';
import { inlineCall, keywords, literal, statement } from '../../python/literals';
import { trans } from '../../trans';
import { familyOf } from './family';
import { nameFor, onlyDataset, Target } from './target';
import type { ISnippet, ISnippetContext } from './types';

/** Radius of a cutout that nobody chose, in degrees. */
const RADIUS = 0.005;

const DISCOVERY = 'from lsst.rsp import RSPDiscovery';

export const dataLink: ISnippet = {
  id: 'datalink',
  get label() {
    return trans.__('DataLink: links and services');
  },
  icon: 'ui-components:share',
  get group() {
    return trans.__('Web services');
  },
  getCode: context => {
    const id = serviceIdentifier(context);
    const family = familyOf(context.selection.datasetType);
    // These services are those of images.
    if (id === null || (family !== 'image' && family !== 'afw')) {
      return null;
    }
    const name = nameFor(context, '_links');
    return {
      imports: ['from io import BytesIO', 'from astropy.table import Table', DISCOVERY],
      needsButler: false,
      body: [
        ...ask(context.selection, 'datalink', 'datalink-links-1.1', [`"ID": ${literal(id)}`]),
        `${name} = Table.read(BytesIO(response.content), format="votable")`,
        name
      ].join('\n')
    };
  }
};

export const cutoutService: ISnippet = {
  id: 'soda',
  get label() {
    return trans.__('Cutout service (SODA)');
  },
  icon: 'ui-components:cut',
  get group() {
    return trans.__('Web services');
  },
  getCode: context => {
    const { datasetType } = context.selection;
    const id = serviceIdentifier(context);
    const dataset = onlyDataset(context.selection);
    const { circle } = context.choice;
    if (
      id === null ||
      !dataset ||
      datasetType.is_calibration ||
      familyOf(datasetType) !== 'image' ||
      !datasetType.components.includes('sky_projection')
    ) {
      return null;
    }
    const target = new Target(context, dataset, 2);
    const center = circle
      ? [`center = SkyCoord(${circle.ra}, ${circle.dec}, unit="deg")`]
      : [
          ...target.setup,
          target.statement('bbox = ', { component: 'bbox' }),
          target.statement('projection = ', { component: 'sky_projection' }),
          'center = projection.pixel_to_sky(x=bbox.x.center, y=bbox.y.center)  # or any SkyCoord'
        ];
    const name = nameFor(context, '_cutout');
    return {
      imports: [
        'from io import BytesIO',
        ...(circle ? ['from astropy.coordinates import SkyCoord'] : target.imports),
        'from astropy.io import fits',
        DISCOVERY
      ],
      needsButler: !circle,
      body: [
        ...center,
        `radius = ${circle ? Number((circle.radius / 3600).toPrecision(6)) : RADIUS}  # degrees`,
        ...ask(context.selection, 'cutout', 'soda-sync-1.0', [
          `"ID": ${literal(id)}`,
          '"CIRCLE": f"{center.ra.deg} {center.dec.deg} {radius}"'
        ]),
        `${name} = fits.open(BytesIO(response.content))`,
        `${name}.info()`
      ].join('\n')
    };
  }
};

/** A question to a service, whose answer is `response`. */
function ask(
  { repository }: IDatasetSelection,
  service: string,
  version: string,
  parameters: readonly string[]
): string[] {
  return [
    `services = ${inlineCall('RSPDiscovery', [literal(repository.label)])}`,
    statement('url = ', 'services.get_service_url', [literal(service), ...keywords({ version })]),
    'parameters = {',
    ...parameters.map(parameter => `    ${parameter},`),
    '}',
    'response = services.get_session().get(url, params=parameters)',
    'response.raise_for_status()'
  ];
}

/** What these services call a dataset; null if they do not know it. They make cells, not expressions. */
function serviceIdentifier({ selection, form }: ISnippetContext): string | null {
  const dataset = onlyDataset(selection);
  if (!dataset || form !== 'cell' || selection.repository.kind !== 'official') {
    return null;
  }
  const label = encodeURIComponent(selection.repository.label);
  return `ivo://org.rubinobs/lsst-${label}?repo=${label}&id=${dataset.id}`;
}
