/** The dashboard in the editor: a real profile in the side panel and as a tab, from tab to tab and to the source. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dashboard, show, words } from './dashboardPage.mjs';
import { VSCode } from './drive.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const extensionPath = process.env.PAGELENS_E2E_EXTENSION ?? path.resolve(here, '../..');
/** PAGELENS_E2E_PICTURES=DIR keeps pictures of every view in every theme, for the README and for looking at. */
const pictures = process.env.PAGELENS_E2E_PICTURES;
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const views = ['Overview', 'Heatmap', 'Placement', 'Flame graph', 'Pages', 'Trackers', 'Policies', 'Working set'];
const themes = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  'high-contrast': 'Default High Contrast',
};
/** What a theme makes of the page's body. */
const kinds = { dark: 'vscode-dark', light: 'vscode-light', 'high-contrast': 'vscode-high-contrast' };

/** Serious findings of axe in the view in front. The page's policy holds: the script comes by the debugger. */
async function findings(page, background) {
  const body = await page.locator('body').elementHandle();
  const frame = await body.ownerFrame();
  await frame.evaluate(axe);
  // The page is transparent and axe does not look behind the frame: it gets the colour that the editor shows there.
  await body.evaluate((node, color) => node.style.setProperty('background', color), background);
  return frame.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document.body);
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(node => `${node.html} ${node.failureSummary}`).join('; ')}`);
  });
}

describe('the dashboard of a real profile', { timeout: 480_000 }, () => {
  let vscode;
  let workspace;
  let hottest;
  before(async () => {
    workspace = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-ws-'));
    await cp(path.join(extensionPath, 'dist/sample/raytracer.c'), path.join(workspace, 'raytracer.c'));
    if (pictures) await mkdir(pictures, { recursive: true });
    vscode = await VSCode.launch({
      workspace,
      extensionPath,
      viewport: { width: 1440, height: 900 },
    });
  });
  after(async () => {
    await vscode?.close();
    await rm(workspace, { recursive: true, force: true });
  });

  test('without a profile the side panel offers to make one, and it does', async () => {
    await vscode.openFile('raytracer.c');
    await vscode.runCommand('Pagelens: Focus on Dashboard View');
    const panel = await dashboard(vscode);
    await panel.getByRole('button', { name: 'Profile page accesses' }).click();
    await panel.getByText('Hottest lines').first().waitFor({ timeout: 120_000 });
    const text = await words(panel);
    assert.match(text, /raytracer\.c/);
    assert.match(text, /complete recording/);
    assert.match(text, /\d+ % read/);
    assert.match(text, /[\d,]+ pages of 4 KiB, whole run/);
  });

  test('the hottest line leads to its source', async () => {
    const panel = await dashboard(vscode);
    const link = panel.getByRole('button', { name: /^raytracer\.c:\d+/ }).first();
    hottest = /:(\d+)/.exec(await link.innerText())[1];
    await link.click();
    await vscode.page.locator('.line-numbers.active-line-number', { hasText: new RegExp(`^${hottest}$`) }).waitFor();
  });

  test('as an editor tab every view shows the run', async () => {
    // The program's terminal takes the room.
    await vscode.runCommand('View: Hide Panel');
    await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    const tab = await dashboard(vscode, 600);
    await show(tab, 'Placement');
    const grid = tab.getByRole('grid', { name: 'Allocations' });
    await grid
      .getByText(/^[cm]alloc in /)
      .first()
      .waitFor();
    assert.match(await words(tab), /modelled run time of everything in the fastest tier/);
    const capacity = tab.getByRole('slider', { name: 'Modelled slowdown by capacity of the fastest tier' });
    await capacity.focus();
    await capacity.press('ArrowRight');
    assert.match(await capacity.getAttribute('aria-valuetext'), /iB of DRAM: \d\.\d\d/);
    if (pictures) await vscode.page.screenshot({ path: path.join(pictures, 'dashboard-tab-capacity.png') });
    await show(tab, 'Trackers');
    await tab.getByRole('gridcell', { name: 'PML', exact: true }).waitFor();
    await show(tab, 'Policies');
    assert.match(await words(tab), /static-optimal[\s\S]*selected/);
    await show(tab, 'Working set');
    const chart = tab.getByRole('slider', { name: 'Distinct pages per epoch' });
    await chart.focus();
    assert.match(await chart.getAttribute('aria-valuetext'), /pages touched/);
  });

  test('the heatmap has the pixels of the screen, reads its bins, and leads to the source of an allocation', async () => {
    const tab = await dashboard(vscode, 600);
    await show(tab, 'Heatmap');
    const map = tab.getByLabel('Page accesses by address and time');
    const sizes = await map
      .locator('canvas')
      .first()
      .evaluate(canvas => [canvas.width, canvas.clientWidth * devicePixelRatio]);
    assert.ok(Math.abs(sizes[0] - sizes[1]) < 2, sizes.join());
    const colours = await map
      .locator('canvas')
      .first()
      .evaluate(canvas => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const seen = new Set();
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) seen.add(data.slice(i, i + 3).join());
        return seen.size;
      });
    assert.ok(colours > 30, `colours in the heatmap: ${colours}`);
    const box = await map.boundingBox();
    const readout = tab.locator('[role=tabpanel]:not([hidden]) .readout');
    // From the top down until there is an allocation: where each lies is up to the program.
    let line = null;
    for (let y = 0.05; y < 0.8 && !line; y += 0.05) {
      await vscode.page.mouse.move(box.x + box.width * 0.4, box.y + box.height * y);
      await readout.filter({ hasText: 'touched page' }).waitFor();
      line = /^[cm]alloc in .*raytracer\.c:(\d+)\)/.exec(await readout.innerText())?.[1];
    }
    assert.ok(line, 'no allocation in the heatmap');
    await vscode.page.mouse.down();
    await vscode.page.mouse.up();
    await vscode.page.locator('.line-numbers.active-line-number', { hasText: new RegExp(`^${line}$`) }).waitFor();
  });

  test('a phase of the run narrows every view and the source, and is left again', async () => {
    await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    const tab = await dashboard(vscode, 600);
    await show(tab, 'Overview');
    const picker = tab.getByRole('combobox', { name: 'Phase of the run' });
    await picker.click();
    const phases = await tab.getByRole('option').allInnerTexts();
    assert.match(phases[0], /^Whole run, \d+ phases$/);
    // The sample makes its scene before it renders.
    const [, first] = /^1: (\w+).* · [\d.]+ % of accesses$/.exec(phases[1]);
    await tab.getByRole('option', { name: phases[1] }).click();
    await tab.getByText(/^phase 1, epochs 0–\d+$/).waitFor();
    // All that the first phase does is done there.
    await tab
      .getByRole('button', { name: new RegExp(`^raytracer\\.c:\\d+ ${first}`) })
      .first()
      .waitFor();
    if (pictures) await vscode.screenshot(path.join(pictures, 'phase-overview.png'));
    await show(tab, 'Heatmap');
    await tab.getByLabel('Page accesses by address and time').waitFor();
    if (pictures) await vscode.screenshot(path.join(pictures, 'phase-heatmap.png'));
    await vscode.openFile('raytracer.c');
    await vscode.goToLine(hottest);
    const lens = vscode.page.locator('.codelens-decoration');
    // The hottest line of the run does nothing in it, and the cold have no lens.
    await lens.filter({ hasText: 'hot' }).first().waitFor({ state: 'detached' });
    await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    // A page that was hidden is made anew.
    const again = await dashboard(vscode, 600);
    await again.getByRole('button', { name: 'Show the whole run again' }).click();
    await again.getByText(/^phase 1/).waitFor({ state: 'detached' });
    await show(again, 'Overview');
  });

  for (const [name, theme] of Object.entries(themes)) {
    test(`in the ${name} theme no view has a serious finding of axe`, async () => {
      await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
      await choose(workspace, theme);
      // As narrow as a panel the page is in every theme without an editor (test/webview/page.test.ts).
      for (const width of name === 'dark' ? [0, 600] : [600]) {
        const page = await dashboard(vscode, width);
        await page.locator(`body.${kinds[name]}`).waitFor();
        const background = `var(--vscode-${width > 0 ? 'editor' : 'sideBar'}-background)`;
        for (const view of views) {
          await show(page, view);
          assert.deepEqual(await findings(page, background), [], `${view} in ${name}`);
          if (!pictures) continue;
          const file = `dashboard-${width > 0 ? 'tab' : 'panel'}-${view.replace(' ', '-').toLowerCase()}-${name}.png`;
          await vscode.screenshot(path.join(pictures, file));
        }
      }
      await vscode.openFile('raytracer.c');
      await vscode.goToLine(hottest);
      // The hottest function's own lens is one of them.
      assert.ok((await vscode.codeLensTexts(1)).some(text => /^hot · \d+ % of accesses · /.test(text)));
      if (pictures) await vscode.screenshot(path.join(pictures, `editor-${name}.png`));
    });
  }
});

/** By the workspace's settings, which the editor watches. */
async function choose(workspace, theme) {
  await mkdir(path.join(workspace, '.vscode'), { recursive: true });
  const settings = { 'workbench.colorTheme': theme };
  await writeFile(path.join(workspace, '.vscode/settings.json'), JSON.stringify(settings));
}
