import { describe, expect, it, vi } from 'vitest';
import type { Kernel } from '@jupyterlab/services';

import { askKernel } from '../kernel';

/** A connection that answers: the browser tests ask a real kernel. */
function kernel(answer: unknown, status = 'idle', language = 'python'): Kernel.IKernelConnection {
  const text = `'${btoa(JSON.stringify(answer))}'`;
  const content = {
    status: 'ok',
    user_expressions: { butlers: { status: 'ok', data: { 'text/plain': text } } }
  };
  return {
    status,
    info: Promise.resolve({ language_info: { name: language } }),
    requestExecute: vi.fn(() => ({
      done: answer === 'never' ? new Promise(() => undefined) : Promise.resolve({ content }),
      dispose: vi.fn()
    }))
  } as unknown as Kernel.IKernelConnection;
}

const ANSWER = {
  repositories: { dp1: 'https://a.example/dp1', dp2: 'https://a.example/dp2/butler.yaml' },
  butlers: [
    { name: 'a', text: 'RemoteButler(https://a.example/dp2/)', collections: ['dp2'] },
    { name: 'b', text: 'SatelliteButler(dp2, /home/me/butler/dp2)', collections: [] },
    { name: 'c', text: "Butler(collections=[], run=None, datastore='file')", collections: [] }
  ]
};

describe('asking the kernel for its butlers', () => {
  it('knows official and federated ones by their repository', async () => {
    expect(await askKernel(kernel(ANSWER))).toEqual([
      { name: 'a', label: 'dp2', reads: 'official', collections: ['dp2'] },
      { name: 'b', label: 'dp2', reads: 'both', collections: [] }
    ]);
  });

  it('is quiet: no history, no output, no code', async () => {
    const connection = kernel(ANSWER);
    await askKernel(connection);
    expect(connection.requestExecute).toHaveBeenCalledWith(
      expect.objectContaining({ code: '', silent: true, store_history: false })
    );
  });

  it.each([
    ['busy', kernel(ANSWER, 'busy')],
    ['no kernel of Python', kernel(ANSWER, 'idle', 'R')]
  ])('does not ask one that is %s', async (_, connection) => {
    expect(await askKernel(connection)).toEqual([]);
    expect(connection.requestExecute).not.toHaveBeenCalled();
  });

  it('does not wait for one that does not answer', async () => {
    expect(await askKernel(kernel('never'), 10)).toEqual([]);
  });

  it('asks nobody if there is no kernel', async () => {
    expect(await askKernel(null)).toEqual([]);
  });
});
