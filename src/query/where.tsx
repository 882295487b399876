import { type ReactElement, useEffect, useId, useRef, useState } from 'react';

import { trans } from '../trans';
import type { QueryModel } from './model';
import type { IWhereEditor } from './editor';

/**
 * The free expression. Its editor is loaded with the first list; until then a plain field stands in its place.
 */
export function WhereField({ model }: { readonly model: QueryModel }): ReactElement {
  const id = useId();
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<IWhereEditor | null>(null);
  const [isLoaded, setLoaded] = useState(false);
  const { where } = model.filter;
  const problem = model.problems.find(({ field }) => field === 'where');

  useEffect(() => {
    let isGone = false;
    void import('./editor').then(({ createWhereEditor }) => {
      if (isGone || !host.current) {
        return;
      }
      editor.current = createWhereEditor(host.current, model, `${id}-label`);
      setLoaded(true);
    });
    return () => {
      isGone = true;
      editor.current?.dispose();
      editor.current = null;
    };
  }, [model, id]);

  useEffect(() => editor.current?.show(where), [where, isLoaded]);

  return (
    <div className="pb-Where" data-invalid={problem ? true : undefined}>
      <span id={`${id}-label`} className="pb-Query-label">
        {trans.__('where')}
      </span>
      <div ref={host} className="pb-Where-editor" aria-busy={!isLoaded} />
      {problem && (
        <div className="pb-QueryField-problem" role="alert">
          {problem.message}
        </div>
      )}
    </div>
  );
}
