import { VDomRenderer } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ReactElement } from 'react';

import { trans } from '../trans';
import type { IQueryActions } from './actions';
import type { QueryModel } from './model';
import { Query } from './query';

/** The section of the panel that narrows the list. */
export class QuerySection extends VDomRenderer<QueryModel> {
  constructor(
    private readonly _query: QueryModel,
    private readonly _actions: IQueryActions
  ) {
    super(_query);
    this.addClass('pb-Section');
    this.addClass('pb-mod-scrolls');
    this.title.label = trans.__('Query');
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._query.visible = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._query.visible = false;
  }

  protected override render(): ReactElement {
    return <Query model={this._query} actions={this._actions} />;
  }
}
