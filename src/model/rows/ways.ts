/**
 * The ways from the root to rows, which name them however the tree changes around them.
 */

/** Way to a row that belongs to another; names are encoded, so that none can look like a way. */
export function wayTo(parent: string, name: string): string {
  return `${parent}|${encodeURIComponent(name)}`;
}

/** Way to the row of the dataset types of a chain. */
export function wayToTypes(collection: string): string {
  return `${collection}|:types`;
}

/** Way to a dataset type in a collection, or in the row of its types. */
export function wayToType(parent: string, name: string): string {
  return `${parent}|:type-${encodeURIComponent(name)}`;
}

/** The last part of the way to a row that belongs to another, or null if it belongs to something else. */
export function nameBelow(parent: string, id: string): string | null {
  if (!id.startsWith(`${parent}|`)) {
    return null;
  }
  const segment = id.slice(parent.length + 1);
  if (segment.includes('|')) {
    return null;
  }
  return segment.startsWith(':') ? segment : decodeURIComponent(segment);
}
