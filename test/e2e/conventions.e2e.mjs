/** What every extension of the editor does: the keyboard, menus, links, chat tools, and the Testing view. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dashboard } from './dashboardPage.mjs';
import { runExtensionTests, VSCode } from './drive.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const extensionPath = process.env.PAGELENS_E2E_EXTENSION ?? path.resolve(here, '../..');
const pictures = process.env.PAGELENS_E2E_PICTURES;

async function workspaceOf(...programs) {
  const folder = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-ws-'));
  for (const program of programs) {
    await cp(path.join(here, 'programs', program), path.join(folder, path.basename(program)), { recursive: true });
  }
  return folder;
}

async function until(probe, wanted, what, timeout = 30_000) {
  let seen;
  for (const end = Date.now() + timeout; Date.now() < end; await new Promise(done => setTimeout(done, 100))) {
    seen = await probe();
    if (wanted(seen)) return seen;
  }
  assert.fail(`${what}: ${JSON.stringify(seen)}`);
}

function picture(vscode, { name }) {
  return pictures && vscode.screenshot(path.join(pictures, `${name.replaceAll(/\W+/g, '-').slice(0, 60)}.png`));
}

const shownTab = page => page.locator('[role=tab][aria-selected=true]').first();

describe('the main job by keyboard alone', { timeout: 240_000 }, () => {
  let vscode;
  let workspace;
  before(async () => {
    workspace = await workspaceOf('scan.c');
    vscode = await VSCode.launch({ workspace, extensionPath });
    // Whoever has no mouse cannot hover and cannot click: neither may this test.
    const mouse = () => assert.fail('the mouse was used');
    for (const key of ['click', 'dblclick', 'move', 'down', 'wheel']) vscode.page.mouse[key] = mouse;
  });
  afterEach(context => picture(vscode, context));
  after(async () => {
    await vscode?.close();
    await rm(workspace, { recursive: true, force: true });
  });

  /** Opens the quick input by a key, types, and takes what is then in front. */
  async function quickly(key, text, expected) {
    const input = vscode.page.locator('.quick-input-widget input[type=text]');
    for (let tries = 0; tries < 10 && !(await input.isVisible()); tries++) {
      await vscode.page.keyboard.press(key);
      await input.waitFor({ timeout: 1000 }).catch(() => {});
    }
    await vscode.page.keyboard.press('Control+A');
    await vscode.page.keyboard.type(text);
    if (expected) {
      const row = vscode.page.locator('.quick-input-widget .monaco-list-row.focused');
      await until(
        async () => ((await row.count()) ? row.first().getAttribute('aria-label') : ''),
        label => label?.startsWith(expected),
        `${expected} is in front`,
      );
    }
    await vscode.page.keyboard.press('Enter');
    await input.waitFor({ state: 'hidden' });
  }

  const command = title => quickly('F1', `>${title}`, title);

  test('the file is opened and profiled, and its hottest line tells its numbers', async () => {
    await quickly('Control+P', 'scan.c', 'scan.c');
    await vscode.page.locator('.tab.active[data-resource-name="scan.c"]').waitFor();
    await command('Pagelens: Profile page accesses');
    await vscode.page.locator('.codelens-decoration').first().waitFor({ timeout: 60_000 });
    await quickly('Control+G', ':13');
    await vscode.page.keyboard.press('Control+K');
    await vscode.page.keyboard.press('Control+I');
    const hover = vscode.page.locator('.monaco-hover:visible', { hasText: 'Accesses' }).first();
    await hover.waitFor();
    const text = (await hover.textContent()).replaceAll('\u00a0', ' ');
    // 3 x 2^20 reads, and the loop's own few.
    assert.match(text, /3,145,7\d\d/);
    assert.match(text, /75 % of the run's accesses/);
    await vscode.page.keyboard.press('Escape');
  });

  test('the dashboard takes the focus, goes from tab to tab by arrows, and its heatmap names page and object', async () => {
    await command('Pagelens: Focus on Dashboard View');
    const page = await dashboard(vscode);
    await page.locator('[role=tabpanel]:not([hidden]) .content > *').first().waitFor();
    // Tab goes into the page, to the tab that is shown.
    await until(
      async () => {
        const inTabs = await page.locator('[role=tab]:focus').count();
        if (inTabs === 0) await vscode.page.keyboard.press('Tab');
        return inTabs;
      },
      count => count === 1,
      'the focus is on a tab',
    );
    await until(
      async () => {
        const name = await shownTab(page).innerText();
        if (!/Heatmap/.test(name)) await vscode.page.keyboard.press('ArrowRight');
        return name;
      },
      name => /Heatmap/.test(name),
      'the heatmap is in front',
    );
    const map = page.locator(
      '[role=tabpanel]:not([hidden]) [tabindex="0"][aria-roledescription], canvas[tabindex="0"]',
    );
    await map.first().waitFor();
    for (
      let presses = 0;
      presses < 30 && !(await map.first().evaluate(node => node === document.activeElement));
      presses++
    ) {
      await vscode.page.keyboard.press('Tab');
    }
    await vscode.page.keyboard.press('ArrowRight');
    await vscode.page.keyboard.press('ArrowDown');
    const live = page.locator('[aria-live]');
    await until(
      async () => (await live.allTextContents()).join(' ').replaceAll('\u00a0', ' '),
      text => /page|0x/.test(text) && /table|scan\.c|main/.test(text),
      'the place under the crosshair is announced',
    );
  });
});

