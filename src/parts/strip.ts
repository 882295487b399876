import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';

/** A list at the bottom of the panel that can be called up by the keyboard, and tells whether it can be seen. */
export abstract class Strip extends ReactWidget {
  /** @param _seen Told when it can be seen, and when not. */
  constructor(private readonly _seen: (isSeen: boolean) => void) {
    super();
    this.addClass('pb-Jobs');
  }

  /** Open the list and put the focus there. */
  reveal(): void {
    this.open();
    this.update();
    void this.renderPromise?.then(() => {
      this.node.querySelector<HTMLElement>('.pb-Jobs-head')?.focus();
    });
  }

  /** Have the list open from now on. */
  protected abstract open(): void;

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._seen(true);
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._seen(this.isVisible);
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._seen(false);
  }

  protected override onBeforeDetach(message: Message): void {
    this._seen(false);
    super.onBeforeDetach(message);
  }
}
