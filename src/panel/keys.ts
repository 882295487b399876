/**
 * What keys mean in the tree and in the list, apart from any page.
 */

/** Which key, as an event tells it. */
export interface IKey {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/** What a key has to know of the rows. */
export interface IRowsToWalk {
  readonly length: number;
  at(index: number): { readonly expanded: boolean | null; readonly parent: number } | undefined;
}

/** What a key asks for. */
export type TreeMove =
  | { readonly do: 'move'; readonly index: number }
  | { readonly do: 'toggle' }
  | { readonly do: 'activate' }
  | { readonly do: 'star' }
  | { readonly do: 'menu' }
  | { readonly do: 'cancel' };

/** What a key means in the tree, or null if nothing. */
export function treeMove(rows: IRowsToWalk, active: number, event: IKey, page: number): TreeMove | null {
  const row = rows.at(active);
  if (!row || event.ctrlKey || event.altKey || event.metaKey) {
    return null;
  }
  switch (event.key) {
    case 'ArrowRight':
      if (row.expanded === null) {
        return null;
      }
      // The first row below an open one is the next.
      return row.expanded ? { do: 'move', index: Math.min(active + 1, rows.length - 1) } : { do: 'toggle' };
    case 'ArrowLeft': {
      if (row.expanded) {
        return { do: 'toggle' };
      }
      return row.parent < 0 ? null : { do: 'move', index: row.parent };
    }
    case '*':
      return { do: 'star' };
    case 'Enter':
    case ' ':
      return row.expanded === null ? { do: 'activate' } : { do: 'toggle' };
    default: {
      if (isMenuKey(event)) {
        return { do: 'menu' };
      }
      if (event.key === 'Escape') {
        return { do: 'cancel' };
      }
      const index = verticalMove(active, rows.length, event.key, page);
      return index === null ? null : { do: 'move', index };
    }
  }
}

/** Where a key that goes up or down leads, or null if it does not. */
export function verticalMove(active: number, length: number, key: string, page: number): number | null {
  const targets: Readonly<Record<string, number>> = {
    ArrowDown: active + 1,
    ArrowUp: active - 1,
    PageDown: active + page,
    PageUp: active - page,
    Home: 0,
    End: length - 1
  };
  const target = targets[key];
  return target === undefined || length === 0 ? null : Math.max(0, Math.min(length - 1, target));
}

/** Whether a key asks for the context menu. */
export function isMenuKey({ key, shiftKey }: IKey): boolean {
  return key === 'ContextMenu' || (key === 'F10' && shiftKey);
}

/**
 * Open the context menu of an element as a right click on it would.
 *
 * The browser's own event for these keys has Shift pressed, for which JupyterLab shows no menu.
 */
export function openContextMenu(element: Element): void {
  const { left, bottom } = element.getBoundingClientRect();
  const at = { clientX: left + 24, clientY: bottom };
  element.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true, ...at }));
  returnFocus(element);
}

/** Give the focus back once all menus are gone, unless what was chosen in them took it elsewhere. */
export function returnFocus(element: Element): void {
  const observer = new MutationObserver(() => {
    if (document.querySelector('.lm-Menu') === null) {
      observer.disconnect();
      const { activeElement } = document;
      if (element instanceof HTMLElement && (activeElement === null || activeElement === document.body)) {
        element.focus();
      }
    }
  });
  if (document.querySelector('.lm-Menu') !== null) {
    observer.observe(document.body, { childList: true });
  }
}
