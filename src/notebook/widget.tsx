import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ReactElement } from 'react';

import { butlerIcon } from '../parts';
import { trans } from '../trans';
import type { UsedModel } from './model';
import { type IUsedActions, UsedDatasets } from './view';

/** The list of a notebook's datasets, for a side area. */
export class UsedWidget extends ReactWidget {
  constructor(
    readonly model: UsedModel,
    private readonly _actions: IUsedActions
  ) {
    super();
    this.id = 'python-butler-used';
    this.addClass('pb-Used');
    this.title.icon = butlerIcon;
    this.title.caption = trans.__('Datasets used by this notebook');
    this.title.closable = true;
    model.stateChanged.connect(() => this.update());
  }

  protected override render(): ReactElement {
    return <UsedDatasets model={this.model} actions={this._actions} />;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.visible = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.model.visible = false;
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.querySelector<HTMLElement>('button')?.focus();
  }
}
