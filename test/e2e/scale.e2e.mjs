/** A profile of 5,000 files and 10,000 allocations in the editor: everything is there, and fits a narrow side panel. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import esbuild from 'esbuild';
import { dashboard } from './dashboardPage.mjs';
import { VSCode } from './drive.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const extensionPath = process.env.PAGELENS_E2E_EXTENSION ?? path.resolve(here, '../..');
const pictures = process.env.PAGELENS_E2E_PICTURES;

/** The same generator as the bench's, which is TypeScript. */
async function writeLargeProfile(folder, scratch) {
  const outfile = path.join(scratch, 'large-profile.mjs');
  await esbuild.build({
    ...{ entryPoints: [path.join(here, '../bench/large-profile.ts')], outfile },
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20' },
  });
  const generator = await import(pathToFileURL(outfile).href);
  return generator.writeLargeProfile(folder);
}

describe('a large profile', { timeout: 240_000 }, () => {
  let vscode;
  let scratch;
  let large;
  before(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-large-'));
    const workspace = path.join(scratch, 'workspace');
    large = await writeLargeProfile(workspace, scratch);
    vscode = await VSCode.launch({ workspace, extensionPath });
  });
  afterEach(({ name }) => pictures && vscode?.screenshot(path.join(pictures, `${name.replaceAll(/\W+/g, '-')}.png`)));
  after(async () => {
    await vscode?.close();
    await rm(scratch, { recursive: true, force: true });
  });

  test('opens as the dashboard', async () => {
    await vscode.page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'large.pagelens' }).dblclick();
    await vscode.page.locator('.tab.active[data-resource-name="large.pagelens"]').waitFor();
    const page = await dashboard(vscode, 0, 60_000);
    await page.locator('[role=tabpanel]:not([hidden]) .content > *').first().waitFor();
  });

  test('marks its hottest file: a function or allocation has its lens once', async () => {
    await vscode.openFile(path.basename(large.sources[0]));
    const lenses = await vscode.codeLensTexts(2);
    for (const lens of lenses) assert.match(lens, /^(hot|warm|cold) · .* of accesses/);
    const tops = await vscode.page
      .locator('.codelens-decoration')
      .evaluateAll(nodes => nodes.map(node => node.getBoundingClientRect().top));
    assert.equal(new Set(tops).size, tops.length);
  });

  test('fits a side panel of 300 px: no view is wider than its page', async () => {
    await vscode.runCommand('View: Close All Editors');
    await vscode.runCommand('Pagelens: Focus on Dashboard View');
    const page = await dashboard(vscode, 0, 60_000);
    const width = await page.locator('body').evaluate(node => node.clientWidth);
    assert.ok(width <= 300, `${width} px`);
    for (const tab of await page.getByRole('tab').all()) {
      const name = await tab.getAttribute('title');
      await tab.click();
      const panel = page.locator('[role=tabpanel]:not([hidden])');
      await page.locator('[role=tabpanel]:not([hidden]):not([aria-busy]) .content > *').first().waitFor();
      // A table may scroll within itself; the page may not.
      const overflow = await panel.evaluate(node => node.scrollWidth - node.clientWidth);
      assert.ok(overflow <= 0, `${name} is ${overflow} px too wide`);
      if (pictures) await vscode.screenshot(path.join(pictures, `300-${name}.png`));
    }
  });
});
