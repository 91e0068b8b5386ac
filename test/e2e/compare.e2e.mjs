/** One selection: the run before beside this one, and everything as a tracker sees it, in the real VS Code. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dashboard, show, words } from './dashboardPage.mjs';
import { VSCode } from './drive.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const extensionPath = process.env.PAGELENS_E2E_EXTENSION ?? path.resolve(here, '../..');
/** PAGELENS_E2E_PICTURES=DIR keeps pictures, for looking at. */
const pictures = process.env.PAGELENS_E2E_PICTURES;

/** 64 pages written once, then read as often as told: of 65,536 ints, (1 + rounds) accesses each. */
const program = rounds => `#include <stdlib.h>
enum { N = 65536 };
static void fill(int *cells) {
  for (int i = 0; i < N; i++) cells[i] = i;
}
static long sum(const int *cells) {
  long total = 0;
  for (int i = 0; i < N; i++) total += cells[i];
  return total;
}
int main(void) {
  int *cells = malloc(N * sizeof *cells);
  fill(cells);
  long total = 0;
  for (int round = 0; round < ${rounds}; round++) total += sum(cells);
  free(cells);
  return total < 0;
}
`;

describe('two runs of one program', { timeout: 240_000 }, () => {
  let vscode;
  let workspace;
  const source = () => path.join(workspace, 'cells.c');
  before(async () => {
    workspace = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-ws-'));
    await writeFile(source(), program(3));
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
  const picture = async name => pictures && vscode.screenshot(path.join(pictures, `compare-${name}.png`));

  test('the first run has nothing to compare with, and says how to get it', async () => {
    await vscode.openFile('cells.c');
    await vscode.runCommand('Pagelens: Profile page accesses');
    // 3 rounds of reading: 262,144 accesses.
    await until(
      () => lenses(vscode),
      texts => texts.some(text => text.includes('75 % of accesses')),
    );
    await hidePanel(vscode);
    await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    const page = await dashboard(vscode);
    await page.getByText('Profile the program again and what changed is shown here').waitFor();
    assert.match(await words(page), /262 k/);
    await picture('first');
  });

  test('after an edit, the second run shows what changed in the overview and in the source', async () => {
    await writeFile(source(), program(1));
    await front(vscode, 'cells.c');
    await until(
      () => vscode.page.locator('.view-line').allInnerTexts(),
      lines => lines.some(line => line.replaceAll('\u00a0', ' ').includes('round < 1')),
    );
    await vscode.runCommand('Pagelens: Profile again');
    await until(
      () => lenses(vscode),
      texts => texts.some(text => text.includes('50 % of accesses')),
    );
    await hidePanel(vscode);
    await picture('source');
    await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    const page = await dashboard(vscode);
    await page.getByText('since previous.pagelens').waitFor();
    const text = await words(page);
    // 262,144 accesses before, 131,072 now.
    assert.match(text, /−50 %, was 262 k/);
    const changed = page.getByRole('list', { name: /^(Lines|Functions) that changed$/ });
    assert.match(await changed.innerText(), /sum[\s\S]*−67 %[\s\S]*was 75 %, now 50 %/);
    await picture('second');
  });

  test('the difference map lays both runs over each other, and shows it closer by keys', async () => {
    const page = await dashboard(vscode);
    await show(page, 'Heatmap');
    await page.getByRole('combobox', { name: 'Run', exact: true }).click();
    await page.getByRole('option', { name: 'Difference' }).click();
    const map = page.getByRole('application', { name: 'Difference of two runs by allocation and progress' });
    await map.focus();
    const readout = () => page.locator('.readout:visible').innerText();
    // 64 pages of 1,024 ints in 16 rows. In the last stretch they are only read, in either run.
    await until(readout, text => /pages 1–[45] of 6[45]/.test(text));
    await page.getByText('this run minus the run before').first().waitFor();
    await picture('difference');
    await vscode.page.keyboard.press('+');
    await until(readout, text => /pages 3–[45] of 6[45]/.test(text));
    await vscode.page.keyboard.press('0');
    await until(readout, text => /pages 1–[45] of 6[45]/.test(text));
    await page.getByRole('button', { name: 'Zoom in' }).click();
    await picture('difference-closer');
    await page.getByRole('button', { name: 'Show as table' }).click();
    await page.getByRole('columnheader', { name: 'Were' }).waitFor();
    await picture('difference-table');
    await page.getByRole('button', { name: 'Show as table' }).click();
    await page.getByRole('combobox', { name: 'Run', exact: true }).click();
    await page.getByRole('option', { name: 'This run' }).click();
    await show(page, 'Overview');
  });

  test('after a reload of the window the comparison is there again', async () => {
    await vscode.page.reload();
    await vscode.page.waitForFunction(() => performance.getEntriesByName('code/didLoadExtensions').length > 0);
    await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    const page = await dashboard(vscode);
    await page.getByText('compared with previous.pagelens').waitFor();
    await page.getByText('since previous.pagelens').waitFor();
  });

  test('as a tracker sees it, the lines that write are the hot ones, everywhere', async () => {
    const page = await dashboard(vscode);
    await show(page, 'Trackers');
    await page.getByRole('button', { name: 'Show the run as PML sees it' }).click();
    await page.getByText('as pml sees it', { exact: true }).waitFor();
    await picture('trackers');
    await show(page, 'Overview');
    await page.getByText('PML readings').first().waitFor();
    await picture('overview-pml');
    await front(vscode, 'cells.c');
    const texts = await until(
      () => lenses(vscode),
      texts => texts.some(text => text.includes('of PML readings')),
    );
    assert.ok(
      texts.some(text => /^hot · 9\d % of PML readings|^hot · 100 % of PML readings/.test(text)),
      texts.join('\n'),
    );
    await picture('source-pml');
  });

  test('the quick pick shows the exact counts again, and the comparison ends on demand', async () => {
    await front(vscode, 'cells.c');
    await startCommand(vscode, 'Pagelens: Show the run as a tracker sees it...');
    await vscode.page.getByText('Exact counts', { exact: true }).click();
    await until(
      () => lenses(vscode),
      texts => texts.some(text => text.includes('50 % of accesses')),
    );
    await startCommand(vscode, 'Pagelens: Compare with the open profile...');
    await vscode.page.getByText('End the comparison').click();
    await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    const page = await dashboard(vscode);
    await show(page, 'Overview');
    await page.getByText('Profile the program again and what changed is shown here').waitFor();
  });
});

/** The program's terminal takes the room, when it is there. */
async function hidePanel(vscode) {
  if (await vscode.page.locator('.part.panel').isVisible()) await vscode.runCommand('View: Hide Panel');
}

/** Runs a command that asks with a list of its own: the palette's box stays, with other rows. */
async function startCommand(vscode, title) {
  const input = vscode.page.locator('.quick-input-widget input[type=text]');
  for (let tries = 0; tries < 10 && !(await input.isVisible()); tries++) {
    await vscode.page.keyboard.press('F1');
    await input.waitFor({ timeout: 1000 }).catch(() => {});
  }
  await input.fill(`>${title}`);
  await vscode.page.locator('.quick-input-widget .monaco-list-row').getByText(title, { exact: true }).click();
}

/** Brings an open tab of the editor to the front. */
async function front(vscode, name) {
  const tab = vscode.page.locator(`.tab[data-resource-name="${name}"]`);
  await tab.click();
  await vscode.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
}

/** Lenses in view, none yet included. */
async function lenses(vscode) {
  const texts = await vscode.page.locator('.codelens-decoration').allInnerTexts();
  return texts.map(text => text.replaceAll('\u00a0', ' '));
}

/** Waits until a probe gives what is wanted; the last answer is in the failure. */
async function until(probe, wanted, timeout = 60_000) {
  let seen;
  for (const end = Date.now() + timeout; Date.now() < end; await new Promise(done => setTimeout(done, 100))) {
    seen = await probe();
    if (wanted(seen)) return seen;
  }
  return assert.fail(`never as wanted: ${JSON.stringify(seen)}`);
}