describe('menus, links and views', { timeout: 240_000 }, () => {
  let vscode;
  let workspace;
  let elsewhere;
  before(async () => {
    workspace = await workspaceOf('scan.c');
    elsewhere = await workspaceOf('scan.c');
    vscode = await VSCode.launch({ workspace, extensionPath, settings: { 'files.autoSave': 'off' } });
  });
  afterEach(context => picture(vscode, context));
  after(async () => {
    await vscode?.close();
    for (const folder of [workspace, elsewhere]) await rm(folder, { recursive: true, force: true });
  });

  const menuItems = () =>
    vscode.page.locator('.monaco-menu:visible .action-item:not(.disabled) .action-label').allTextContents();

  test('the menus of a source file offer to profile it, also in a remote window', async () => {
    await vscode.openFile('scan.c');
    await vscode.page
      .locator('.explorer-folders-view .monaco-list-row', { hasText: 'scan.c' })
      .click({ button: 'right' });
    await until(menuItems, items => items.includes('Profile page accesses'), 'explorer menu');
    await vscode.page.keyboard.press('Escape');
    await vscode.page.locator('.view-line').first().click({ button: 'right' });
    await until(menuItems, items => items.includes('Profile page accesses'), 'editor menu');
    await vscode.page.keyboard.press('Escape');
    await vscode.page
      .locator('.editor-actions .codicon-flame, .editor-actions [aria-label*="Profile page accesses"]')
      .first()
      .waitFor();
  });

  test('the palette hides what cannot work without a profile', async () => {
    await vscode.page.keyboard.press('F1');
    await vscode.page.locator('.quick-input-widget input[type=text]').fill('>Pagelens: ');
    const rows = vscode.page.locator('.quick-input-widget .monaco-list-row');
    const labels = await until(
      () => rows.evaluateAll(nodes => nodes.map(node => node.getAttribute('aria-label') ?? '')),
      all => all.some(label => label.includes('Profile page accesses')),
      'commands',
    );
    for (const hidden of ['Cancel profiling', 'Export the report', 'Close the profile', 'Show or hide annotations']) {
      assert.ok(!labels.some(label => label.includes(hidden)), `${hidden} in ${labels.join(', ')}`);
    }
    await vscode.page.keyboard.press('Escape');
  });

  /** As a browser does it after a click on the link: the editor asks whether the extension may open it. */
  async function follow(query) {
    const input = vscode.page.locator('.quick-input-widget input[type=text]');
    await vscode.runCommand('Developer: Open URL').catch(() => {});
    await input.waitFor();
    await input.fill(`vscode://pagelens.pagelens/open?${query}`);
    await input.press('Enter');
    const allowed = vscode.page.locator('.monaco-dialog-box', { hasText: 'pagelens' });
    await allowed.getByRole('button', { name: 'Open' }).click();
  }

  test('a link opens a line of the workspace', async () => {
    await vscode.runCommand('View: Close All Editors');
    await follow(`file=${path.join(workspace, 'scan.c')}&line=14`);
    await vscode.page.locator('.tab.active[data-resource-name="scan.c"]').waitFor();
    await vscode.page.getByText('Ln 14, Col 1').waitFor();
  });

  test('a link to a line of the built text leads to where the line is now', async () => {
    await vscode.openFile('scan.c');
    await vscode.runCommand('Pagelens: Profile page accesses');
    await vscode.page.locator('.codelens-decoration').first().waitFor({ timeout: 60_000 });
    await vscode.goToLine(1);
    await vscode.page.keyboard.press('Home');
    for (const line of ['// one', '// two']) {
      await vscode.page.keyboard.type(line);
      await vscode.page.keyboard.press('Escape');
      await vscode.page.keyboard.press('Enter');
    }
    await follow(`file=${path.join(workspace, 'scan.c')}&line=14`);
    await vscode.page.getByText('Ln 16, Col 1').waitFor();
    await vscode.runCommand('File: Revert File');
  });

  test('a link to a file elsewhere is opened only when the user agrees', async () => {
    await follow(`file=${path.join(elsewhere, 'scan.c')}`);
    const question = vscode.page.locator('.monaco-dialog-box', { hasText: 'outside the workspace' });
    await question.waitFor();
    assert.match(await question.innerText(), new RegExp(elsewhere));
    await question.getByRole('button', { name: 'Cancel' }).click();
    await question.waitFor({ state: 'hidden' });
    assert.equal(await vscode.page.locator('.tab[data-resource-name="scan.c"]').count(), 1);
  });

  test('a link that names something else is refused with the reason', async () => {
    await follow('command=pagelens.profile');
    await vscode.notification('the parameter command is unknown');
  });

  test('a link opens a profile at a view', async () => {
    const file = path.join(workspace, 'run.pagelens');
    execFileSync(
      process.execPath,
      [path.join(extensionPath, 'dist/cli.cjs'), 'profile', '--quiet', '--save', file, 'scan.c'],
      {
        cwd: workspace,
        stdio: 'ignore',
      },
    );
    await follow(`file=${file}&view=placement`);
    await vscode.page.locator('.tab.active[data-resource-name="run.pagelens"]').waitFor();
    const page = await dashboard(vscode);
    await until(
      () => shownTab(page).innerText(),
      name => /Placement/.test(name),
      'the view of the link',
    );
  });
});

