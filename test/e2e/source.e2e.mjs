/** In the source: what a mark says, where it stands, and that it follows the file wherever the user takes it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dashboard, webviewPage } from './dashboardPage.mjs';
import { VSCode } from './drive.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const extensionPath = process.env.PAGELENS_E2E_EXTENSION ?? path.resolve(here, '../..');
const programs = path.resolve(here, '../programs/written');
const profile = 'Pagelens: Profile page accesses';
/** PAGELENS_E2E_PICTURES=DIR keeps what the window shows, for looking at. */
const pictures = process.env.PAGELENS_E2E_PICTURES;
const themes = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  'high-contrast': 'Default High Contrast',
};

/** Line of a file that holds a text, 1-based. */
async function lineOf(file, text) {
  return (await readFile(file, 'utf8')).split('\n').findIndex(line => line.includes(text)) + 1;
}

/**
 * Texts behind the lines in view and where each begins, in pixels from the beginning of its line (the editor scrolls
 * sideways to show the cursor), for every editor or one group of editors.
 */
function behindLines(vscode, group = '.editor-group-container.active') {
  return vscode.page.locator(`${group} .view-line span`).evaluateAll(spans =>
    spans
      .map(span => {
        const { content, marginLeft } = getComputedStyle(span, '::after');
        const { left, top } = span.getBoundingClientRect();
        const line = span.closest('.view-line').getBoundingClientRect().left;
        return {
          text: content.replaceAll('"', ''),
          x: Math.round(left - line + Number.parseFloat(marginLeft)),
          y: top,
        };
      })
      .filter(({ text }) => text.includes('·'))
      .sort((a, b) => a.y - b.y),
  );
}
const textsBehind = async (vscode, group) => (await behindLines(vscode, group)).map(({ text }) => text);

/** Characters are no whole pixels wide: the same column may be rounded either way. */
function inOneColumn(marks) {
  const xs = marks.map(({ x }) => x);
  return Math.max(...xs) - Math.min(...xs) <= 1;
}

async function until(probe, wanted, what, timeout = 20_000) {
  let seen;
  for (const end = Date.now() + timeout; Date.now() < end; await new Promise(done => setTimeout(done, 100))) {
    seen = await probe();
    if (wanted(seen)) return seen;
  }
  assert.fail(`${what}: ${JSON.stringify(seen)}`);
}

/** The probe's answer once it is the same twice: until then marks are on their way, or move to where they are to stay. */
function still(probe) {
  let last = '';
  return async () => {
    const seen = await probe();
    const before = last;
    last = JSON.stringify(seen);
    return last === before ? seen : [];
  };
}

const lensesMatch = (vscode, pattern, what) =>
  until(
    () => vscode.codeLensTexts(1).catch(() => []),
    texts => texts.some(text => pattern.test(text)),
    what,
    60_000,
  );

function git(folder, ...args) {
  execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    stdio: 'ignore',
  });
}

async function picture(vscode, name) {
  if (!pictures) return;
  await mkdir(pictures, { recursive: true });
  await vscode.screenshot(path.join(pictures, `source-${name}.png`));
}

