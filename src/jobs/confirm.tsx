import { Clipboard, Dialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { IJobsClient, JobPlan, JobRequest } from '../api';
import { trans } from '../trans';
import { PlanModel } from './plan';
import { canBegin, PlanView } from './planview';
import { type IPruneWishes, PruneForm, ruleOf, usualWishes } from './pruneform';
import { emptyRequest } from './requests';
import { acceptLabel, titleOf } from './words';

/** Milliseconds after the last key before it is found out what would be pruned. */
const PAUSE = 400;

/**
 * Ask whether something is to be done, saying what and how much; give what was agreed to, or null.
 */
export async function confirmJob(client: IJobsClient, request: JobRequest): Promise<JobRequest | null> {
  return ask(client, new RequestBody(client, request), request);
}

/** Let a person say what is to be pruned, and agree to it. */
export async function confirmPrune(
  client: IJobsClient,
  label: string,
  labels: readonly string[]
): Promise<JobRequest | null> {
  const body = new PruneBody(client, label, labels);
  return ask(client, body, emptyRequest('prune', label));
}

async function ask(_client: IJobsClient, body: PlanBody, request: JobRequest): Promise<JobRequest | null> {
  const dialog = new PlanDialog(titleOf(request.action), body);
  body.begin();
  const { button } = await dialog.launch();
  const { state } = body.plan;
  body.plan.dispose();
  if (!button.accept || state.status !== 'planned') {
    return null;
  }
  const { plan } = state;
  // Nothing more than this was agreed to.
  return { ...state.request, create: plan.creates_satellite, most: plan.new };
}

/** What is between the title and the buttons. */
abstract class PlanBody extends ReactWidget {
  constructor(client: IJobsClient) {
    super();
    this.addClass('pb-PlanBody');
    this.plan = new PlanModel(client);
    this.plan.stateChanged.connect(this.update, this);
  }

  readonly plan: PlanModel;

  /** Ask for the first plan. */
  abstract begin(): void;

  protected renderPlan(): ReactElement {
    return (
      <PlanView
        state={this.plan.state}
        onRetry={() => this.plan.retry()}
        onCopy={text => Clipboard.copyToSystem(text)}
      />
    );
  }
}

class RequestBody extends PlanBody {
  constructor(
    client: IJobsClient,
    private _request: JobRequest
  ) {
    super(client);
  }

  begin(): void {
    this.plan.ask(this._request);
  }

  protected override render(): ReactElement {
    return (
      <>
        {this._request.action === 'retire' && (
          <label className="pb-PlanBody-choice">
            <input
              type="checkbox"
              checked={this._request.purge}
              onChange={event => {
                this._request = { ...this._request, purge: event.target.checked };
                this.begin();
              }}
            />
            {trans.__('Delete them for good')}
          </label>
        )}
        {this.renderPlan()}
      </>
    );
  }
}

class PruneBody extends PlanBody {
  constructor(
    client: IJobsClient,
    label: string,
    private readonly _labels: readonly string[]
  ) {
    super(client);
    this._wishes = usualWishes(label);
  }

  begin(): void {
    const rule = ruleOf(this._wishes);
    this.plan.ask(rule && { ...emptyRequest('prune', this._wishes.label), prune: rule });
  }

  override dispose(): void {
    clearTimeout(this._timer);
    super.dispose();
  }

  protected override render(): ReactElement {
    return (
      <>
        <p className="pb-mod-faint">
          {trans.__('Your own datasets to which all of this applies are removed:')}
        </p>
        <PruneForm
          wishes={this._wishes}
          labels={this._labels}
          onChange={wishes => {
            this._wishes = wishes;
            // What stood there is not what is meant now.
            this.plan.ask(null);
            clearTimeout(this._timer);
            this._timer = setTimeout(() => this.begin(), PAUSE);
          }}
        />
        {this.renderPlan()}
      </>
    );
  }

  private _wishes: IPruneWishes;
  private _timer: ReturnType<typeof setTimeout> | undefined = undefined;
}

/**
 * A dialog that can be agreed to only when it says what would be done.
 */
class PlanDialog extends Dialog<unknown> {
  constructor(
    title: string,
    private readonly _plan: PlanBody
  ) {
    super({
      title,
      body: _plan,
      buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.okButton({ label: title })],
      // The way out, as long as it is not known what would be done.
      defaultButton: 0,
      focusNodeSelector: 'input'
    });
    this.addClass('pb-JobDialog');
    this.node.setAttribute('aria-label', title);
    _plan.plan.stateChanged.connect(this._follow, this);
    this._follow();
  }

  /** The plan that can be agreed to now, or null. */
  private get _agreeable(): JobPlan | null {
    const { state } = this._plan.plan;
    return state.status === 'planned' && canBegin(state.plan) ? state.plan : null;
  }

  override resolve(index?: number): void {
    // Enter in a field takes the default, which would throw away what was written.
    if (index === 1 && this._agreeable === null) {
      return;
    }
    super.resolve(index);
  }

  override handleEvent(event: Event): void {
    if (event instanceof KeyboardEvent && event.key === 'Enter') {
      const { target } = event;
      const isOurs = target instanceof Element && this._plan.node.contains(target);
      if (isOurs) {
        // Fields and links in the text do what they do anywhere; nothing is agreed to by them.
        if (target instanceof HTMLInputElement) {
          event.preventDefault();
        }
        return;
      }
    }
    super.handleEvent(event);
    if (event.type === 'input') {
      // The dialog has made the button usable, since what was written is no nonsense.
      this._follow();
    }
  }

  private _follow(): void {
    const button = this.node.querySelector<HTMLButtonElement>('.jp-Dialog-footer button.jp-mod-accept');
    if (!button) {
      return;
    }
    const plan = this._agreeable;
    const { state } = this._plan.plan;
    const label = button.querySelector('.jp-Dialog-buttonLabel') ?? button;
    button.disabled = plan === null;
    if (state.status === 'planned') {
      label.textContent = acceptLabel(state.plan);
      button.setAttribute('aria-label', acceptLabel(state.plan));
    }
    button.classList.toggle('jp-mod-warn', plan?.irreversible === true);
  }
}
