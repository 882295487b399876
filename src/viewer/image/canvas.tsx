import { type KeyboardEvent, type ReactElement, useEffect, useRef } from 'react';

import { trans } from '../../trans';
import { Gestures } from './gestures';
import type { ImageModel } from './model';
import { Overlay } from './overlay';
import { Painter } from './painter';

export interface IImageCanvasProps {
  readonly model: ImageModel;
  readonly label: string;
  /** Counts up whenever the model looks different. */
  readonly frame: number;
  /** The cursor was moved by a key: say where it is. */
  readonly onSpeak: () => void;
}

/** Factor of one step of zooming. */
export const STEP = Math.SQRT2;
const PAN = 64;

/** The image itself, with everything that a pointer and keys do to it. */
export function ImageCanvas({ model, label, frame, onSpeak }: IImageCanvasProps): ReactElement {
  const stage = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLCanvasElement>(null);
  const mask = useRef<HTMLCanvasElement>(null);
  const painter = useRef<Painter | null>(null);

  useEffect(() => {
    const element = stage.current;
    if (!element) {
      return;
    }
    const observer = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = element;
      for (const canvas of element.querySelectorAll('canvas')) {
        canvas.width = Math.round(width * devicePixelRatio);
        canvas.height = Math.round(height * devicePixelRatio);
      }
      model.resize({ width, height });
    });
    observer.observe(element);
    const gestures = new Gestures(element, model);
    return () => {
      observer.disconnect();
      gestures.dispose();
    };
  }, [model]);

  useEffect(() => {
    const tool = (painter.current ??= new Painter());
    let request = 0;
    const paint = (): void => {
      if (image.current && mask.current && tool.paint(model, image.current, mask.current, devicePixelRatio)) {
        request = requestAnimationFrame(paint);
      }
    };
    paint();
    return () => cancelAnimationFrame(request);
  }, [model, frame]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (pressed(model, event)) {
      event.preventDefault();
      event.stopPropagation();
      if (event.key.startsWith('Arrow') && !event.altKey) {
        onSpeak();
      }
    }
  };

  return (
    <div
      ref={stage}
      className="pb-Image-stage"
      // Arrow keys move a cursor here, which is nothing that a screen reader's own keys do.
      role="application"
      aria-roledescription={trans.__('image')}
      aria-label={label}
      aria-description={trans.__(
        'Arrow keys move the cursor, with Shift by ten steps, with Alt they move the image; plus and minus zoom, 0 shows all, 1 shows true size.'
      )}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <canvas ref={image} className="pb-Image-canvas" />
      <canvas ref={mask} className="pb-Image-canvas pb-mod-mask" />
      <Overlay model={model} />
    </div>
  );
}

/** Do what a key stands for; false if it stands for nothing. */
function pressed(model: ImageModel, { key, shiftKey, altKey, ctrlKey, metaKey }: KeyboardEvent): boolean {
  const { view } = model;
  if (!view || ctrlKey || metaKey) {
    return false;
  }
  const direction = DIRECTIONS[key];
  if (direction && altKey) {
    model.setView(view.panned(-direction[0] * PAN, direction[1] * PAN));
    return true;
  }
  if (direction) {
    // As far as one sees it move: a pixel of the image, or of the screen if that is more.
    const step = Math.max(1, Math.round(1 / view.zoom)) * (shiftKey ? 10 : 1);
    const { x, y } = model.cursor ?? view.center;
    const from = { x: Math.round(x), y: Math.round(y) };
    model.setCursor({ x: from.x + direction[0] * step, y: from.y + direction[1] * step }, true);
    return true;
  }
  const at = model.cursor ? view.toScreen(model.cursor) : undefined;
  switch (key) {
    case '+':
    case '=':
      model.setView(view.zoomed(STEP, at));
      return true;
    case '-':
      model.setView(view.zoomed(1 / STEP, at));
      return true;
    case '0':
      model.fit();
      return true;
    case '1':
      model.setView(view.zoomedTo(1, at));
      return true;
    case 'Escape':
      if (model.waiting > 0 && !model.paused) {
        model.stop();
        return true;
      }
      return false;
    default:
      return false;
  }
}

const DIRECTIONS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1]
};
