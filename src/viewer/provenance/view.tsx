/**
 * The graph of provenance, drawn and walked. Loaded when it is shown.
 */

import { addIcon, caretDownEmptyIcon } from '@jupyterlab/ui-components';
import { type KeyboardEvent, type ReactElement, useEffect, useMemo, useRef } from 'react';

import type { DatasetDetails } from '../../api';
import { REPOSITORY_ICONS, Status } from '../../parts';
import { trans } from '../../trans';
import { type IViewerActions, keyOfNode } from '../actions';
import type { ViewerModel } from '../model';
import type { Direction, GraphItem, IGraphNode } from './graph';
import { type ILayout, layOut, NODE } from './layout';
import { Story } from './story';
import { dataIdOf, titleOf } from './words';

export interface IProvenanceViewProps {
  readonly model: ViewerModel;
  readonly details: DatasetDetails;
  readonly actions: IViewerActions;
}

/** Where a dataset comes from and what was made from it. */
export default function ProvenanceView({ model, details, actions }: IProvenanceViewProps): ReactElement {
  const { graph } = model;
  const { root } = graph;
  useEffect(() => graph.ask(), [graph, root.status]);
  if (root.status !== 'loaded') {
    return (
      <Status
        state={root}
        what={trans.__('where it comes from')}
        onRetry={() => graph.retry()}
        onCancel={() => graph.cancel()}
        onCopy={text => actions.copyText(text)}
      />
    );
  }
  const step = root.value;
  const isAlone = step.inputs.length + step.outputs.length + step.inputs_left_out === 0;
  return (
    <div className="pb-Provenance">
      <Story step={step} label={model.key.label} actions={actions} />
      {!isAlone && <Graph model={model} details={details} actions={actions} />}
    </div>
  );
}

