import { type ISignal, Signal } from '@lumino/signaling';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import type { SkyCircle } from '../api';
import type { IDatasetTarget } from '../model';
import { trans } from '../trans';
import type { RightAscensionUnit } from './coordinates';
import type { IFootprint } from './footprints';
import { followPointer, type IGesture, placeOf, startGesture, type Tool } from './gestures';
import { mapKey } from './keys';
import type { SkyModel } from './model';
import { paintOverlay } from './overlay';
import { Painter } from './painter';
import { type IScene, paintsOf } from './painting';
import {
  drawnCircle,
  footprintsAt,
  footprintsInside,
  footprintsInView,
  middleCircle,
  scaledCircle
} from './pointing';
import { type ISkyView, panned, type Point, resized, SkyProjection, wholeView, zoomed } from './projection';
import { readout } from './readout';
import { fitted, including } from './seeing';
import { positionOf, type Vector } from './vectors';

/** What happens on the map besides moving. */
export interface IMapActions {
  /** Open what is chosen. */
  open(): void;
}

/**
 * The map: what is drawn, what is seen of the sky, and what pointer and keys do.
 */
export class SkyMap extends Widget {
  constructor(
    private readonly _model: SkyModel,
    private readonly _actions: IMapActions
  ) {
    super();
    this.addClass('pb-SkyMap');
    this._canvas.className = 'pb-SkyMap-canvas';
    this._overlay.className = 'pb-SkyMap-canvas pb-SkyMap-overlay';
    this._readout.className = 'pb-SkyMap-readout';
    this._overlay.tabIndex = 0;
    this._overlay.setAttribute('role', 'application');
    this.node.append(this._canvas, this._overlay, this._readout);
    this._painter = new Painter(this._canvas, scene => {
      this._shown = scene;
      this.node.dataset.generation = String(this._drawn);
      this._paintOver();
    });
    _model.stateChanged.connect(this._follow, this);
    _model.revealed.connect(this._reveal, this);
  }

  /** Emitted when something else of the sky is seen, or other tools are used. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get view(): ISkyView {
    return this._view;
  }

  set view(view: ISkyView) {
    this._view = view;
    this._draw();
    this._changed.emit();
  }

  get tool(): Tool {
    return this._tool;
  }

  /** Let dragging do something else. */
  use(tool: Tool): void {
    this._tool = tool;
    this.node.dataset.tool = tool;
    this._circle = tool === 'circle' ? middleCircle(this._view) : null;
    this._paintOver();
    this._changed.emit();
  }

  get unit(): RightAscensionUnit {
    return this._unit;
  }

  /** Write right ascensions in another unit. */
  writeIn(unit: RightAscensionUnit): void {
    this._unit = unit;
    this._draw();
    this._changed.emit();
  }

  /** Larger or smaller, around the middle. */
  zoom(factor: number): void {
    this._isSettled = true;
    this.view = zoomed(this._view, factor, [this._view.width / 2, this._view.height / 2]);
  }

  /** See the whole sky. */
  showWhole(): void {
    this._isSettled = true;
    const { width, height, centre } = this._view;
    this.view = wholeView(width, height, { ra: centre.ra, dec: 0 });
  }

  /** See all footprints, as large as possible. */
  showAll(footprints: readonly IFootprint[] = this._model.footprints.all): void {
    if (footprints.length > 0) {
      this.view = fitted(this._model.footprints, footprints, this._view);
    }
  }

  /** Choose the footprint after or before the chosen one. */
  walk(step: number): void {
    const { all } = this._model.footprints;
    const chosen = [...this._model.chosen];
    const from = chosen.length > 0 ? Math.max(...chosen) : step > 0 ? -1 : all.length;
    const next = all[(from + step + all.length) % all.length];
    if (next) {
      this._model.choose([next]);
      this.bringIntoView([next]);
    }
  }

  /** Move, and zoom out if need be, so that footprints can be seen. */
  bringIntoView(footprints: readonly IFootprint[]): void {
    const view = including(this._model.footprints, footprints, this._view);
    if (view !== this._view) {
      this.view = view;
    }
  }

  /** The footprints that can be seen, of which so many come first that are nearest to the middle. */
  inView(nearest: number): readonly IFootprint[] {
    return footprintsInView(this._model.footprints, this._view, nearest);
  }

  /** Show which footprint is meant, without choosing it. */
  mark(footprints: readonly IFootprint[]): void {
    this._marked = footprints;
    this._paintOver();
  }

  /** List only what overlaps the circle that is drawn. */
  search(): void {
    if (this._circle) {
      this._model.search(this._circle);
      this.use('move');
    }
  }

