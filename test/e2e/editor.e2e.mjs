/** In the editor: the palette command on a program with known counts, its marks, its terminal, cancel, and reopen. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VSCode } from './drive.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
/** The built extension; a packaged one can be unpacked and named instead. */
const extensionPath = process.env.PAGELENS_E2E_EXTENSION ?? path.resolve(here, '../..');
const profile = 'Pagelens: Profile page accesses';

/** A copy of the programs, so that edits and profiles stay out of the repository. */
async function workspaceOf(...programs) {
  const folder = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-ws-'));
  for (const program of programs) await cp(path.join(here, 'programs', program), path.join(folder, program));
  return folder;
}

/** Text behind the lines in view, as the editor draws it. */
const endOfLineTexts = vscode =>
  vscode.page
    .locator('.editor-group-container.active .view-line span')
    .evaluateAll(spans =>
      spans.map(span => getComputedStyle(span, '::after').content).filter(text => text.includes('·')),
    );

/** Waits until a probe of the page gives what is wanted; the last answer is in the failure. */
async function until(probe, wanted, what, timeout = 20_000) {
  let seen;
  for (const end = Date.now() + timeout; Date.now() < end; await new Promise(done => setTimeout(done, 100))) {
    seen = await probe();
    if (wanted(seen)) return seen;
  }
  assert.fail(`${what}: ${JSON.stringify(seen)}`);
}

/** Dashboards drawn over the editor area; a custom editor's frame has no title to find it by. */
async function pagesInEditor(vscode) {
  const editor = await vscode.page.locator('.editor-group-container.active').boundingBox();
  let count = 0;
  for (const frame of await vscode.page.locator('iframe.webview.ready:visible').all()) {
    const box = await frame.boundingBox();
    if (!box || box.x < editor.x) continue;
    const outer = vscode.page.frameLocator(`iframe.webview[name="${await frame.getAttribute('name')}"]`);
    count += await outer.frameLocator('iframe#active-frame').locator('#root').count();
  }
  return count;
}

