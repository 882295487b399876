/**
 * The snippets, in one place, as data: what there is, in the order in which menus show it.
 */

import type { DatasetType } from '../../api';
import type { IDatasetSelection } from '../../model';
import { forVisit } from './calibrations';
import { boxCutout, circleCutout } from './images';
import { eachFound, found } from './found';
import { ivoa, query, reference } from './references';
import { cutoutService, dataLink } from './services';
import { several, severalDataIds, severalReferences } from './several';
import { asArrow, asAstropy, asPandas, columns, schema } from './tables';
import type { ISnippet } from './types';
import { component, deferred, whole } from './whole';

export { identifier } from './references';
export type { IChoice, IRowFilter, ICode, ISnippet, ISnippetContext } from './types';

/**
 * All snippets that may apply to a selection. The first that gives code is the default.
 */
export function snippetsFor(selection: IDatasetSelection): ISnippet[] {
  // Those for single datasets would take the few that are listed for all that are meant.
  return selection.whole === undefined ? snippetsOf(selection.datasetType) : [found, eachFound];
}

/**
 * All snippets that may apply to datasets of a type.
 */
export function snippetsOf(type: DatasetType): ISnippet[] {
  return [
    several,
    severalDataIds,
    severalReferences,
    columns,
    whole,
    boxCutout,
    circleCutout,
    forVisit,
    asPandas,
    asAstropy,
    asArrow,
    schema,
    deferred,
    // The bounding box and schema of these have entries of their own, and are components too.
    ...type.components.map(component),
    reference,
    query,
    ivoa,
    dataLink,
    cutoutService
  ];
}