  handleEvent(event: Event): void {
    switch (event.type) {
      case 'wheel':
        this._onWheel(event as WheelEvent);
        break;
      case 'pointerdown':
        this._onPointerDown(event as PointerEvent);
        break;
      case 'pointermove':
        this._onPointerMove(event as PointerEvent);
        break;
      case 'pointerleave':
        this._pointAt(null);
        break;
      case 'dblclick':
        this._actions.open();
        break;
      case 'keydown':
        this._onKeyDown(event as KeyboardEvent);
    }
  }

  override dispose(): void {
    this._painter.dispose();
    this._observer?.disconnect();
    this._theme?.disconnect();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    EVENTS.forEach(type => this._overlay.addEventListener(type, this, { passive: false }));
    this._observer = new ResizeObserver(() => this._resize());
    this._observer.observe(this.node);
    // Colours are the theme's, which a canvas does not follow by itself.
    this._theme = new MutationObserver(() => this._draw());
    this._theme.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name'] });
    this._resize();
  }

  protected override onBeforeDetach(message: Message): void {
    EVENTS.forEach(type => this._overlay.removeEventListener(type, this));
    this._observer?.disconnect();
    this._theme?.disconnect();
    super.onBeforeDetach(message);
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._overlay.focus();
  }

  private _onWheel(event: WheelEvent): void {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const factor = Math.exp(-Math.max(-200, Math.min(200, event.deltaY * lines)) / 300);
    this._isSettled = true;
    this.view = zoomed(this._view, factor, placeOf(event));
  }

  private _onPointerDown(event: PointerEvent): void {
    if (event.button !== 0 || this._gesture) {
      return;
    }
    this._overlay.focus();
    const tool = event.shiftKey && this._tool === 'move' ? 'lasso' : this._tool;
    this._gesture = startGesture(tool, placeOf(event), this._view);
    followPointer(this._overlay, event, {
      moved: place => this._drag(place),
      ended: isDone => {
        const gesture = this._gesture;
        this._gesture = null;
        if (gesture && isDone) {
          this._finish(gesture);
        }
        this._paintOver();
      }
    });
  }

  private _drag(place: Point): void {
    const gesture = this._gesture;
    if (!gesture) {
      return;
    }
    gesture.move(place);
    if (gesture.tool === 'move' && gesture.isDrag) {
      this._isSettled = true;
      this.view = panned(gesture.view, gesture.from, gesture.to);
    } else if (gesture.tool === 'circle' && gesture.isDrag) {
      this._circle = drawnCircle(gesture) ?? this._circle;
    }
    this._paintOver();
  }

  private _finish(gesture: IGesture): void {
    if (!gesture.isDrag) {
      this._chooseAt(gesture.from);
    } else if (gesture.tool === 'circle') {
      this.search();
    } else if (gesture.tool === 'lasso') {
      this._model.choose(footprintsInside(gesture.path, this._model.footprints, this._view));
      if (this._tool === 'lasso') {
        this.use('move');
      }
    }
  }

  /** Choose what is at a place; where several are, one after the other. */
  private _chooseAt(place: Point): void {
    const found = this._at(place);
    const before = found.findIndex(({ index }) => this._model.chosen.has(index));
    const isSame =
      found.length === this._model.here.length &&
      found.every((footprint, at) => footprint === this._model.here[at]);
    const next = found[isSame ? (before + 1) % found.length : 0];
    this._model.choose(next ? [next] : [], found);
  }

  private _at(place: Point): readonly IFootprint[] {
    return footprintsAt(this._model.footprints, this._view, place);
  }

  private _onPointerMove(event: PointerEvent): void {
    if (!this._gesture) {
      const place = placeOf(event);
      // Looking for what is there once a frame is enough.
      cancelAnimationFrame(this._pointing);
      this._pointing = requestAnimationFrame(() => this._pointAt(place));
    }
  }

  private _pointAt(place: Point | null): void {
    cancelAnimationFrame(this._pointing);
    const direction: Vector | null = place && new SkyProjection(this._view).invert(place);
    this._marked = place ? this._at(place) : [];
    this._readout.textContent = direction
      ? readout(positionOf(direction), 1 / this._view.scale, this._marked)
      : '';
    this._paintOver();
  }