function Graph({ model, actions }: IProvenanceViewProps): ReactElement {
  const { graph, key } = model;
  const picture = graph.picture;
  // What is drawn where depends on which datasets there are, not on what is known of them.
  const shape = JSON.stringify([picture.items.map(item => item.key), picture.edges]);
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const layout = useMemo(() => layOut(picture), [shape]);
  const element = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  const active = picture.items.some(item => item.key === graph.active) ? graph.active : key.id;
  useEffect(() => {
    if (moved.current) {
      moved.current = false;
      element.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
    }
  }, [active]);
  // The dataset itself begins in the middle of what can be seen.
  useEffect(() => {
    const place = layout.nodes.get(key.id);
    const view = element.current;
    if (place && view) {
      view.scrollTo(
        place.x - (view.clientWidth - NODE.width) / 2,
        place.y - (view.clientHeight - NODE.height) / 2
      );
    }
    // Only at first: afterwards a person decides where to look.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  const open = (item: GraphItem): void => {
    if (item.kind === 'more') {
      graph.showMore(item);
      return;
    }
    const target = keyOfNode(key.label, item.dataset);
    if (target && item.key !== key.id) {
      actions.open(target);
    }
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const item = picture.items.find(one => one.key === active);
    if (!item || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const next = neighbour(picture.items, layout, item, event.key);
    if (next) {
      moved.current = true;
      graph.activate(next.key);
    } else if (event.key === 'Enter') {
      open(item);
    } else if (event.key === ' ') {
      if (item.kind === 'more') {
        graph.showMore(item);
      } else {
        const direction = outward(item);
        if (direction) {
          graph.toggle(item.key, direction);
        }
      }
    } else if (event.key === 'Escape') {
      graph.cancel();
    } else if (!event.key.startsWith('Arrow')) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={element}
      className="pb-Graph"
      role="group"
      aria-label={trans.__('Graph of inputs and outputs')}
      onKeyDown={onKeyDown}
    >
      <div className="pb-Graph-sheet" style={{ width: layout.width, height: layout.height }}>
        <svg width={layout.width} height={layout.height} aria-hidden="true">
          {layout.edges.map(edge => (
            <path key={edge.key} className="pb-Graph-edge" d={edge.path} />
          ))}
        </svg>
        {picture.items.map(item => {
          const place = layout.nodes.get(item.key);
          return (
            place && (
              <div
                key={item.key}
                className="pb-Graph-place"
                style={{ left: place.x, top: place.y, width: NODE.width, height: NODE.height }}
              >
                <Node
                  item={item}
                  isRoot={item.key === key.id}
                  isActive={item.key === active}
                  onOpen={() => {
                    graph.activate(item.key);
                    open(item);
                  }}
                />
                {item.kind === 'dataset' && item.key !== key.id && (
                  <Expander item={item} onToggle={direction => graph.toggle(item.key, direction)} />
                )}
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

interface INodeProps {
  readonly item: GraphItem;
  readonly isRoot: boolean;
  readonly isActive: boolean;
  onOpen(): void;
}

function Node({ item, isRoot, isActive, onOpen }: INodeProps): ReactElement {
  const tabIndex = isActive ? 0 : -1;
  if (item.kind === 'more') {
    const words =
      item.direction === 'inputs'
        ? trans._n('%1 more input', '%1 more inputs', item.count)
        : trans._n('%1 more output', '%1 more outputs', item.count);
    return (
      <button type="button" className="pb-Graph-node pb-mod-more" tabIndex={tabIndex} onClick={onOpen}>
        <span>{words}</span>
        {!item.canShow && <span className="pb-mod-faint">{trans.__('not listed here')}</span>}
      </button>
    );
  }
  const { dataset } = item;
  const Icon = dataset.kind === null ? null : REPOSITORY_ICONS[dataset.kind];
  const role = isRoot
    ? trans.__('this dataset')
    : item.rank < 0
      ? trans.__('input')
      : item.rank > 0
        ? trans.__('output')
        : '';
  const place =
    dataset.kind === null
      ? trans.__('cannot be opened: not found in these repositories')
      : isRoot
        ? ''
        : trans.__('Enter opens it, Space shows what is beyond');
  return (
    <button
      type="button"
      className={`pb-Graph-node${isRoot ? ' pb-mod-root' : ''}${dataset.kind === null ? ' pb-mod-lost' : ''}`}
      tabIndex={tabIndex}
      aria-current={isRoot ? 'true' : undefined}
      aria-label={[titleOf(dataset), dataIdOf(dataset), role, place].filter(Boolean).join(', ')}
      title={[titleOf(dataset), dataIdOf(dataset), dataset.run, place].filter(Boolean).join('\n')}
      onClick={onOpen}
    >
      <span className="pb-Graph-title">
        {Icon && <Icon.react tag="span" className="pb-Icon" aria-hidden="true" />}
        <span className="pb-mod-strong">{titleOf(dataset)}</span>
      </span>
      <span className="pb-Graph-dataId">{dataIdOf(dataset)}</span>
    </button>
  );
}

interface IExpanderProps {
  readonly item: IGraphNode;
  onToggle(direction: Direction): void;
}

/** Draws what is beyond a dataset; not a stop of Tab: Space does the same on the dataset. */
function Expander({ item, onToggle }: IExpanderProps): ReactElement | null {
  const direction = outward(item);
  if (!direction) {
    return null;
  }
  const isOpen = item.open[direction];
  const { step } = item;
  const isEmpty = isOpen && step.status === 'loaded' && step.value[direction].length === 0;
  const words =
    isOpen && step.status === 'loading'
      ? trans.__('loading …')
      : isOpen && step.status === 'failed'
        ? trans.__('failed: press again')
        : isEmpty
          ? trans.__('nothing recorded')
          : '';
  const Icon = isOpen ? caretDownEmptyIcon : addIcon;
  const label = direction === 'inputs' ? trans.__('Show its inputs') : trans.__('Show its outputs');
  return (
    <span className="pb-Graph-beyond" data-direction={direction}>
      <button
        type="button"
        tabIndex={-1}
        aria-expanded={isOpen}
        aria-label={label}
        title={label}
        onClick={() => onToggle(direction)}
      >
        <Icon.react tag="span" aria-hidden="true" />
      </button>
      {words !== '' && (
        <span className="pb-Graph-words" role="status">
          {words}
        </span>
      )}
    </span>
  );
}

/** Which way from a dataset there is more to see: on from where it stands. */
function outward(item: IGraphNode): Direction | null {
  const { id, kind } = item.dataset;
  return id === null || kind === null || item.rank === 0 ? null : item.rank < 0 ? 'inputs' : 'outputs';
}

/** The dataset that an arrow key leads to: the nearest in that direction. */
function neighbour(
  items: readonly GraphItem[],
  layout: ILayout,
  from: GraphItem,
  key: string
): GraphItem | null {
  const start = layout.nodes.get(from.key);
  const directions: Readonly<Record<string, readonly [number, number]>> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1]
  };
  const direction = directions[key];
  if (!start || !direction) {
    return null;
  }
  const [dx, dy] = direction;
  let best: GraphItem | null = null;
  let nearest = Infinity;
  for (const item of items) {
    const place = layout.nodes.get(item.key);
    if (!place || item.key === from.key) {
      continue;
    }
    const [x, y] = [place.x - start.x, place.y - start.y];
    const along = x * dx + y * dy;
    const across = Math.abs(x * dy) + Math.abs(y * dx);
    // Up and down stay in the column, left and right leave it.
    const isThere = dy === 0 ? along > NODE.width / 2 : along > 0 && across < NODE.width / 2;
    if (isThere && along + 2 * across < nearest) {
      nearest = along + 2 * across;
      best = item;
    }
  }
  return best;
}
