import { LabIcon } from '@jupyterlab/ui-components';

import butlerSvg from '../../labextension/style/icons/butler.svg';

/** A bell, as a butler answers to. */
export const butlerIcon = new LabIcon({ name: 'python-butler:butler', svgstr: butlerSvg });
