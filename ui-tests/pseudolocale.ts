// A language that nobody speaks: every text of ours, longer and between brackets, so that one that does not
// go through the translator stands out.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from '@playwright/test';
import ts from 'typescript';

const SOURCES = join(__dirname, '../src');
const DOMAIN = 'python_butler';
/** Between a context and a text in a catalogue, as gettext has it. */
const CONTEXT = '\u0004';

/** How a text looks in this language. */
export function pseudo(text: string): string {
  return `⟦${text} ·····⟧`;
}

/** Have JupyterLab speak it from the next time that it is loaded. */
export async function speakPseudo(page: Page): Promise<void> {
  const catalogue = {
    '': { domain: DOMAIN, language: 'eo', plural_forms: 'nplurals=2; plural=(n != 1);' },
    ...texts()
  };
  await page.route(/\/api\/translations\/default\b/, route =>
    route.fulfill({ json: { data: { [DOMAIN]: catalogue }, message: '' } })
  );
}

/** Every text that the sources have translated, with its translations. */
function texts(): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const file of sources()) {
    const source = ts.createSourceFile(
      file,
      readFileSync(join(SOURCES, file), 'utf8'),
      ts.ScriptTarget.Latest,
      true
    );
    const look = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
        const [first, second] = node.arguments.map(literal);
        switch (node.expression.getText()) {
          case 'trans.__':
            if (first) {
              found[first] = [pseudo(first)];
            }
            break;
          case 'trans._n':
            if (first && second) {
              found[first] = [pseudo(first), pseudo(second)];
            }
            break;
          case 'trans._p':
            if (first && second) {
              found[`${first}${CONTEXT}${second}`] = [pseudo(second)];
            }
            break;
        }
      }
      ts.forEachChild(node, look);
    };
    look(source);
  }
  return found;
}

/** All files with code, by their path from `src`. */
function sources(): string[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(file => /\.tsx?$/.test(file));
}

function literal(node: ts.Expression): string | null {
  return ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) ? node.text : null;
}
