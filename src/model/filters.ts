/**
 * Filters as values: what is listed unless somebody narrows it, and whether two are the same.
 */

import type { DatasetFilter } from '../api';

/** Leaves nothing out. */
export const NO_FILTER: DatasetFilter = {
  data_id: {},
  near: null,
  time: null,
  where: '',
  order_by: [],
  limit: null,
  find_first: null
};

/** A filter without what says nothing, or null if nothing is left. */
export function tidyFilter(filter: DatasetFilter | null): DatasetFilter | null {
  if (!filter) {
    return null;
  }
  const chosen = Object.entries(filter.data_id).filter(([, values]) => values.length > 0);
  const time = filter.time?.begin || filter.time?.end ? filter.time : null;
  const tidy = { ...filter, data_id: Object.fromEntries(chosen), time, where: filter.where.trim() };
  return sameFilter(tidy, NO_FILTER) ? null : tidy;
}

export function sameFilter(one: DatasetFilter | null, other: DatasetFilter | null): boolean {
  return JSON.stringify(inOrder(one)) === JSON.stringify(inOrder(other));
}

/** Whether a filter leaves anything out; an order is no condition. */
export function isNarrow(filter: DatasetFilter | null): boolean {
  return !sameFilter(tidyFilter(filter && { ...filter, order_by: [], find_first: null }), null);
}

function inOrder(filter: DatasetFilter | null): unknown {
  const { data_id, near, time, where, order_by, limit, find_first } = filter ?? NO_FILTER;
  const chosen = Object.entries(data_id).sort(([a], [b]) => (a < b ? -1 : 1));
  const circle = near && [near.ra, near.dec, near.radius];
  return [chosen, circle, time && [time.begin, time.end], where, order_by, limit, find_first];
}