test('the chat tools answer from the profile', { timeout: 240_000 }, async () => {
  const workspace = await workspaceOf('scan.c');
  try {
    const testsPath = path.join(here, 'chat-host.cjs');
    assert.equal(await runExtensionTests({ workspace, extensionPath, testsPath }), 0);
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
});

describe('the Testing view', { timeout: 300_000 }, () => {
  let vscode;
  let workspace;
  before(async () => {
    workspace = await workspaceOf('ctest/CMakeLists.txt', 'ctest/fold.c');
    // A build of the user's, without hooks.
    execFileSync('cmake', ['-S', workspace, '-B', path.join(workspace, 'build')], { stdio: 'ignore' });
    execFileSync('cmake', ['--build', path.join(workspace, 'build')], { stdio: 'ignore' });
    vscode = await VSCode.launch({ workspace, extensionPath });
  });
  afterEach(context => picture(vscode, context));
  after(async () => {
    await vscode?.close();
    await rm(workspace, { recursive: true, force: true });
  });

  const rows = () => vscode.page.locator('.test-explorer .monaco-list-row');
  const states = () => rows().evaluateAll(nodes => nodes.map(node => node.getAttribute('aria-label') ?? ''));

  test('lists the tests of the build directory', async () => {
    await vscode.page.locator('.activitybar').getByRole('tab', { name: 'Testing' }).click();
    const seen = await until(states, all => all.some(label => label.includes('folds')), 'tests');
    for (const name of ['folds', 'refuses', 'breaks'])
      assert.ok(
        seen.some(label => label.includes(name)),
        seen.join(),
      );
  });

  test('runs them under Pagelens in a build of its own, which it offers, and judges as CTest does', async () => {
    await vscode.runCommand('Test: Run All Tests');
    const toast = await vscode.notification('were built without access hooks');
    await toast.getByRole('button', { name: 'Build with Pagelens' }).click();
    const seen = await until(
      states,
      all =>
        ['folds', 'refuses', 'breaks'].every(name =>
          all.some(label => label.includes(name) && /passed|failed/i.test(label)),
        ),
      'results',
      120_000,
    );
    const stateOf = name => seen.find(label => label.includes(name));
    assert.match(stateOf('folds'), /Passed/i);
    assert.match(stateOf('refuses'), /Passed/i);
    assert.match(stateOf('breaks'), /Failed/i);
    // The user's own build is as it was.
    assert.doesNotMatch(
      execFileSync('readelf', ['-d', path.join(workspace, 'build/fold')], { encoding: 'utf8' }),
      /pagelens/,
    );
  });

  test('leaves the profile of the last test open, in the source of the program', async () => {
    await vscode.openFile('fold.c');
    const lenses = await vscode.codeLensTexts(1);
    assert.match(lenses.join('\n'), /% of accesses/);
  });
});
