import { type ReactElement, useEffect, useMemo, useReducer, useRef, useState } from 'react';

import { ImageClient, reportOf } from '../../api';
import { cancelledNotice, errorNotice, type INotice, loadingNotice } from '../../model';
import { Notice } from '../../parts';
import { trans } from '../../trans';
import type { IPreviewProps } from '../previews';
import { ImageCanvas } from './canvas';
import { Masks } from './masks';
import { ImageModel } from './model';
import { Readout } from './readout';
import { Toolbar } from './toolbar';
import { spokenReading } from './words';

/** Milliseconds of rest of the keys before the cursor's place is spoken. */
const REST = 350;
/** Milliseconds before one is told that something is being loaded. */
const PATIENCE = 150;

/** An image of any kind: scaled, coloured, zoomed, with its mask, and with what there is at the pointer. */
export function ImagePreview({ transport, repository, details, insert }: IPreviewProps): ReactElement {
  const { kind, label } = repository;
  const model = useMemo(
    () => new ImageModel(new ImageClient(transport, { kind, label }, details.id), () => devicePixelRatio),
    [transport, kind, label, details.id]
  );
  useEffect(() => {
    model.start();
    return () => model.dispose();
  }, [model]);
  const { name, components, is_calibration: isCalibration } = details.dataset_type;
  return (
    <Image
      model={model}
      name={name}
      insert={insert}
      // What the code reads to find the pixels of a circle; a calibration is of no part of the sky.
      hasCircles={!isCalibration && components.includes('sky_projection') && components.includes('bbox')}
    />
  );
}

interface IImageProps {
  readonly model: ImageModel;
  readonly name: string;
  readonly insert: IPreviewProps['insert'];
  /** Whether code can cut a circle out of it. */
  readonly hasCircles: boolean;
}

/** The same for a model that somebody else made. */
export function Image({ model, name, insert, hasCircles }: IImageProps): ReactElement {
  const frame = useFrames(model);
  const [maskOpen, setMaskOpen] = useState(false);
  const [spoken, setSpoken] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const unit = unitOf(model);
  const speak = (): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const { reading } = model;
      setSpoken(reading ? spokenReading(reading, unitOf(model)) : '');
    }, REST);
  };
  const toggleMask = (): void => {
    setMaskOpen(!maskOpen);
    model.setMask({ shown: maskOpen ? new Set() : model.suggested });
  };
  const insertCutout = (): void => {
    const box = model.view?.visible;
    if (box) {
      insert('cutout-box', { box });
    }
  };
  const insertCircle = (): void => {
    const { circle } = model;
    if (circle) {
      const { ra, dec, radius } = circle;
      // A millionth of a degree is 4 mas, a fiftieth of a pixel.
      const rounded = { ra: rounding(ra, 6), dec: rounding(dec, 6), radius: rounding(radius, 2) };
      insert('cutout-circle', { circle: rounded });
    }
  };
  const notice = noticeOf(model, name);
  const isLate = useLate(notice?.state === 'loading');
  return (
    <div className="pb-Image">
      <Toolbar
        model={model}
        maskOpen={maskOpen}
        onMask={toggleMask}
        onInsert={insertCutout}
        onInsertCircle={hasCircles ? insertCircle : null}
      />
      <div className="pb-Image-middle" aria-busy={notice?.state === 'loading'}>
        <ImageCanvas model={model} label={trans.__('Image of %1', name)} frame={frame} onSpeak={speak} />
        {maskOpen && <Masks model={model} />}
        {notice && (notice.state !== 'loading' || isLate) && (
          <div className="pb-Image-notice">
            <Notice
              notice={notice}
              onRetry={() =>
                model.description.status === 'loaded' ? model.retry() : model.retryDescription()
              }
              onCancel={() => model.stop()}
              onCopy={text => void navigator.clipboard.writeText(text)}
            />
          </div>
        )}
      </div>
      <Readout model={model} unit={unit} />
      <div className="pb-Image-spoken" aria-live="polite">
        {spoken}
      </div>
    </div>
  );
}

function rounding(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function unitOf(model: ImageModel): string {
  const { description, plane } = model;
  return description.status === 'loaded'
    ? (description.value.planes.find(({ id }) => id === plane)?.unit ?? '')
    : '';
}

function noticeOf(model: ImageModel, name: string): INotice | null {
  const { description } = model;
  switch (description.status) {
    case 'unasked':
    case 'loading':
      return loadingNotice(name);
    case 'cancelled':
      return cancelledNotice(name);
    case 'failed':
      return errorNotice(description.error, description.retryAt);
    case 'loaded':
      break;
  }
  if (model.failure !== null) {
    return errorNotice(reportOf(model.failure));
  }
  if (model.paused) {
    return cancelledNotice(trans.__('the rest of %1', name));
  }
  return model.waiting > 0 ? loadingNotice(trans._n('%1 part', '%1 parts', model.waiting)) : null;
}

/** Count the frames in which a model looks different: never more than the screen shows. */
function useFrames(model: ImageModel): number {
  const [frame, next] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let request = 0;
    const changed = (): void => {
      request ||= requestAnimationFrame(() => {
        request = 0;
        next();
      });
    };
    model.changed.connect(changed);
    changed();
    return () => {
      cancelAnimationFrame(request);
      model.changed.disconnect(changed);
    };
  }, [model]);
  return frame;
}

/** Whether something has lasted long enough to speak of it. */
function useLate(active: boolean): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!active) {
      return;
    }
    const timer = setTimeout(() => setLate(true), PATIENCE);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [active]);
  return isLate && active;
}
