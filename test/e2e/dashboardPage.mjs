/** The dashboard's page within the editor, for stories. */
import assert from 'node:assert/strict';

/** The visible webview that shows our tabs, at least `width` wide. */
export async function dashboard(vscode, width = 0) {
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise(done => setTimeout(done, 100))) {
    for (const frame of await vscode.page.locator('iframe.webview.ready:visible').all()) {
      const box = await frame.boundingBox();
      if (!box || box.width < width) continue;
      const outer = vscode.page.frameLocator(`iframe.webview[name="${await frame.getAttribute('name')}"]`);
      const page = outer.frameLocator('iframe#active-frame');
      if ((await page.getByRole('tab', { name: 'Overview' }).count()) > 0) return page;
    }
  }
  assert.fail('no dashboard is visible');
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
