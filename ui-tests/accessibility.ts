// What is wrong for people who see little, or listen.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

/** What axe calls serious or critical, each with the elements it is about. */
export async function serious(page: Page, selector: string): Promise<string[]> {
  // The buttons of JupyterLab's own toolbars tell a state that they have not got.
  const { violations } = await new AxeBuilder({ page }).include(selector).exclude('jp-button').analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(node => `${id}: ${node.target.join(' ')}: ${node.failureSummary ?? ''}`)
    );
}