describe('marks in the source', { timeout: 280_000 }, () => {
  let vscode;
  let workspace;
  let source;
  before(async () => {
    workspace = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-ws-'));
    source = path.join(workspace, 'src/written.cc');
    await cp(programs, path.join(workspace, 'src'), { recursive: true });
    git(workspace, 'init');
    git(workspace, 'add', '.');
    git(workspace, 'commit', '-m', 'all');
    vscode = await VSCode.launch({
      workspace,
      extensionPath,
      viewport: { width: 1400, height: 900 },
      settings: { 'files.autoSave': 'off', 'git.openRepositoryInParentFolders': 'never' },
    });
    await vscode.openFile('written.cc');
    await vscode.runCommand(profile);
    await lensesMatch(vscode, /% of accesses/, 'the first lens');
    await hidePanel(vscode);
  });
  afterEach(async ({ name }) => picture(vscode, name.replaceAll(/\W+/g, '-').slice(0, 60)));
  after(async () => {
    await vscode?.close();
    await rm(workspace, { recursive: true, force: true });
  });

  test('no function and no allocation has more than one lens, two allocations on a line have one', async () => {
    const lenses = await vscode.codeLensTexts(3);
    // 14,336 reads and 3,072 writes of both tables, which is all but a few of the program's accesses.
    assert.ok(
      lenses.some(text => /^hot · (9\d|> 99|100) % of accesses · 82 % read, 18 % write · /.test(text)),
      lenses.join('\n'),
    );
    const tops = await vscode.page
      .locator('.codelens-decoration')
      .evaluateAll(nodes => nodes.map(node => Math.round(node.getBoundingClientRect().top)));
    assert.equal(new Set(tops).size, tops.length, 'lenses on one line');
    assert.ok(
      lenses.every(text => !text.includes(' | ')),
      lenses.join('\n'),
    );
  });

  test('a template and an inlined function show once, in the header where they were written', async () => {
    await vscode.openFile('table.h');
    await lensesMatch(
      vscode,
      /^2 instantiations · (hot|warm) · \d+ % of accesses · 100 % read, 0 % write · ≤ \d+ pages/,
      'sum',
    );
    const texts = await until(
      () => textsBehind(vscode),
      all => all.length >= 2,
      'texts in the header',
    );
    // 4,096 ints and 1,024 doubles; 4,096 and 2,048 ints by two callers.
    assert.ok(
      texts.some(text => /^5\.1 k reads · 29 %$/.test(text)),
      texts.join(),
    );
    assert.ok(
      texts.some(text => /^6\.1 k reads · 35 %$/.test(text)),
      texts.join(),
    );
    const line = vscode.page.locator('.view-line', { hasText: 'return table[i]' });
    const hover = await vscode.hover(line, 'Sum of', 60);
    const text = (await hover.textContent()).replaceAll('\u00a0', ' ');
    assert.match(text, /Sum of at inlined into forward 67 %, at inlined into backward 33 %/);
    await picture(vscode, 'hover-dark');
    await vscode.page.keyboard.press('Escape');
  });

  test('a macro shows on the line that uses it', async () => {
    await vscode.openFile('written.cc');
    const line = await lineOf(source, 'BUMP(ints[i])');
    await vscode.goToLine(line);
    await until(
      () => textsBehind(vscode),
      texts => texts.some(text => /^1\.0 k reads, 1\.0 k writes · 12 %$/.test(text)),
      'the line of the macro',
    );
  });

  test('texts of neighbours begin in one column, and typing moves none but the line that is typed in', async () => {
    await vscode.openFile('written.cc');
    await vscode.goToLine(await lineOf(source, 'double carry'));
    const before = await until(
      still(() => behindLines(vscode)),
      all => all.length >= 4,
      'texts',
    );
    // Four neighbours, the lines of `mix`: one column.
    assert.ok(inOneColumn(before.filter(({ text }) => / · 5\.9 %$/.test(text))), JSON.stringify(before));
    await vscode.goToLine(await lineOf(source, 'double other'));
    await vscode.page.keyboard.press('End');
    await vscode.page.keyboard.type(' // longer and longer');
    await vscode.page.keyboard.press('Escape');
    const others = marks => marks.filter(({ text }) => / · 5\.9 %$/.test(text));
    const typed = await until(
      () => behindLines(vscode),
      all => others(all).length === 3 && all.every(({ text }) => !text.includes('stale')),
      'the line that is typed in shows no text',
    );
    assert.ok(inOneColumn([...others(typed), ...others(before)]), JSON.stringify({ typed, before }));
    await vscode.page.keyboard.press('ArrowDown');
    await vscode.page.keyboard.press('Home');
    await until(
      () => behindLines(vscode),
      all => all.some(({ text }) => text.includes('5.9 % (stale)')),
      'the edited line is grey when the cursor left it',
    );
    await until(
      () => behindLines(vscode),
      all => others(all).length === 3 && inOneColumn([...others(all), ...others(before)]),
      `the other texts are where they were: ${JSON.stringify(before)}`,
    );
    await vscode.runCommand('File: Revert File');
    await until(
      () => behindLines(vscode),
      all => all.length >= before.length && all.every(({ text }) => !text.includes('stale')),
      'reverted',
    );
  });

  test('the legend says what bars, classes and texts mean', async () => {
    await vscode.runCommand('Pagelens: Show legend');
    const page = await legendPage(vscode);
    const text = await page.locator('body').innerText();
    assert.match(text, /Shares are of all accesses of the run: source level, whole run of .* modelled time, written/);
    assert.match(text, /the fewest lines that together have 80 % of all accesses/);
    assert.match(text, /30 % or more/);
    assert.match(text, /2 of 2 source files matched/);
    assert.equal(
      await page.locator('img').evaluateAll(images => images.filter(image => image.naturalWidth > 0).length),
      9,
    );
    await picture(vscode, 'legend-dark');
    await vscode.runCommand('View: Close Editor');
  });

  test('a split editor shows the marks on both sides', async () => {
    await vscode.openFile('written.cc');
    await vscode.runCommand('View: Split Editor Right');
    await until(
      async () =>
        Promise.all(
          [0, 1].map(async i => (await textsBehind(vscode, `:nth-match(.editor-group-container, ${i + 1})`)).length),
        ),
      counts => counts.every(count => count >= 2),
      'texts on both sides',
    );
    await picture(vscode, 'split-dark');
    await vscode.runCommand('View: Close Editor');
  });

  test('in a diff with the commit both sides have their marks: the old lines and where they are now', async () => {
    await vscode.openFile('written.cc');
    await vscode.goToLine(1);
    await vscode.page.keyboard.press('Home');
    await vscode.page.keyboard.type('enum { NEW };');
    await vscode.page.keyboard.press('Enter');
    await vscode.page.keyboard.press('Escape');
    await vscode.runCommand('File: Save');
    // Git looks at the saved file some time later; only then is there a button.
    await vscode.page.locator('.editor-actions [aria-label^="Open Changes"]').first().click();
    const side = name => textsBehind(vscode, `.monaco-diff-editor .editor.${name}`);
    await until(
      async () => [await side('original'), await side('modified')],
      sides => sides.every(texts => texts.length >= 2 && texts.every(text => !text.includes('stale'))),
      'texts on both sides of the diff',
    );
    await picture(vscode, 'diff-dark');
    await vscode.runCommand('View: Close Editor');
  });

  test('an edited file that was saved, closed and opened again keeps its marks', async () => {
    await vscode.openFile('written.cc');
    await vscode.runCommand('View: Close All Editors');
    await vscode.openFile('written.cc');
    const texts = await until(
      () => textsBehind(vscode),
      all => all.length >= 2,
      'texts after opening again',
    );
    assert.ok(
      texts.every(text => !text.includes('stale')),
      texts.join(),
    );
  });

  test('a file renamed in the explorer takes its marks along', async () => {
    await vscode.openFile('table.h');
    await vscode.runCommand('File: Reveal Active File in Explorer View');
    await vscode.page.locator('.explorer-viewlet .monaco-list-row.focused', { hasText: 'table.h' }).waitFor();
    await vscode.page.keyboard.press('F2');
    const box = vscode.page.locator('.explorer-viewlet .monaco-inputbox input');
    await box.fill('tables.h');
    await box.press('Enter');
    await vscode.page.locator('.tab.active[data-resource-name="tables.h"]').waitFor();
    await until(
      () => textsBehind(vscode),
      texts => texts.some(text => /^6\.1 k reads/.test(text)) && texts.every(text => !text.includes('stale')),
      'marks in the renamed file',
    );
    // Back, so that the program can be built again.
    await vscode.page.locator('.explorer-viewlet .monaco-list-row', { hasText: 'tables.h' }).click();
    await vscode.page.keyboard.press('F2');
    await box.fill('table.h');
    await box.press('Enter');
    await vscode.page.locator('.tab[data-resource-name="table.h"]').waitFor();
  });

  test('after another run a lens says what it was, when that changed', async () => {
    await vscode.openFile('written.cc');
    await until(
      () => textsBehind(vscode),
      all => all.length >= 2,
      'texts',
    );
    // Half as many turns: 2,048 reads of the inlined function instead of 4,096.
    const text = await readFile(source, 'utf8');
    await vscode.runCommand('View: Close All Editors');
    await writeFile(
      source,
      text.replace('i < COUNT; i++) total = total * 3 + at', 'i < COUNT; i += 2) total = total * 3 + at'),
    );
    await vscode.openFile('written.cc');
    await vscode.runCommand('Pagelens: Profile again');
    await vscode.openFile('table.h');
    // at: 6,144 of 17,408 accesses, then 4,096 of 15,360.
    const lenses = await lensesMatch(vscode, /27 % of accesses, was 35 % /, 'the inlined function');
    assert.ok(
      lenses.some(line => / of accesses, was \d+ % · /.test(line)),
      lenses.join('\n'),
    );
    await picture(vscode, 'was-dark');
  });

  test('the line under the cursor is what the dashboard points at, and back, without moving the cursor', async () => {
    await vscode.openFile('written.cc');
    await vscode.runCommand('Pagelens: Focus on Dashboard View');
    const panel = await dashboard(vscode);
    await panel.getByRole('tab', { name: 'Heatmap' }).click();
    await vscode.openFile('written.cc');
    const line = await lineOf(source, 'double other');
    await vscode.goToLine(line - 1);
    await vscode.page.keyboard.press('ArrowDown');
    await panel.getByText(`Pointed at: allocations that written.cc:${line} uses.`).waitFor();
    assert.equal(await dashed(vscode), 0, 'the cursor says it already');

    await panel.getByRole('tab', { name: 'Placement' }).click();
    await panel.locator('[role=row]', { hasText: 'calloc in main' }).first().click();
    // The allocating line and those that use it: of `bump`, and the four of `mix`.
    await until(
      () => dashed(vscode),
      count => count >= 2,
      'lines of the allocation',
    );
    await vscode.page.locator('.line-numbers.active-line-number', { hasText: new RegExp(`^${line}$`) }).waitFor();
    await picture(vscode, 'pointing-dark');
    await panel.getByRole('tab', { name: 'Heatmap' }).click();
    await panel.getByRole('button', { name: 'Point at nothing' }).click();
    await until(
      () => dashed(vscode),
      count => count === 0,
      'nothing is pointed at',
    );
  });

  test('after a reload of the window the marks are back', async () => {
    await vscode.openFile('written.cc');
    await vscode.page.reload();
    await vscode.page.locator('.view-line').first().waitFor();
    await until(
      () => textsBehind(vscode).catch(() => []),
      texts => texts.length > 0 && texts.every(text => !text.includes('stale')),
      'texts after the reload',
      60_000,
    );
    await lensesMatch(vscode, /% of accesses/, 'lenses after the reload');
  });

  test('an edited file has its marks where they were also after a reload', async () => {
    await vscode.openFile('written.cc');
    await vscode.goToLine(1);
    await vscode.page.keyboard.press('Home');
    await vscode.page.keyboard.type('enum { LATER };');
    await vscode.page.keyboard.press('Escape');
    await vscode.page.keyboard.press('Enter');
    await vscode.runCommand('File: Save');
    const edit = await lineOf(source, 'double other');
    await vscode.goToLine(edit);
    await vscode.page.keyboard.press('End');
    await vscode.page.keyboard.type(' // edited');
    await vscode.page.keyboard.press('Escape');
    await vscode.page.keyboard.press('ArrowDown');
    await vscode.runCommand('File: Save');
    const edited = texts => texts.filter(text => text.includes('stale'));
    // Only texts in sight are there, and the editor may come back at another place of the file: it is led to the same one.
    await vscode.goToLine(1);
    await vscode.goToLine(edit + 1);
    const before = await until(
      still(() => textsBehind(vscode)),
      texts => texts.length >= 4 && edited(texts).length === 1,
      'one line is grey',
    );
    await until(
      () => readFile(source, 'utf8'),
      text => text.includes('// edited'),
      'saved',
    );
    await vscode.page.reload();
    await vscode.page.locator('.view-line').first().waitFor();
    // The window remembers its tabs some time after they change: another one may be in front.
    await vscode.openFile('written.cc');
    await until(
      async () => {
        await vscode.goToLine(1).catch(() => {});
        await vscode.goToLine(edit + 1).catch(() => {});
        return textsBehind(vscode).catch(() => []);
      },
      texts => texts.join() === before.join(),
      `the same marks as before the reload: ${before.join()}`,
      60_000,
    );
    git(workspace, 'checkout', '.');
    await vscode.runCommand('File: Revert File');
  });

  for (const [name, theme] of Object.entries(themes)) {
    test(`in the ${name} theme texts, lenses and bars are there`, async () => {
      await mkdir(path.join(workspace, '.vscode'), { recursive: true });
      await writeFile(path.join(workspace, '.vscode/settings.json'), JSON.stringify({ 'workbench.colorTheme': theme }));
      const kind = { dark: 'vs-dark', light: 'vs', 'high-contrast': 'hc-black' }[name];
      await vscode.page.locator(`.monaco-workbench.${kind}`).waitFor();
      await vscode.openFile('written.cc');
      await vscode.goToLine(20);
      await vscode.codeLensTexts(1);
      const bars = vscode.page.locator('.editor-group-container.active .cgmr');
      await until(
        () => bars.count(),
        count => count >= 2,
        'bars',
      );
      await picture(vscode, `marks-${name}`);
    });
  }
});

