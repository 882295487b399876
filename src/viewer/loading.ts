import { useEffect, useState } from 'react';

import { type Loadable, Resource } from '../model';

/** Something a component has loaded for as long as it is there. */
export interface ILoading<T> {
  readonly state: Loadable<T>;
  retry(): void;
  cancel(): void;
}

/**
 * Load something when the component is there, and again when what it depends on changes.
 *
 * @param fetch - Loads it; must be the same function as long as the same thing is meant.
 */
export function useLoading<T>(fetch: (signal: AbortSignal) => Promise<T>): ILoading<T> {
  const [loading, setLoading] = useState<ILoading<T>>({
    state: { status: 'unasked' },
    retry: () => undefined,
    cancel: () => undefined
  });
  useEffect(() => {
    const show = (state: Loadable<T>): void =>
      setLoading({ state, retry: () => resource.retry(), cancel: () => resource.cancel() });
    const resource = new Resource(fetch, show, () => true);
    resource.ask();
    return () => resource.dispose();
  }, [fetch]);
  return loading;
}
