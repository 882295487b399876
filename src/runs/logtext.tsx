import { type ReactElement, useLayoutEffect, useRef } from 'react';

/** Lines of a log, of which the last are in view: what went wrong is there. */
export function LogText({ text, name }: { readonly text: string; readonly name: string }): ReactElement {
  const node = useRef<HTMLPreElement>(null);
  useLayoutEffect(() => {
    if (node.current) {
      node.current.scrollTop = node.current.scrollHeight;
    }
  }, [text]);
  return (
    <pre ref={node} tabIndex={0} role="region" aria-label={name}>
      {text}
    </pre>
  );
}