describe('a program that was built elsewhere', { timeout: 240_000 }, () => {
  let vscode;
  let workspace;
  before(async () => {
    workspace = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-ws-'));
    const built = path.join(workspace, 'container');
    await cp(programs, path.join(built, 'src'), { recursive: true });
    const cli = path.join(extensionPath, 'dist/cli.cjs');
    const saved = path.join(workspace, 'run.pagelens');
    execFileSync(process.execPath, [cli, 'profile', '--quiet', '--save', saved, path.join(built, 'src/written.cc')], {
      stdio: 'ignore',
    });
    // Here the sources lie in another folder, and one of them was edited.
    await rename(path.join(built, 'src'), path.join(workspace, 'checkout'));
    await rm(built, { recursive: true });
    await appendFile(path.join(workspace, 'checkout/written.cc'), '// edited\n');
    vscode = await VSCode.launch({ workspace, extensionPath, viewport: { width: 1400, height: 900 } });
  });
  afterEach(async ({ name }) => picture(vscode, name.replaceAll(/\W+/g, '-').slice(0, 60)));
  after(async () => {
    await vscode?.close();
    await rm(workspace, { recursive: true, force: true });
  });

  test('an unchanged file is found by its content, and the list says how many are missing', async () => {
    await vscode.openFile('table.h');
    await openProfile(vscode, 'run.pagelens');
    await vscode.openFile('table.h');
    await lensesMatch(vscode, /^2 instantiations · /, 'the header');
    await vscode.runCommand('Pagelens: Focus on Hot Regions View');
    await vscode.page
      .locator('.pane', { hasText: 'Hot Regions' })
      .getByText('1 of 2 source files matched: 1 not here.')
      .waitFor();
  });

  test('"Map paths..." asks for the folder, writes the setting, and the other file has its marks, in grey', async () => {
    await vscode.runCommand('Pagelens: Map paths...');
    const input = vscode.page.locator('.quick-input-widget input[type=text]');
    await until(
      () => input.inputValue(),
      value => value.startsWith(workspace),
      'the dialog',
    );
    // The dialog lists the folder first, and takes it when it is asked again.
    await input.fill(`${path.join(workspace, 'checkout')}/`);
    const box = vscode.page.locator('.quick-input-widget');
    await box.locator('.monaco-list-row', { hasText: '..' }).first().waitFor();
    await until(
      async () => {
        if (await box.isVisible()) await box.getByRole('button', { name: 'Map to this folder' }).click();
        return box.isVisible();
      },
      visible => !visible,
      'the dialog is answered',
    );
    await vscode.notification('Files found: 1.');
    const settings = JSON.parse(await readFile(path.join(workspace, '.vscode/settings.json'), 'utf8'));
    const folder = ['$', '{workspaceFolder}'].join('');
    assert.deepEqual(settings, {
      'pagelens.pathMapping': { [path.join(workspace, 'container/src')]: `${folder}/checkout` },
    });
    await vscode.openFile('written.cc');
    await vscode.goToLine(20);
    await until(
      () => textsBehind(vscode),
      texts => texts.length > 0 && texts.every(text => text.endsWith('(stale)')),
      'grey texts',
    );
  });
});

/** As "Open a profile or trace" does it. */
async function openProfile(vscode, name) {
  await vscode.runCommand('Pagelens: Open a profile or trace...');
  await vscode.page.locator('.quick-input-widget .monaco-list-row', { hasText: name }).click();
  await vscode.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
}

/** The program's terminal takes the room; the command is only there while the panel is. */
async function hidePanel(vscode) {
  if (await vscode.page.locator('.part.panel').isVisible()) await vscode.runCommand('View: Hide Panel');
}

/** Lines with a dashed edge in the editor in front. */
function dashed(vscode) {
  return vscode.page
    .locator('.editor-group-container.active .view-overlays .cdr')
    .evaluateAll(nodes => nodes.filter(node => getComputedStyle(node).borderLeftStyle === 'dashed').length);
}

/** The Markdown preview's page. */
function legendPage(vscode) {
  return webviewPage(
    vscode,
    page => page.getByRole('heading', { name: 'Marks in the source' }),
    'no legend is visible',
  );
}
