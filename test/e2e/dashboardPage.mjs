/** The dashboard's page within the editor, for stories. */
import assert from 'node:assert/strict';

/**
 * The page of the visible webview, at least `width` wide, in which `mark` finds something.
 * @param {(page: import('playwright-core').FrameLocator) => import('playwright-core').Locator} mark
 * @param {string} missing what is said when there is none in time
 */
export async function webviewPage(vscode, mark, missing, { width = 0, timeout = 30_000 } = {}) {
  for (const end = Date.now() + timeout; Date.now() < end; await new Promise(done => setTimeout(done, 100))) {
    for (const frame of await vscode.page.locator('iframe.webview.ready:visible').all()) {
      const box = await frame.boundingBox();
      if (!box || box.width < width) continue;
      const outer = vscode.page.frameLocator(`iframe.webview[name="${await frame.getAttribute('name')}"]`);
      const page = outer.frameLocator('iframe#active-frame');
      if ((await mark(page).count()) > 0) return page;
    }
  }
  return assert.fail(missing);
}

/** The page of a dashboard in sight, at least `width` wide. */
export function dashboard(vscode, width = 0, timeout = 30_000) {
  const tab = page => page.getByRole('tab', { name: 'Overview' });
  return webviewPage(vscode, tab, 'no dashboard is visible', { width, timeout });
}

/** Brings a view to the front. */
export async function show(page, view) {
  await page.getByRole('tab', { name: view }).click();
  await page.locator('[role=tabpanel]:not([hidden]):not([aria-busy]) .content > *').first().waitFor();
}

/** Text in sight; figures and their units are joined by no-break spaces here and there. */
export async function words(page) {
  return (await page.locator('[role=tabpanel]:not([hidden])').innerText()).replaceAll('\u00a0', ' ');
}
