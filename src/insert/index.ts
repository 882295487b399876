/**
 * The room that turns datasets into code: snippets, where they go, and the drag that carries them.
 */

export { citationFor, dataIdText, referencesFor } from './citation';
export { cellFor, expressionFor, snippetsFor, type ICodeOptions, type IExpression } from './code';
export { startDatasetDrag, type IDatasetDrag } from './drag';
export { copyCode, copyReference, insertInNotebook, type IInsertOptions, type IWorkspace } from './notebook';
export { noteFor } from './note';
export { SnippetRegistry, type ISnippetRegistry } from './registry';
export type { IChoice, ICode, ISnippet, ISnippetContext } from './snippets';
export { readTemplates } from './snippets/custom';
