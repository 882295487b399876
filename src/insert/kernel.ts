/**
 * Asking an idle kernel, quietly, which butlers it has.
 */

import type { Kernel } from '@jupyterlab/services';

import type { IButlerVariable } from './python/butlers';

/** How long an answer is waited for before the notebook's text has to do, in milliseconds. */
const PATIENCE = 1000;

/**
 * An expression that binds no name and imports nothing that is not imported already. Its value is
 * base64, so that its representation needs no unescaping.
 */
const EXPRESSION = `
(lambda sys, json, base64: (lambda Butler: base64.b64encode(json.dumps([
    {
        "name": name,
        "label": (
            getattr(value, "label", None)
            if type(value).__module__.startswith("python_butler")
            else next((
                label
                for label in Butler.get_known_repos()
                if str(value) == "RemoteButler(" + Butler.get_repo_uri(label).geturl()
                    .removesuffix("butler.yaml").rstrip("/") + ")"
                or str(value) == "RemoteButler(" + Butler.get_repo_uri(label).geturl()
                    .removesuffix("butler.yaml").rstrip("/") + "/)"
            ), None)
        ),
        "reads": "both" if type(value).__module__.startswith("python_butler") else "official",
        "collections": list(value.collections.defaults),
    }
    for name, value in list(globals().items())
    if not name.startswith("_") and Butler in type(value).__mro__
] if Butler else []).encode()).decode())(
    getattr(sys.modules.get("lsst.daf.butler"), "Butler", None)
))(__import__("sys"), __import__("json"), __import__("base64"))
`.replace(/\n\s*/g, ' ');

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

/** Variables out of the value of a user expression, leaving out what is not as expected. */
function parse(value: unknown): IButlerVariable[] {
  const text = (value as { data?: { 'text/plain'?: string } } | undefined)?.data?.['text/plain'];
  if (text === undefined) {
    return [];
  }
  const bytes = Uint8Array.from(atob(text.replace(/'/g, '')), letter => letter.charCodeAt(0));
  const variables: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return Array.isArray(variables) ? variables.filter(isVariable) : [];
}

function isVariable(value: unknown): value is IButlerVariable {
  const { name, label, reads, collections } = value as Record<keyof IButlerVariable, unknown>;
  return (
    typeof name === 'string' &&
    typeof label === 'string' &&
    (reads === 'official' || reads === 'both') &&
    Array.isArray(collections)
  );
}
