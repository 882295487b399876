/**
 * The snippets, in one place, as data: what there is, in the order in which menus show it.
 */

import type { DatasetType } from '../../api';
import { forVisit } from './calibrations';
import { boxCutout, circleCutout } from './images';
import { ivoa, query, reference } from './references';
import { several, severalDataIds, severalReferences } from './several';
import { asArrow, asAstropy, asPandas, columns, schema } from './tables';
import type { ISnippet } from './types';
import { component, deferred, whole } from './whole';

export { identifier } from './references';
export type { IChoice, ICode, ISnippet, ISnippetContext } from './types';

/**
 * All snippets that may apply to datasets of a type. The first that gives code is the default.
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
    ivoa
  ];
}