  private _onKeyDown(event: KeyboardEvent): void {
    const key = mapKey(event);
    if (!key) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const { width, height } = this._view;
    switch (key.does) {
      case 'pan':
        this._isSettled = true;
        this.view = panned(
          this._view,
          [width / 2, height / 2],
          [width / 2 - key.right * width, height / 2 - key.down * height]
        );
        this._circle = this._circle && { ...this._circle, ...this._view.centre };
        this._paintOver();
        break;
      case 'zoom':
        this.zoom(key.factor);
        break;
      case 'resize-circle':
        this._circle = this._circle && scaledCircle(this._circle, key.factor);
        this._paintOver();
        break;
      case 'fit':
        this.showAll();
        break;
      case 'walk':
        this.walk(key.step);
        break;
      case 'here':
        this._chooseAt([width / 2, height / 2]);
        break;
      case 'accept':
        if (this._circle) {
          this.search();
        } else {
          this._actions.open();
        }
        break;
      case 'escape':
        if (this._gesture) {
          this._gesture = null;
          this._paintOver();
        } else if (this._tool !== 'move') {
          this.use('move');
        } else {
          this._model.cancel();
        }
    }
  }

  /** Other footprints, or another choice. */
  private _follow(): void {
    const { target, state, footprints, generation } = this._model;
    const list = target && listId(target);
    if (list !== this._list) {
      this._list = list;
      this._isSettled = false;
    }
    if (!this._isSettled && footprints.all.length > 0 && this._view.width > 0) {
      // More may come: it is fitted once more when all is there, unless a person has moved it.
      if (generation !== this._drawn || state.status !== 'loading') {
        this.showAll();
        this._isSettled = state.status !== 'loading';
      }
    }
    if (footprints.all.length !== this._length || generation !== this._drawn) {
      this._length = footprints.all.length;
      this._drawn = generation;
      this._marked = [];
      this._draw();
    } else {
      this._paintOver();
    }
    this._changed.emit();
    this._label();
  }

  private _reveal(_: unknown, footprints: readonly IFootprint[]): void {
    this.bringIntoView(footprints);
  }

  private _label(): void {
    const { target, footprints } = this._model;
    this._overlay.setAttribute(
      'aria-label',
      target
        ? trans.__(
            'Sky map of %1: %2 footprints. Arrow keys move, plus and minus zoom, full stop and comma walk from footprint to footprint.',
            target.datasetType.name,
            footprints.all.length
          )
        : trans.__('Sky map')
    );
  }

  private _resize(): void {
    const { clientWidth: width, clientHeight: height } = this.node;
    if (width === 0 || height === 0) {
      return;
    }
    const isFirst = this._view.width === 0;
    this._view = isFirst ? wholeView(width, height, { ra: 0, dec: 0 }) : resized(this._view, width, height);
    if (isFirst) {
      this._follow();
    }
    this._draw();
    this._changed.emit();
  }

  private _draw(): void {
    if (this._view.width > 0) {
      this._painter.request({
        projection: new SkyProjection(this._view),
        footprints: this._model.footprints.all.slice(),
        unit: this._unit,
        paints: paintsOf(this.node)
      });
    }
  }

  /** What is chosen, pointed at or being drawn, over the map as it is shown. */
  private _paintOver(): void {
    if (this._shown) {
      const { all } = this._model.footprints;
      paintOverlay(this._overlay, this._shown, {
        chosen: [...this._model.chosen].flatMap(index => all[index] ?? []),
        marked: this._marked,
        near: this._model.target?.filter?.near ?? null,
        circle: this._circle,
        lasso: this._gesture?.tool === 'lasso' ? this._gesture.path : []
      });
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _canvas = document.createElement('canvas');
  private readonly _overlay = document.createElement('canvas');
  private readonly _readout = document.createElement('div');
  private readonly _painter: Painter;
  private _view: ISkyView = { centre: { ra: 0, dec: 0 }, scale: 1, width: 0, height: 0 };
  private _tool: Tool = 'move';
  private _unit: RightAscensionUnit = 'degrees';
  private _gesture: IGesture | null = null;
  private _circle: SkyCircle | null = null;
  private _marked: readonly IFootprint[] = [];
  private _shown: IScene | null = null;
  private _list: string | null = null;
  /** Whether the view was fitted to what is listed, or a person chose another. */
  private _isSettled = false;
  private _drawn = -1;
  private _length = 0;
  private _pointing = 0;
  private _observer: ResizeObserver | null = null;
  private _theme: MutationObserver | null = null;
}

const EVENTS = ['wheel', 'pointerdown', 'pointermove', 'pointerleave', 'dblclick', 'keydown'] as const;

/** A word for what is listed, however it is narrowed. */
function listId({ repository, collection, datasetType }: IDatasetTarget): string {
  return [repository.kind, repository.label, collection.name, datasetType.name].join('|');
}
