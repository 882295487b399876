/** What a key does on the map. */
export type MapKey =
  /** Move what is seen by so many widths and heights. */
  | { readonly does: 'pan'; readonly right: number; readonly down: number }
  | { readonly does: 'zoom'; readonly factor: number }
  | { readonly does: 'resize-circle'; readonly factor: number }
  | { readonly does: 'walk'; readonly step: 1 | -1 }
  /** Choose what is in the middle, one after the other. */
  | { readonly does: 'here' }
  | { readonly does: 'fit' | 'accept' | 'escape' };

/** A key as an event tells of it. */
type IKey = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey'>;

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1]
};

const OTHERS: Readonly<Record<string, MapKey>> = {
  '+': { does: 'zoom', factor: 1.4 },
  '=': { does: 'zoom', factor: 1.4 },
  '-': { does: 'zoom', factor: 1 / 1.4 },
  _: { does: 'zoom', factor: 1 / 1.4 },
  ']': { does: 'resize-circle', factor: 1.2 },
  '[': { does: 'resize-circle', factor: 1 / 1.2 },
  '.': { does: 'walk', step: 1 },
  ',': { does: 'walk', step: -1 },
  ' ': { does: 'here' },
  Home: { does: 'fit' },
  Enter: { does: 'accept' },
  Escape: { does: 'escape' }
};

/** What a key does, or null if the map has no use for it. */
export function mapKey({ key, shiftKey, ctrlKey, altKey, metaKey }: IKey): MapKey | null {
  if (ctrlKey || altKey || metaKey) {
    return null;
  }
  const arrow = ARROWS[key];
  if (arrow) {
    const part = shiftKey ? 0.02 : 0.12;
    return { does: 'pan', right: arrow[0] * part, down: arrow[1] * part };
  }
  return OTHERS[key] ?? null;
}