describe('a trusted workspace', { timeout: 180_000 }, () => {
  let vscode;
  let workspace;
  before(async () => {
    workspace = await workspaceOf('scan.c', 'endless.c');
    // A browser's VS Code saves by itself, and then there would be nothing to revert.
    vscode = await VSCode.launch({ workspace, extensionPath, settings: { 'files.autoSave': 'off' } });
  });
  afterEach(async ({ name }) => {
    // PAGELENS_E2E_PICTURES=DIR keeps what the window showed after each test.
    const folder = process.env.PAGELENS_E2E_PICTURES;
    if (folder) await vscode.screenshot(path.join(folder, `${name.replaceAll(/\W+/g, '-').slice(0, 60)}.png`));
  });
  after(async () => {
    await vscode?.close();
    await rm(workspace, { recursive: true, force: true });
  });

  test('the palette command profiles the active file and puts a lens on its functions', async () => {
    await vscode.openFile('scan.c');
    await vscode.runCommand(profile);
    await vscode.page.locator('.codelens-decoration').first().waitFor({ timeout: 60_000 });
    const lenses = await until(
      () => vscode.codeLensTexts(3),
      texts => texts.every(text => text.length > 0),
      'lenses of fill, sum and the allocation',
    );
    // 2^20 doubles and the allocator's header before them: 2,048 pages of 4 KiB and the start of one more.
    const size = String.raw`2,04[89] pages \(8 MiB\)`;
    const tier = '(HBM|DRAM|CXL|mixed)';
    const sum = new RegExp(`^(hot|warm) · 75 % of accesses · 100 % read, 0 % write · ${size} · ${tier}$`);
    const table = new RegExp(`^hot · 100 % of accesses · 75 % read, 25 % write · ${size} · ${tier}$`);
    assert.ok(
      lenses.some(text => sum.test(text)),
      `no lens of sum in ${lenses.join('\n')}`,
    );
    assert.ok(
      lenses.some(text => table.test(text)),
      `no lens of the allocation in ${lenses.join('\n')}`,
    );
  });

  test('the line that reads has its count and share behind it, a bar beside it, and a mark in the ruler', async () => {
    const texts = await until(
      () => endOfLineTexts(vscode),
      all => all.length >= 2,
      'texts behind lines',
    );
    // 3 x 2^20 = 3,145,728 reads; 2^20 = 1,048,576 writes.
    assert.ok(texts.includes('"3.1 M reads · 75 %"'), texts.join());
    assert.ok(texts.includes('"1.0 M writes · 25 %"'), texts.join());
    const bars = vscode.page.locator('.glyph-margin-widgets .cgmr, .margin-view-overlays .cgmr');
    assert.ok((await bars.count()) >= 2, 'gutter icons');
    const drawn = await vscode.page
      .locator('.editor-group-container.active canvas.decorationsOverviewRuler')
      .evaluate(canvas => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const colours = new Set();
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) colours.add(data.slice(i, i + 3).join());
        return colours.size;
      });
    assert.ok(drawn >= 2, `colours in the overview ruler: ${drawn}`);
  });

  test('the program ran in a terminal of its own, which shows its output and how it ended', async () => {
    const rows = vscode.page.locator('.xterm-rows').first();
    // The sum of 0 .. 2^20 - 1, three times: 3 * (2^20 - 1) * 2^19.
    await until(
      () => rows.textContent(),
      text => text.includes('total 1649265868800') && text.includes('exit status 0'),
      'terminal',
    );
  });

  test('when core dies, it is started again and the marks are there again', async () => {
    const [core, ...others] = await vscode.processes('server.cjs');
    assert.deepEqual(others, []);
    process.kill(core, 'SIGKILL');
    const [again] = await until(
      () => vscode.processes('server.cjs'),
      ids => ids.length === 1 && ids[0] !== core,
      'another core',
    );
    assert.notEqual(again, core);
    const lenses = await until(
      () => vscode.codeLensTexts(1),
      texts => texts.some(text => text.includes('75 % of accesses')),
      'lenses of the profile that was saved',
    );
    assert.ok(lenses.every(text => !text.startsWith('stale')));
  });

  test('the hover has a table with shares and denominators, the object, and links', async () => {
    const line = vscode.page.locator('.view-line', { hasText: 'total += table[i]' });
    const hover = await vscode.hover(line, 'Accesses', 80);
    const text = (await hover.textContent()).replaceAll('\u00a0', ' ');
    assert.match(text, /3,145,7\d\d/);
    assert.match(text, /75 % of the run's accesses/);
    assert.match(text, /100 % of the run's reads/);
    assert.match(text, /source level, whole run/);
    await hover.getByText('Open dashboard').waitFor();
    await vscode.page.keyboard.press('Escape');
  });

  test('marks move with a line typed above them, and the edited line alone goes grey', async () => {
    await vscode.goToLine(1);
    await vscode.page.keyboard.press('Home');
    await vscode.page.keyboard.type('// one more line');
    await vscode.page.keyboard.press('Enter');
    await vscode.page.keyboard.press('Escape');
    await until(
      () => endOfLineTexts(vscode),
      texts => texts.includes('"3.1 M reads · 75 %"'),
      'texts after an edit above',
    );
    await vscode.goToLine(14);
    await vscode.page.keyboard.press('End');
    await vscode.page.keyboard.type('  // edited');
    // The text comes back, in grey, when the cursor leaves the line.
    await vscode.page.keyboard.press('ArrowUp');
    await until(
      () => endOfLineTexts(vscode),
      texts => texts.includes('"3.1 M reads · 75 % (stale)"') && texts.includes('"1.0 M writes · 25 %"'),
      'the edited line is grey',
    );
    await vscode.runCommand('File: Revert File');
    await until(
      () => endOfLineTexts(vscode),
      texts => texts.includes('"3.1 M reads · 75 %"'),
      'reverted',
    );
  });

  test('hot regions list the functions and allocations of the file', async () => {
    await vscode.runCommand('Pagelens: Focus on Hot Regions View');
    const rows = vscode.page.locator('.pane', { hasText: 'Hot Regions' }).locator('.monaco-list-row');
    await rows.filter({ hasText: 'sum' }).first().waitFor();
    const texts = await rows.allTextContents();
    assert.match(texts.join('\n'), /sum\s*75 % · 100 % read, 0 % write/);
  });

  test('annotations can be hidden and shown again', async () => {
    await vscode.openFile('scan.c');
    await vscode.runCommand('Pagelens: Show or hide annotations');
    await until(
      () => vscode.page.locator('.codelens-decoration').count(),
      count => count === 0,
      'lenses hidden',
    );
    await until(
      () => endOfLineTexts(vscode),
      texts => texts.length === 0,
      'texts hidden',
    );
    await vscode.runCommand('Pagelens: Show or hide annotations');
    await vscode.codeLensTexts(2);
  });

  test('a profile is saved, closed, and opened again as the dashboard, and the marks are back', async () => {
    const input = vscode.page.locator('.quick-input-widget input[type=text]');
    await vscode.runCommand('Pagelens: Export the report...');
    // The dialog proposes a name in the workspace once it has read the folder.
    await until(
      () => input.inputValue(),
      value => value === path.join(workspace, 'profile.pagelens'),
      'proposed name',
    );
    await input.press('Enter');
    await input.waitFor({ state: 'hidden' });
    await vscode.runCommand('Pagelens: Close the profile');
    await until(
      () => vscode.page.locator('.codelens-decoration').count(),
      count => count === 0,
      'closed',
    );
    await vscode.runCommand('Pagelens: Open a profile or trace...');
    await vscode.page.locator('.quick-input-widget .monaco-list-row', { hasText: 'profile.pagelens' }).click();
    await vscode.page.locator('.tab.active[data-resource-name="profile.pagelens"]').waitFor();
    await until(
      () => pagesInEditor(vscode),
      count => count === 1,
      'the dashboard in the editor',
    );
    await vscode.openFile('scan.c');
    await vscode.codeLensTexts(2);
  });

  test('recording rests and goes on by command; cancelling ends the program, keeps what was recorded, and says so', async () => {
    await vscode.openFile('endless.c');
    await vscode.runCommand(profile);
    const toast = await vscode.notification('accesses ·');
    await until(
      () => toast.textContent(),
      text => /recording · .* accesses · .*\/s · .* pages/.test(text),
      'progress',
    );
    await vscode.runCommand('Pagelens: Stop recording; the program goes on');
    await until(
      () => toast.textContent(),
      text => /recording rests, the program goes on · .* accesses/.test(text),
      'rest',
    );
    await vscode.runCommand('Pagelens: Start recording of the running program');
    await until(
      () => toast.textContent(),
      text => /recording · .* accesses · .*\/s/.test(text),
      'recording again',
    );
    await toast.getByRole('button', { name: 'Cancel' }).click();
    await vscode.notification('What was recorded until then is shown.');
    const lenses = await vscode.codeLensTexts(1);
    assert.match(lenses.join('\n'), /% of accesses/);
  });

  test('a program that does not compile is told with the reason', async () => {
    await vscode.openFile('scan.c');
    await vscode.goToLine(1);
    await vscode.page.keyboard.press('Home');
    await vscode.page.keyboard.type('no program ');
    await vscode.page.keyboard.press('Escape');
    await vscode.runCommand(profile);
    await vscode.notification('scan.c could not be profiled');
  });
});

describe('an untrusted workspace', { timeout: 90_000 }, () => {
  let vscode;
  let workspace;
  before(async () => {
    workspace = await workspaceOf('scan.c');
    vscode = await VSCode.launch({
      workspace,
      extensionPath,
      trusted: false,
      settings: { 'security.workspace.trust.startupPrompt': 'never' },
    });
  });
  after(async () => {
    await vscode?.close();
    await rm(workspace, { recursive: true, force: true });
  });

  test('nothing is run: the command says why and offers to manage trust', async () => {
    await vscode.openFile('scan.c');
    await vscode.runCommand(profile);
    const toast = await vscode.notification('Profiling is disabled in Restricted Mode');
    await toast.getByRole('button', { name: 'Manage Workspace Trust' }).waitFor();
    assert.equal(await vscode.page.locator('.codelens-decoration').count(), 0);
  });
});
