import { ReactWidget } from '@jupyterlab/ui-components';
import { Debouncer } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import { Panel } from '@lumino/widgets';
import type { Message } from '@lumino/messaging';
import type { ReactElement } from 'react';

import { Notice } from '../parts';
import { trans } from '../trans';
import { nameOf } from './footprints';
import { MOST_LISTED, SkyList } from './list';
import { SkyMap } from './map';
import type { SkyModel } from './model';
import { skyNotice } from './notices';
import { summary } from './status';
import { SkyToolbar } from './toolbar';

/** What the map has done by others. */
export interface ISkyActions {
  /** Open the chosen dataset. */
  open(): void;
  copyText(text: string): void;
}

/**
 * The sky view: tools above, the map, its footprints as a list beside it, and what is on it below.
 */
export class SkyWidget extends Panel {
  constructor(
    readonly model: SkyModel,
    private readonly _actions: ISkyActions
  ) {
    super();
    this.addClass('pb-Sky');
    this.map = new SkyMap(model, _actions);
    this._list = new Part(() => this._renderList(), 'pb-Sky-aside');
    this._toolbar = new Part(() => this._renderToolbar(), 'pb-Sky-toolbar');
    const status = new Part(() => this._renderStatus(), 'pb-Sky-status');
    const body = new Panel();
    body.addClass('pb-Sky-body');
    body.addWidget(this.map);
    body.addWidget(this._list);
    this.addWidget(this._toolbar);
    this.addWidget(body);
    this.addWidget(status);
    const update = (): void => {
      this._toolbar.update();
      status.update();
      this._lister.invoke().catch(() => undefined);
    };
    model.stateChanged.connect(update, this);
    this.map.changed.connect(update, this);
  }

  readonly map: SkyMap;

  override dispose(): void {
    if (!this.isDisposed) {
      this._lister.dispose();
      Signal.clearData(this);
      this.model.dispose();
      super.dispose();
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.visible = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.model.visible = false;
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.model.visible = this.isVisible;
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.map.activate();
  }

  private _renderToolbar(): ReactElement {
    return (
      <SkyToolbar
        model={this.model}
        map={this.map}
        isListed={!this._list.isHidden}
        toggleList={() => {
          this._list.setHidden(!this._list.isHidden);
          this._toolbar.update();
        }}
      />
    );
  }

  private _renderList(): ReactElement {
    const { model, map } = this;
    return (
      <SkyList
        here={model.here}
        inView={map.inView(MOST_LISTED)}
        chosen={model.chosen}
        choose={footprint => model.choose([footprint], model.here)}
        mark={footprint => map.mark(footprint ? [footprint] : [])}
        open={() => this._actions.open()}
      />
    );
  }

  private _renderStatus(): ReactElement {
    const { model } = this;
    const notice = skyNotice(model);
    const [first, ...others] = [...model.chosen];
    const chosen = first === undefined ? undefined : model.footprints.all[first];
    return (
      <>
        {notice && (
          <Notice
            notice={notice}
            onRetry={() => model.retry()}
            onCancel={() => model.cancel()}
            onCopy={text => this._actions.copyText(text)}
          />
        )}
        <span className="pb-Sky-summary">{summary(model.footprints, model.state, model.chosen.size)}</span>
        <span className="pb-Sky-chosen" aria-live="polite">
          {chosen &&
            (others.length === 0
              ? nameOf(chosen)
              : trans.__('%1 and %2 more', nameOf(chosen), others.length))}
        </span>
      </>
    );
  }

  private readonly _toolbar: Part;
  private readonly _list: Part;
  private readonly _lister = new Debouncer(() => this._list.update(), 150);
}

/** A part that is rendered anew when it is told to. */
class Part extends ReactWidget {
  constructor(
    private readonly _render: () => ReactElement,
    className: string
  ) {
    super();
    this.addClass(className);
  }

  protected override render(): ReactElement {
    return this._render();
  }
}
