/**
 * Asking an idle kernel, quietly, which butlers it has.
 */

import type { Kernel } from '@jupyterlab/services';

import type { IButlerVariable } from './butlers';

/** How long an answer is waited for before the notebook's text has to do, in milliseconds. */
const PATIENCE = 1000;

/**
 * An expression that binds no name and imports nothing that is not imported already. Its value is
 * base64, so that its representation needs no unescaping.
 */
const EXPRESSION = `
(lambda sys, json, base64: (lambda Butler: base64.b64encode(json.dumps({
    "repositories": {
        label: Butler.get_repo_uri(label).geturl()
        for label in Butler.get_known_repos()
    } if Butler else {},
    "butlers": [
        {"name": name, "text": str(value), "collections": list(value.collections.defaults)}
        for name, value in list(globals().items())
        if not name.startswith("_") and Butler in type(value).__mro__
    ] if Butler else [],
}).encode()).decode())(
    getattr(sys.modules.get("lsst.daf.butler"), "Butler", None)
))(__import__("sys"), __import__("json"), __import__("base64"))
`.replace(/\n\s*/g, ' ');

/** What the expression tells. */
interface IAnswer {
  /** Address of each repository that the kernel knows, by label. */
  readonly repositories: Readonly<Record<string, string>>;
  readonly butlers: readonly { name: string; text: string; collections: string[] }[];
}

/**
 * Butlers that the kernel holds now.
 *
 * @returns nothing if the kernel is busy, speaks no Python, or does not answer in time: the notebook's
 * text is the second source.
 */
export async function askKernel(
  kernel: Kernel.IKernelConnection | null | undefined,
  patience = PATIENCE
): Promise<readonly IButlerVariable[]> {
  if (kernel?.status !== 'idle') {
    return [];
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  let future: ReturnType<Kernel.IKernelConnection['requestExecute']> | undefined;
  const answer = async (): Promise<readonly IButlerVariable[]> => {
    if ((await kernel.info).language_info.name !== 'python') {
      return [];
    }
    future = kernel.requestExecute({
      code: '',
      silent: true,
      store_history: false,
      allow_stdin: false,
      user_expressions: { butlers: EXPRESSION.trim() }
    });
    const { content } = await future.done;
    return content.status === 'ok' ? parse(content.user_expressions.butlers) : [];
  };
  const silence = new Promise<readonly IButlerVariable[]>(resolve => {
    timer = setTimeout(() => resolve([]), patience);
  });
  try {
    return await Promise.race([answer(), silence]);
  } catch {
    // A kernel that dies or is replaced while it is asked knows nothing.
    return [];
  } finally {
    clearTimeout(timer);
    future?.dispose();
  }
}

/** Variables out of the value of a user expression; none if it could not be evaluated. */
function parse(value: unknown): IButlerVariable[] {
  const text = (value as { data?: { 'text/plain'?: string } } | undefined)?.data?.['text/plain'];
  if (text === undefined) {
    return [];
  }
  const bytes = Uint8Array.from(atob(text.replace(/'/g, '')), letter => letter.charCodeAt(0));
  const answer = JSON.parse(new TextDecoder().decode(bytes)) as IAnswer;
  return answer.butlers.flatMap(({ name, text: shown, collections }): IButlerVariable[] => {
    const both = /^SatelliteButler\(([^,]+), /.exec(shown)?.[1];
    const address = /^RemoteButler\((.*)\)$/.exec(shown)?.[1];
    const known = Object.entries(answer.repositories).find(
      ([, url]) => address !== undefined && trim(url) === trim(address)
    );
    const label = both ?? known?.[0];
    return label === undefined ? [] : [{ name, label, reads: both ? 'both' : 'official', collections }];
  });
}

/** An index may name a server or its configuration file. */
function trim(url: string): string {
  return url.replace(/butler\.yaml$/, '').replace(/\/+$/, '');
}
