// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SOURCES = join(__dirname, '..');
/** Attributes that a person reads or hears. */
const SPOKEN = new Set([
  'title',
  'aria-label',
  'aria-roledescription',
  'aria-valuetext',
  'placeholder',
  'alt',
  'label'
]);
/** Options of JupyterLab's widgets and commands that a person reads. */
const OPTIONS = new Set(['label', 'caption', 'tooltip', 'title', 'usage', 'placeholder', 'ariaLabel']);
const WORD = /\p{Letter}{2,}/u;

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
  file => /\.tsx?$/.test(file) && !file.includes('__tests__') && file !== join('api', 'schema.ts')
);

describe('every text goes through the translator', () => {
  it.each(files)('in %s', file => {
    expect(hardTexts(file)).toEqual([]);
  });
});

/** Texts for people that stand in the code as they are. */
function hardTexts(file: string): string[] {
  const text = readFileSync(join(SOURCES, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const look = (node: ts.Node): void => {
    const said = spoken(node);
    if (said !== null && WORD.test(said)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${line + 1}: ${said.trim()}`);
    }
    ts.forEachChild(node, look);
  };
  look(source);
  return found;
}

/** What a person would read of a node, if it is written there. */
function spoken(node: ts.Node): string | null {
  if (ts.isJsxText(node)) {
    return node.text;
  }
  if (ts.isJsxAttribute(node) && SPOKEN.has(node.name.getText())) {
    const value = node.initializer;
    return value && ts.isJsxExpression(value) ? written(value.expression) : written(value);
  }
  if (ts.isPropertyAssignment(node) && OPTIONS.has(node.name.getText())) {
    return written(node.initializer);
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
    return /\.title\.(label|caption)$|\.(title|placeholder|ariaLabel|textContent)$/.test(node.left.getText())
      ? written(node.right)
      : null;
  }
  return null;
}

function written(node: ts.Node | undefined): string | null {
  if (!node) {
    return null;
  }
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
    return node.text;
  }
  if (ts.isTemplateExpression(node)) {
    return [node.head, ...node.templateSpans.map(span => span.literal)].map(part => part.text).join(' ');
  }
  if (ts.isConditionalExpression(node)) {
    return [written(node.whenTrue), written(node.whenFalse)].filter(part => part !== null).join(' ') || null;
  }
  return null;
}
