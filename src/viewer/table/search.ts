import type { TableColumn } from '../../api';

/**
 * Columns in whose name, unit, description or type all the words occur, in their order; those whose name
 * begins with the first word come first.
 */
export function searchColumns(columns: readonly TableColumn[], text: string): readonly TableColumn[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const [first] = words;
  if (first === undefined) {
    return columns;
  }
  const found = columns.filter(column => {
    const { name, unit, description, type } = column;
    const text = `${name}\n${unit}\n${description}\n${type}`.toLowerCase();
    return words.every(word => text.includes(word));
  });
  const begins = found.filter(({ name }) => name.toLowerCase().startsWith(first));
  return [...begins, ...found.filter(column => !begins.includes(column))];
}
