import { LabIcon } from '@jupyterlab/ui-components';

import butlerSvg from '../../labextension/style/icons/butler.svg';
import calibrationSvg from '../../labextension/style/icons/calibration.svg';
import chainSvg from '../../labextension/style/icons/chain.svg';
import imageSvg from '../../labextension/style/icons/image.svg';
import infoSvg from '../../labextension/style/icons/info.svg';
import keySvg from '../../labextension/style/icons/key.svg';
import lockSvg from '../../labextension/style/icons/lock.svg';
import officialSvg from '../../labextension/style/icons/official.svg';
import offlineSvg from '../../labextension/style/icons/offline.svg';
import personalSvg from '../../labextension/style/icons/personal.svg';
import recentSvg from '../../labextension/style/icons/recent.svg';
import pinnedSvg from '../../labextension/style/icons/pinned.svg';
import referencedSvg from '../../labextension/style/icons/referenced.svg';
import runSvg from '../../labextension/style/icons/run.svg';
import spinnerSvg from '../../labextension/style/icons/spinner.svg';
import starOutlineSvg from '../../labextension/style/icons/star-outline.svg';
import starSvg from '../../labextension/style/icons/star.svg';
import tableSvg from '../../labextension/style/icons/table.svg';
import taggedSvg from '../../labextension/style/icons/tagged.svg';
import typesSvg from '../../labextension/style/icons/types.svg';
import valueSvg from '../../labextension/style/icons/value.svg';
import waitingSvg from '../../labextension/style/icons/waiting.svg';
import warningSvg from '../../labextension/style/icons/warning.svg';
import type { CollectionType, DatasetType, RepositoryKind } from '../api';
import type { DatasetMark, NoticeState } from '../model';

function icon(name: string, svgstr: string): LabIcon {
  return new LabIcon({ name: `python-butler:${name}`, svgstr });
}

/** The cover a butler lifts. */
export const butlerIcon = icon('butler', butlerSvg);

export const REPOSITORY_ICONS: Readonly<Record<RepositoryKind, LabIcon>> = {
  official: icon('official', officialSvg),
  personal: icon('personal', personalSvg)
};

export const COLLECTION_ICONS: Readonly<Record<CollectionType, LabIcon>> = {
  CHAINED: icon('chain', chainSvg),
  RUN: icon('run', runSvg),
  TAGGED: icon('tagged', taggedSvg),
  CALIBRATION: icon('calibration', calibrationSvg)
};

export const typesIcon = icon('types', typesSvg);

export const starIcon = icon('star', starSvg);
export const starOutlineIcon = icon('star-outline', starOutlineSvg);
export const recentIcon = icon('recent', recentSvg);

const imageIcon = icon('image', imageSvg);
const tableIcon = icon('table', tableSvg);
const valueIcon = icon('value', valueSvg);

/** An image, a table or something else, judged by how its storage class can be read. */
export function datasetTypeIcon({ parameters }: DatasetType): LabIcon {
  if (parameters.includes('columns')) {
    return tableIcon;
  }
  return parameters.includes('bbox') ? imageIcon : valueIcon;
}

const infoIcon = icon('info', infoSvg);
const waitingIcon = icon('waiting', waitingSvg);
const warningIcon = icon('warning', warningSvg);

export const NOTICE_ICONS: Readonly<Record<NoticeState, LabIcon>> = {
  loading: icon('spinner', spinnerSvg),
  empty: infoIcon,
  capped: infoIcon,
  cancelled: infoIcon,
  superseded: waitingIcon,
  busy: waitingIcon,
  offline: icon('offline', offlineSvg),
  token: icon('key', keySvg),
  forbidden: icon('lock', lockSvg),
  absent: infoIcon,
  gone: warningIcon,
  error: warningIcon
};

/** How a dataset is in the person's satellite. */
export const MARK_ICONS: Readonly<Record<DatasetMark, LabIcon>> = {
  referenced: icon('referenced', referencedSvg),
  pinned: icon('pinned', pinnedSvg)
};
