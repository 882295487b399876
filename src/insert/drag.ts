/**
 * Dragging datasets: between cells they become a cell, in an editor an expression or a citation.
 *
 * A notebook takes cells from a drag before its editors see the text in it, so data that offers both
 * would never reach an editor. Therefore the data offers what fits the place under the pointer.
 */

import type { INotebookTracker, Notebook, NotebookPanel } from '@jupyterlab/notebook';
import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';

import type { IDatasetSelection } from '../model';
import { dragChip } from './chip';
import { cellFor, type ICodeOptions } from './code';
import { askKernel } from './kernel';
import {
  codeCell,
  expressionForCell,
  insertInCell,
  placeIn,
  selectCell,
  visibleNotebooks,
  type IWorkspace
} from './notebook';
import type { IButlerVariable } from './python/butlers';

const CELLS = 'application/vnd.jupyter.cells';
const TEXT = 'text/plain';
const EDITOR = '.jp-CodeMirrorEditor';
const DROP_TARGET = 'jp-mod-dropTarget';
const EVENTS = ['lm-dragenter', 'lm-dragover', 'lm-dragleave', 'lm-dragexit', 'lm-drop'] as const;

/** A drag as it begins. */
export interface IDatasetDrag {
  readonly selection: IDatasetSelection;
  /** Where the pointer is. */
  readonly clientX: number;
  readonly clientY: number;
  /** The widget it begins in. */
  readonly source?: unknown;
  readonly options?: ICodeOptions;
}

/**
 * Drag datasets until the pointer is released or Escape is pressed.
 */
export async function startDatasetDrag(drag: IDatasetDrag, workspace: IWorkspace): Promise<void> {
  const session = new DragSession(drag, workspace);
  EVENTS.forEach(type => window.addEventListener(type, session, true));
  try {
    await new Drag({
      mimeData: session.data,
      dragImage: dragChip(drag.selection),
      proposedAction: 'copy',
      supportedActions: 'copy',
      source: drag.source
    }).start(drag.clientX, drag.clientY);
  } finally {
    EVENTS.forEach(type => window.removeEventListener(type, session, true));
  }
  await session.finish();
}

/** What is under the pointer. */
interface ISpot {
  readonly isEditor: boolean;
  readonly notebook: Notebook | null;
  /** Index of the cell under the pointer; the number of cells if there is none. */
  readonly index: number;
}

/** Offers cells or text, never both; neither is made before somebody takes it. */
class DatasetMimeData extends MimeData {
  constructor(private readonly _session: DragSession) {
    super();
  }

  override types(): string[] {
    return [this._session.spot.isEditor ? TEXT : CELLS];
  }

  override hasData(mime: string): boolean {
    return this.types().includes(mime);
  }

  override getData(mime: string): unknown {
    return this.hasData(mime) ? (mime === TEXT ? this._session.text() : this._session.cells()) : undefined;
  }
}

class DragSession implements EventListenerObject {
  readonly data = new DatasetMimeData(this);
  spot: ISpot = { isEditor: false, notebook: null, index: 0 };

  constructor(
    private readonly _drag: IDatasetDrag,
    private readonly _workspace: IWorkspace
  ) {
    // A drop has to be answered at once, so kernels are asked now.
    for (const panel of visibleNotebooks(_workspace.notebooks)) {
      void askKernel(panel.sessionContext.session?.kernel).then(butlers =>
        this._kernels.set(panel.content, butlers)
      );
    }
  }

  /** Look where the pointer is before anybody else handles the event. */
  handleEvent(event: Event): void {
    if (!(event.target instanceof Element)) {
      return;
    }
    this.spot = locate(event.target, this._workspace.notebooks);
    if (event.type === 'lm-drop' && event instanceof Drag.Event) {
      this._drop(event, event.target);
    }
  }

  /** One complete cell, for the notebook under the pointer. */
  cells(): ReturnType<typeof codeCell>[] {
    const source = this._cellSource();
    if (source === null) {
      return [];
    }
    const cell = codeCell(source);
    const { notebook } = this.spot;
    this._finish = async () => {
      const index = notebook?.widgets.findIndex(({ model }) => model.id === cell.id) ?? -1;
      if (notebook && index >= 0) {
        await selectCell(notebook, index);
      }
    };
    return [cell];
  }

  /** Complete code, for editors outside notebooks. */
  text(): string {
    return this._cellSource() ?? '';
  }

  /** Select what was dropped, once the drag is over. */
  async finish(): Promise<void> {
    await this._finish?.();
  }

  /**
   * Take the drop ourselves if it is on a cell's editor: JupyterLab would insert the text, but not what
   * it needs at the top of the cell, and would leave the focus in the sidebar.
   */
  private _drop(event: Drag.Event, target: Element): void {
    const { notebook, index, isEditor } = this.spot;
    const cell = notebook?.widgets[index];
    const editor = cell?.editor;
    if (!notebook || !cell || !editor || !isEditor || cell.readOnly) {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    event.dropAction = 'copy';
    for (let node = target.closest(`.${DROP_TARGET}`); node; node = node.closest(`.${DROP_TARGET}`)) {
      node.classList.remove(DROP_TARGET);
    }
    const { clientX: left, clientY: top } = event;
    const position = editor.getPositionForCoordinate({ left, right: left, top, bottom: top });
    const offset = position ? editor.getOffsetAt(position) : cell.model.sharedModel.getSource().length;
    const kernel = this._kernels.get(notebook) ?? [];
    const { selection } = this._drag;
    const expression = expressionForCell(notebook, index, offset, selection, kernel, this._options);
    if (!expression) {
      return;
    }
    insertInCell(cell, offset, offset, expression);
    this._finish = () => {
      notebook.deselectAll();
      notebook.activeCellIndex = index;
      notebook.mode = 'edit';
      editor.focus();
      return Promise.resolve();
    };
  }

  private _cellSource(): string | null {
    const { notebook, index } = this.spot;
    const place = notebook ? placeIn(notebook, index, this._kernels.get(notebook) ?? []) : undefined;
    return cellFor(this._drag.selection, place, this._options);
  }

  private get _options(): ICodeOptions {
    return { preferPythonButler: this._workspace.preferPythonButler(), ...this._drag.options };
  }

  private readonly _kernels = new Map<Notebook, readonly IButlerVariable[]>();
  private _finish: (() => Promise<void>) | null = null;
}

function locate(node: Element, tracker: INotebookTracker): ISpot {
  const isEditor = node.closest(EDITOR) !== null;
  const panel = tracker.find((candidate: NotebookPanel) => candidate.content.node.contains(node));
  if (!panel) {
    return { isEditor, notebook: null, index: 0 };
  }
  const notebook = panel.content;
  const index = notebook.widgets.findIndex(cell => cell.node.contains(node));
  return { isEditor, notebook, index: index < 0 ? notebook.widgets.length : index };
}
