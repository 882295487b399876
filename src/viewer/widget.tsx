import { VDomRenderer } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ReactElement } from 'react';

import type { Transport } from '../api';
import { datasetTypeIcon } from '../parts';
import { trans } from '../trans';
import type { IViewerActions } from './actions';
import type { ViewerModel } from './model';
import { dataIdOf, Shell } from './shell';

/** A dataset as a document of the main area. It asks nothing of the server until somebody sees it. */
export class DatasetViewer extends VDomRenderer<ViewerModel> {
  constructor(
    model: ViewerModel,
    private readonly _transport: Transport,
    private readonly _actions: IViewerActions
  ) {
    super(model);
    this.addClass('pb-ViewerWidget');
    this.title.label = trans.__('Dataset');
    this.title.closable = true;
    model.stateChanged.connect(this._entitle, this);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      const { model } = this;
      super.dispose();
      model.dispose();
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.ask();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    const target = this.node.querySelector<HTMLElement>('[role="tab"][tabindex="0"]') ?? this.node;
    if (target === this.node) {
      this.node.tabIndex = -1;
    }
    target.focus();
  }

  protected override render(): ReactElement {
    return <Shell model={this.model} transport={this._transport} actions={this._actions} />;
  }

  private _entitle(): void {
    if (this.isVisible) {
      this.model.ask();
    }
    const { details, key } = this.model;
    if (details.status === 'loaded') {
      const { value } = details;
      const values = value.dataset_type.dimensions
        .filter(name => name !== 'instrument' && name !== 'skymap')
        .map(name => value.data_id[name]);
      this.title.label = [value.dataset_type.name, ...values].join(' ');
      this.title.caption = `${value.dataset_type.name}\n${dataIdOf(value)}\n${value.run}\n${key.label}`;
      this.title.icon = datasetTypeIcon(value.dataset_type);
    }
  }
}
