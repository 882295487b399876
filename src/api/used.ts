import { type IRepositoryKey, type Transport, within } from './transport';
import type { UsedList } from './types';

/** Most datasets in one question. */
export const MAX_USED = 1000;

/** Ask what became of datasets that were found in one collection. */
export function usedDatasets(
  transport: Transport,
  repository: IRepositoryKey,
  question: { readonly collection: string; readonly ids: readonly string[] },
  signal: AbortSignal
): Promise<UsedList> {
  const { collection, ids } = question;
  return transport.send('POST', within(repository, 'used'), { collection, ids }, signal);
}
