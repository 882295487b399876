/** Milliseconds for which work in slices may hold the page. */
const SLICE = 8;

/** When the work that holds the page now began; null if nothing has held it since it was last free. */
let begun: number | null = null;

/**
 * Let the page draw and take input, if it has been held for a while: to be awaited between the slices of long
 * work, since awaiting alone does not let go of it.
 *
 * @returns null if it may be held on.
 */
export function breathe(): Promise<void> | null {
  if (begun === null) {
    begun = performance.now();
    setTimeout(() => {
      begun = null;
    });
  } else if (performance.now() - begun > SLICE) {
    return rested();
  }
  return null;
}

/** Let the page draw and take input now. */
export function rested(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve));
}
