import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import {
  type KeyboardEvent,
  type ReactElement,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState
} from 'react';

import { type DocumentNode, type DocumentPreview, reportOf } from '../../api';
import { errorNotice, exactNumber, type INotice } from '../../model';
import { Notice } from '../../parts';
import { trans } from '../../trans';
import type { FetchPart } from './contents';

export interface IDocumentViewProps {
  readonly preview: DocumentPreview;
  readonly fetch: FetchPart;
}

/** One line of the tree. */
interface ILine {
  readonly id: string;
  readonly path: readonly string[];
  readonly node: DocumentNode;
  readonly depth: number;
  readonly expanded: boolean | null;
  /** How many of its siblings are not here, if this stands for them. */
  readonly more: number | null;
}

/** Levels that are open at first, as long as they are not long. */
const OPEN_DEPTH = 2;
const OPEN_SIZE = 30;

/** Values inside values: a dictionary, JSON, a pydantic model. More is asked for when it is opened. */
export function DocumentView({ preview, fetch }: IDocumentViewProps): ReactElement {
  const [root, setRoot] = useState(preview.root);
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState('');
  const [notice, setNotice] = useState<INotice | null>(null);
  const tree = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  const asking = useRef(new AbortController());
  const lines = useMemo(() => linesOf(root, toggled), [root, toggled]);
  useEffect(() => {
    asking.current = new AbortController();
    return () => asking.current.abort();
  }, []);
  useEffect(() => {
    if (moved.current) {
      moved.current = false;
      tree.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
    }
  }, [active]);

  const load = useCallback(
    async (path: readonly string[], offset: number) => {
      const { signal } = asking.current;
      try {
        const part = await fetch({ path, offset }, signal);
        if (!signal.aborted && part.form === 'document') {
          setNotice(null);
          setRoot(before => withChildren(before, path, offset, part.root.children));
        }
      } catch (reason) {
        if (!signal.aborted) {
          setNotice(errorNotice(reportOf(reason)));
        }
      }
    },
    [fetch]
  );

  const toggle = (line: ILine): void => {
    if (line.more !== null) {
      void load(line.path, line.node.children.length);
      return;
    }
    if (line.expanded === null) {
      return;
    }
    setToggled(before => {
      const after = new Set(before);
      if (!after.delete(line.id)) {
        after.add(line.id);
      }
      return after;
    });
    if (!line.expanded && line.node.children.length === 0) {
      void load(line.path, 0);
    }
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const index = Math.max(
      0,
      lines.findIndex(({ id }) => id === active)
    );
    const line = lines[index];
    if (!line) {
      return;
    }
    const move = (to: number): void => {
      moved.current = true;
      setActive(lines[Math.max(0, Math.min(lines.length - 1, to))]?.id ?? '');
    };
    switch (event.key) {
      case 'ArrowDown':
        move(index + 1);
        break;
      case 'ArrowUp':
        move(index - 1);
        break;
      case 'Home':
        move(0);
        break;
      case 'End':
        move(lines.length - 1);
        break;
      case 'ArrowRight':
        if (line.expanded === false) {
          toggle(line);
        } else if (line.expanded) {
          move(index + 1);
        }
        break;
      case 'ArrowLeft':
        if (line.expanded) {
          toggle(line);
        } else {
          move(lines.findIndex(({ id }) => id === JSON.stringify(line.path.slice(0, -1))));
        }
        break;
      case 'Enter':
      case ' ':
        toggle(line);
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const current = lines.some(({ id }) => id === active) ? active : (lines[0]?.id ?? '');
  return (
    <div className="pb-Contents">
      <p className="pb-Viewer-text pb-mod-faint">
        {root.size === null
          ? preview.type
          : trans.__('%1 with %2 entries', preview.type, exactNumber(root.size))}
      </p>
      {notice && <Notice notice={notice} onRetry={() => setNotice(null)} />}
      <div
        ref={tree}
        className="pb-Document"
        role="tree"
        aria-label={trans.__('Contents')}
        onKeyDown={onKeyDown}
      >
        {lines.map(line => (
          <Line
            key={line.id}
            line={line}
            isActive={line.id === current}
            onClick={() => {
              setActive(line.id);
              toggle(line);
            }}
          />
        ))}
      </div>
    </div>
  );
}

interface ILineProps {
  readonly line: ILine;
  readonly isActive: boolean;
  onClick(): void;
}

function Line({ line, isActive, onClick }: ILineProps): ReactElement {
  const { node, depth, expanded, more } = line;
  const Caret = expanded ? caretDownIcon : caretRightIcon;
  return (
    <div
      className="pb-Document-line"
      role="treeitem"
      aria-level={depth + 1}
      aria-expanded={expanded ?? undefined}
      tabIndex={isActive ? 0 : -1}
      style={{ paddingLeft: `${8 + 16 * depth}px` }}
      onClick={onClick}
    >
      {expanded === null ? (
        <span className="pb-Document-caret" />
      ) : (
        <Caret.react tag="span" className="pb-Document-caret" aria-hidden="true" />
      )}
      {more !== null ? (
        <span className="pb-Document-more">{trans._n('%1 more', '%1 more', more)}</span>
      ) : (
        <>
          <span className="pb-Document-key">{node.key}</span>
          {node.size === null ? (
            <span className="pb-Document-value" data-type={node.type}>
              {node.text}
            </span>
          ) : (
            <span className="pb-mod-faint">
              {node.size === 0
                ? trans.__('%1, empty', node.type)
                : `${node.type} · ${exactNumber(node.size)}`}
            </span>
          )}
        </>
      )}
    </div>
  );
}

function linesOf(root: DocumentNode, toggled: ReadonlySet<string>): ILine[] {
  const lines: ILine[] = [];
  const visit = (node: DocumentNode, path: readonly string[], depth: number): void => {
    const id = JSON.stringify(path);
    const has = node.size !== null && node.size > 0;
    const isOpenAtFirst = depth < OPEN_DEPTH && (node.size ?? 0) <= OPEN_SIZE && node.children.length > 0;
    const expanded = has ? isOpenAtFirst !== toggled.has(id) : null;
    if (depth >= 0) {
      lines.push({ id, path, node, depth, expanded, more: null });
    }
    if (expanded || depth < 0) {
      node.children.forEach(child => visit(child, [...path, child.key], depth + 1));
      const more = (node.size ?? 0) - node.children.length;
      if (more > 0 && node.children.length > 0) {
        lines.push({ id: `${id} more`, path, node, depth: depth + 1, expanded: null, more });
      }
    }
  };
  visit(root, [], root.size === null ? 0 : -1);
  return lines;
}

/** The document with some more values at one place. */
function withChildren(
  node: DocumentNode,
  path: readonly string[],
  offset: number,
  children: readonly DocumentNode[]
): DocumentNode {
  const [key, ...rest] = path;
  if (key === undefined) {
    return { ...node, children: [...node.children.slice(0, offset), ...children] };
  }
  return {
    ...node,
    children: node.children.map(child =>
      child.key === key ? withChildren(child, rest, offset, children) : child
    )
  };
}
