import { type IScene, paint } from './painting';

/** Milliseconds of a frame that drawing may take. */
const BUDGET = 10;

/**
 * Draws scenes in slices between frames, into a canvas that is not seen, and shows each when it is complete:
 * nothing flickers, and the page never waits.
 */
export class Painter {
  /**
   * @param shown - Told of each scene as it is shown.
   */
  constructor(
    private readonly _canvas: HTMLCanvasElement,
    private readonly _shown: (scene: IScene) => void
  ) {}

  /** Draw a scene soon; one that was asked for before and not begun is left out. */
  request(scene: IScene): void {
    this._next = scene;
    this._schedule();
  }

  dispose(): void {
    cancelAnimationFrame(this._frame);
    this._next = null;
    this._work = null;
  }

  private _schedule(): void {
    if (this._frame === 0) {
      this._frame = requestAnimationFrame(() => {
        this._frame = 0;
        this._step();
      });
    }
  }

  private _step(): void {
    const end = performance.now() + BUDGET;
    if (!this._work) {
      this._begin();
    }
    const work = this._work;
    if (!work) {
      return;
    }
    while (performance.now() < end) {
      if (work.slices.next().done === true) {
        this._work = null;
        this._show(work.scene);
        break;
      }
    }
    if (this._work !== null || this._next !== null) {
      this._schedule();
    }
  }

  private _begin(): void {
    const scene = this._next;
    this._next = null;
    const context = this._behind.getContext('2d');
    if (!scene || !context) {
      return;
    }
    const { width, height } = scene.projection.view;
    const ratio = window.devicePixelRatio || 1;
    this._behind.width = Math.round(width * ratio);
    this._behind.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this._work = { scene, slices: paint(context, scene) };
  }

  private _show(scene: IScene): void {
    const canvas = this._canvas;
    if (canvas.width !== this._behind.width || canvas.height !== this._behind.height) {
      canvas.width = this._behind.width;
      canvas.height = this._behind.height;
    }
    canvas.getContext('2d')?.drawImage(this._behind, 0, 0);
    this._shown(scene);
  }

  private readonly _behind = document.createElement('canvas');
  private _next: IScene | null = null;
  private _work: { readonly scene: IScene; readonly slices: Generator<void, void, undefined> } | null = null;
  private _frame = 0;
}
