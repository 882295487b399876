/**
 * Dragging datasets: between cells they become a cell, in an editor an expression or a citation, and with
 * Shift held whatever is chosen from a menu where they are dropped; elsewhere in the main area, a viewer.
 *
 * A notebook takes cells from a drag before its editors see the text in it, so data that offers both
 * would never reach an editor. Therefore the data offers what fits the place under the pointer.
 */

import type { INotebookTracker, Notebook, NotebookPanel } from '@jupyterlab/notebook';
import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';
import type { Widget } from '@lumino/widgets';

import type { IDatasetSelection, IView } from '../model';
import type { IButlerVariable } from '../python/butlers';
import { askKernel } from '../python/kernel';
import { dragChip } from './chip';
import { chooseSnippet } from './choosing';
import { cellFor, type ICodeOptions, snippetsFor } from './code';

import {
  codeCell,
  expressionForCell,
  editCell,
  insertInCell,
  optionsOf,
  placeIn,
  selectCell,
  visibleNotebooks,
  type IWorkspace
} from './notebook';
import { noteFor } from './note';

const CELLS = 'application/vnd.jupyter.cells';
const TEXT = 'text/plain';
const WIDGET = 'application/vnd.lumino.widget-factory';
const EDITOR = '.jp-CodeMirrorEditor';
const DOCK = '#jp-main-dock-panel';
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
  /** Whether it is where documents are, and no notebook's cells. */
  readonly isDock: boolean;
  readonly notebook: Notebook | null;
  /** Index of the cell under the pointer; the number of cells if there is none. */
  readonly index: number;
}

/** Offers cells, text or a document, never several; none is made before somebody takes it. */
class DatasetMimeData extends MimeData {
  constructor(private readonly _session: DragSession) {
    super();
  }

  override types(): string[] {
    const { isEditor, isDock } = this._session.spot;
    return [isEditor ? TEXT : isDock ? WIDGET : CELLS];
  }

  override hasData(mime: string): boolean {
    return this.types().includes(mime);
  }

  override getData(mime: string): unknown {
    if (!this.hasData(mime)) {
      return undefined;
    }
    switch (mime) {
      case TEXT:
        return this._session.text();
      case WIDGET:
        return () => this._session.viewer();
      default:
        return this._session.cells();
    }
  }
}

class DragSession implements EventListenerObject {
  readonly data = new DatasetMimeData(this);
  spot: ISpot = { isEditor: false, isDock: false, notebook: null, index: 0 };

  constructor(
    private readonly _drag: IDatasetDrag,
    private readonly _workspace: IWorkspace
  ) {
    // A drop between cells has to be answered at once, so kernels are asked now.
    this._asked = Promise.all(
      visibleNotebooks(_workspace.notebooks).map(async panel => {
        const butlers = await askKernel(panel.sessionContext.session?.kernel);
        this._kernels.set(panel.content, butlers);
      })
    );
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
    const cell = codeCell(source, noteFor(this._drag.selection));
    const { notebook } = this.spot;
    this._finish = async () => {
      const index = notebook?.widgets.findIndex(({ model }) => model.id === cell.id) ?? -1;
      if (notebook && index >= 0) {
        await selectCell(notebook, index);
      }
    };
    return [cell];
  }

  /** A document that shows the dataset; null refuses the drop. */
  viewer(): Widget | null {
    return this._workspace.viewerOf?.(this._drag.selection) ?? null;
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
   * it needs at the top of the cell, and would leave the focus in the sidebar. So we do if Shift is held,
   * which asks for a choice.
   */
  private _drop(event: Drag.Event, target: Element): void {
    const { notebook, index, isEditor } = this.spot;
    const cell = notebook?.widgets[index];
    const editor = cell?.editor;
    const isInside = isEditor && cell !== undefined && Boolean(editor) && !cell.readOnly;
    if (!notebook || !(isInside || event.shiftKey)) {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    event.dropAction = 'copy';
    for (let node = target.closest(`.${DROP_TARGET}`); node; node = node.closest(`.${DROP_TARGET}`)) {
      node.classList.remove(DROP_TARGET);
    }
    const { clientX: left, clientY: top } = event;
    const position = editor?.getPositionForCoordinate({ left, right: left, top, bottom: top });
    const offset = position && editor ? editor.getOffsetAt(position) : undefined;
    const place = { notebook, index, offset: isInside ? (offset ?? Infinity) : null };
    if (event.shiftKey && (!isInside || cell.model.type === 'code')) {
      this._finish = async () => {
        const choices = snippetsFor(this._drag.selection, this._workspace.snippets());
        const snippet = await chooseSnippet(choices, { x: left, y: top });
        if (snippet !== null) {
          await this._insert(place, { ...this._options, snippet });
        }
      };
    } else {
      this._finish = () => this._insert(place, this._options);
    }
  }

  /**
   * Insert into the cell at an index, or where there is no expression to insert, a cell of its own, and
   * select what was inserted. Who lets go sooner than the kernel has answered waits that long, never a second.
   */
  private async _insert(
    { notebook, index, offset }: { notebook: Notebook; index: number; offset: number | null },
    options: ICodeOptions
  ): Promise<void> {
    await this._asked;
    const kernel = this._kernels.get(notebook) ?? [];
    const { selection } = this._drag;
    const cell = notebook.widgets[index];
    if (cell && offset !== null) {
      const at = Math.min(offset, cell.model.sharedModel.getSource().length);
      const addressOf = (view: IView): string => this._workspace.addressOf(view);
      const expression = expressionForCell(notebook, index, at, selection, kernel, options, addressOf);
      if (expression) {
        insertInCell(cell, at, at, expression, noteFor(selection));
        await editCell(notebook, index);
        return;
      }
    }
    const below = offset === null ? index : index + 1;
    const source = cellFor(selection, placeIn(notebook, below, kernel), options);
    if (source !== null) {
      notebook.model?.sharedModel.insertCell(below, codeCell(source, noteFor(selection)));
      await selectCell(notebook, below);
    }
  }

  private _cellSource(): string | null {
    const { notebook, index } = this.spot;
    const place = notebook ? placeIn(notebook, index, this._kernels.get(notebook) ?? []) : undefined;
    return cellFor(this._drag.selection, place, this._options);
  }

  private get _options(): ICodeOptions {
    return optionsOf(this._workspace, this._drag.options ?? {});
  }

  private readonly _asked: Promise<unknown>;
  private readonly _kernels = new Map<Notebook, readonly IButlerVariable[]>();
  private _finish: (() => Promise<void>) | null = null;
}

function locate(node: Element, tracker: INotebookTracker): ISpot {
  const isEditor = node.closest(EDITOR) !== null;
  const panel = tracker.find((candidate: NotebookPanel) => candidate.content.node.contains(node));
  if (!panel) {
    return { isEditor, isDock: !isEditor && node.closest(DOCK) !== null, notebook: null, index: 0 };
  }
  const notebook = panel.content;
  const index = notebook.widgets.findIndex(cell => cell.node.contains(node));
  return { isEditor, isDock: false, notebook, index: index < 0 ? notebook.widgets.length : index };
}
