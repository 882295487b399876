import {
  type ComponentType,
  createElement,
  type KeyboardEvent,
  type ReactElement,
  useCallback,
  useEffect,
  useId,
  useState
} from 'react';

import type { DatasetDetails, Transport } from '../api';
import { errorNotice, goneNotice, loadingNotice } from '../model';
import { datasetTypeIcon, InsertButton, Notice, Status } from '../parts';
import { trans } from '../trans';
import type { IViewerActions } from './actions';
import { Facts, MemoryWarning } from './facts';
import type { ViewerModel } from './model';
import { type IPreview, type IPreviewProps, previewsFor } from './previews';
import type { IProvenanceViewProps } from './provenance/view';

export interface IShellProps {
  readonly model: ViewerModel;
  readonly transport: Transport;
  readonly actions: IViewerActions;
}

type IOpenProps = IShellProps & { readonly details: DatasetDetails };

/** One dataset: what it is at once, what is in it when that comes, where it comes from. */
export function Shell(props: IShellProps): ReactElement {
  const { model, actions } = props;
  const { details } = model;
  if (details.status !== 'loaded') {
    return (
      <div className="pb-Viewer">
        <Status
          state={details}
          what={trans.__('the dataset')}
          onRetry={() => model.retryDetails()}
          onCancel={() => model.cancelDetails()}
          onCopy={text => actions.copyText(text)}
        />
      </div>
    );
  }
  const known = { ...props, details: details.value };
  return (
    <div className="pb-Viewer">
      <Head {...known} />
      {!details.value.stored && <Notice notice={goneNotice()} />}
      <MemoryWarning model={model} />
      <div className="pb-Viewer-body">
        <Tabs {...known} />
        <Facts model={model} details={details.value} actions={actions} />
      </div>
    </div>
  );
}

/** A data ID in one line. */
export function dataIdOf({ data_id, dataset_type }: DatasetDetails): string {
  return dataset_type.dimensions
    .filter(name => name in data_id)
    .map(name => `${name} ${data_id[name]}`)
    .join(' · ');
}

function Head({ details, actions }: IOpenProps): ReactElement {
  const { dataset_type } = details;
  const icon = datasetTypeIcon(dataset_type);
  const isInsertable = details.stored;
  return (
    <header className="pb-Viewer-head">
      <div className="pb-Viewer-title">
        <icon.react tag="span" className="pb-Icon" aria-hidden="true" />
        <h2>{dataset_type.name}</h2>
        <span className="pb-Tag" title={trans.__('Storage class')}>
          {dataset_type.storage_class}
        </span>
        <span className="pb-Viewer-dataId">{dataIdOf(details)}</span>
      </div>
      <div className="pb-Details-buttons" role="group" aria-label={trans.__('Actions')}>
        <InsertButton
          title={trans.__('Insert in the notebook last used')}
          disabled={!isInsertable}
          onInsert={() => actions.insert(details)}
          onChoose={anchor => actions.openInsertMenu(anchor, details)}
        />
        {actions.offers('reference') && (
          <button type="button" className="pb-Button" onClick={() => actions.run('reference', details)}>
            {trans.__('Reference')}
          </button>
        )}
        {actions.offers('pin') && (
          <button type="button" className="pb-Button" onClick={() => actions.run('pin', details)}>
            {trans.__('Pin')}
          </button>
        )}
      </div>
    </header>
  );
}

/** Identifier of the tab that is no preview. */
const PROVENANCE = 'provenance';

interface ITab {
  readonly id: string;
  readonly label: string;
  readonly preview: IPreview | null;
}

function Tabs(props: IOpenProps): ReactElement {
  const { model, details } = props;
  const prefix = useId();
  const previews = details.stored ? previewsFor(details) : [];
  const tabs: ITab[] = [
    ...previews.map(preview => ({ id: preview.id, label: preview.label(), preview })),
    { id: PROVENANCE, label: trans.__('Provenance'), preview: null }
  ];
  const index = Math.max(
    0,
    tabs.findIndex(({ id }) => id === model.tab)
  );
  const shown = tabs[index];

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: (index + tabs.length - 1) % tabs.length,
      ArrowRight: (index + 1) % tabs.length,
      Home: 0,
      End: tabs.length - 1
    };
    const next = tabs[steps[event.key] ?? -1];
    if (next) {
      model.show(next.id);
      event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
      event.preventDefault();
    }
  };

  return (
    <div className="pb-Viewer-main">
      <div className="pb-Tabs" role="tablist" aria-label={trans.__('Views')} onKeyDown={onKeyDown}>
        {tabs.map(({ id, label }) => (
          <button
            key={id}
            type="button"
            role="tab"
            className="pb-Tab"
            data-tab={id}
            id={`${prefix}-${id}`}
            aria-controls={`${prefix}-panel`}
            aria-selected={id === shown?.id}
            tabIndex={id === shown?.id ? 0 : -1}
            onClick={() => model.show(id)}
          >
            {label}
          </button>
        ))}
      </div>
      <div
        className="pb-TabPanel"
        role="tabpanel"
        id={`${prefix}-panel`}
        aria-labelledby={`${prefix}-${shown?.id ?? ''}`}
      >
        {shown?.preview ? (
          <PreviewPanel key={`${shown.id} ${details.id}`} {...props} preview={shown.preview} />
        ) : (
          <OnDemand load={loadProvenance} props={props} />
        )}
      </div>
    </div>
  );
}

function PreviewPanel({
  model,
  details,
  transport,
  actions,
  preview
}: IOpenProps & { readonly preview: IPreview }): ReactElement {
  const load = useCallback(() => preview.load(), [preview]);
  const insert = useCallback<IPreviewProps['insert']>(
    (snippet, choice) => actions.insert(details, snippet, choice),
    [actions, details]
  );
  return <OnDemand load={load} props={{ transport, repository: model.key, details, insert }} />;
}

const loadProvenance = async (): Promise<ComponentType<IProvenanceViewProps>> =>
  (await import('./provenance/view')).default;

interface IOnDemandProps<P extends object> {
  /** Gets the component; the same function as long as it is the same. */
  load(): Promise<ComponentType<P>>;
  readonly props: P;
}

/** A component that is loaded when it is to be shown. */
function OnDemand<P extends object>({ load, props }: IOnDemandProps<P>): ReactElement {
  const [loaded, setLoaded] = useState<{ readonly component: ComponentType<P> | null } | null>(null);
  useEffect(() => {
    let isWanted = true;
    load().then(
      component => isWanted && setLoaded({ component }),
      () => isWanted && setLoaded({ component: null })
    );
    return () => {
      isWanted = false;
    };
  }, [load]);
  if (!loaded) {
    return <Notice notice={loadingNotice(trans.__('the view'))} />;
  }
  return loaded.component ? createElement(loaded.component, props) : <BrokenPart />;
}

function BrokenPart(): ReactElement {
  return (
    <Notice
      notice={{
        ...errorNotice({
          kind: 'backend',
          message: trans.__('This view could not be loaded.'),
          next_step: trans.__('Reload the page; JupyterLab may have been updated.'),
          retry_in: null,
          request_id: ''
        }),
        retry: null
      }}
    />
  );
}
