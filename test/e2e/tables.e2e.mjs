/** Allocations, flame graph, pages and curves in the real VS Code: chosen, copied, searched, brushed, saved. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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

/** `cells` is written once and read ten times: 131,072 writes and 1,310,720 reads on 128 pages. `few` is read once. */
const program = `#include <stdlib.h>
enum { N = 131072 };
static void fill(int *cells, int n) {
  for (int i = 0; i < n; i++) cells[i] = i;
}
static long sum(const int *cells, int n) {
  long total = 0;
  for (int i = 0; i < n; i++) total += cells[i];
  return total;
}
int main(void) {
  int *cells = malloc(N * sizeof *cells);
  int *few = malloc(4096);
  fill(cells, N);
  fill(few, 1024);
  long total = sum(few, 1024);
  for (int round = 0; round < 10; round++) total += sum(cells, N);
  free(few);
  free(cells);
  return total < 0;
}
`;
const allocation = 'malloc in main (cells.c:12)';

describe('tables and charts', { timeout: 260_000 }, () => {
  let vscode;
  let workspace;
  let tab;
  before(async () => {
    workspace = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-ws-'));
    await writeFile(path.join(workspace, 'cells.c'), program);
    if (pictures) await mkdir(pictures, { recursive: true });
    vscode = await VSCode.launch({
      workspace,
      extensionPath,
      viewport: { width: 1440, height: 900 },
      // A dialog of our own page, which can be typed into.
      settings: { 'files.simpleDialog.enable': true },
    });
    await vscode.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await vscode.openFile('cells.c');
    await vscode.runCommand('Pagelens: Profile page accesses');
    await vscode.codeLensTexts(1);
    await vscode.runCommand('View: Hide Panel');
    await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    tab = await dashboard(vscode, 600);
  });
  after(async () => {
    await vscode?.close();
    await rm(workspace, { recursive: true, force: true });
  });
  const picture = async name => pictures && vscode.screenshot(path.join(pictures, `tables-${name}.png`));
  const proposed = async input => (await input.isVisible()) && (await input.inputValue()).endsWith('working-set.svg');
  const panel = () => tab.locator('[role=tabpanel]:not([hidden])');

  test('an allocation shows its users, its stack and its history, and its row goes to the clipboard', async () => {
    await show(tab, 'Placement');
    await panel().getByRole('gridcell', { name: allocation }).first().click();
    await panel().getByText('1,310,720 reads, 131,072 writes').waitFor();
    const text = await words(tab);
    assert.match(text, /cells\.c:8 sum\s+1\.3 M reads/);
    assert.match(text, /Allocated by\s+main .*cells\.c:12/);
    await picture('allocation');
    await vscode.page.keyboard.press('Control+c');
    const copied = async () => {
      for (const end = Date.now() + 10_000; Date.now() < end; await new Promise(done => setTimeout(done, 100))) {
        const clipboard = await vscode.page.evaluate(() => navigator.clipboard.readText());
        if (clipboard.startsWith('Allocation\t')) return clipboard;
      }
      return assert.fail('nothing was copied');
    };
    const [head, row] = (await copied()).trimEnd().split('\n');
    assert.match(head, /^Allocation\tTier\tClass\tAccesses \(accesses in the whole run\)/);
    assert.ok(row.startsWith(allocation) && row.split('\t').includes('1441792'), row);
  });

  test('what if a tier had no room: placed anew at once, until it is taken back', async () => {
    const strip = tab.locator('.chip', { hasText: 'what if: dram' });
    await panel().getByRole('slider', { name: 'Capacity of DRAM' }).focus();
    await vscode.page.keyboard.press('Home');
    await strip.waitFor();
    await panel()
      .getByText(/^0 B of 0 B used/)
      .waitFor();
    await picture('what-if');
    await panel().getByRole('button', { name: 'As they are' }).click();
    await panel()
      .getByText(/^0 B of 0 B used/)
      .waitFor({ state: 'detached' });
    await strip.waitFor({ state: 'detached' });
  });

  test('the other views show the same allocation, and a page of it tells what is known', async () => {
    await show(tab, 'Pages');
    await panel().locator('.grid-row[aria-selected=true]').waitFor();
    assert.match(await panel().locator('.grid-row[aria-selected=true]').innerText(), /malloc in main/);
    await panel().getByRole('gridcell', { name: allocation }).nth(1).click();
    await panel().getByText('Who uses it').waitFor();
    const text = await words(tab);
    // 4,096 bytes hold 1,024 of the integers: each written once and read ten times.
    assert.match(text, /11,264 \(91 % read, 9 % write\), rank [\d,]+ of [\d,]+ pages; exact, whole run/);
    assert.match(text, /64 of 64 \(100 %\), whole run/);
    assert.match(text, /Exact count\s+10 k\s+1\.0 k/);
    await picture('page');
  });

  test('the flame graph is searched, and a frame leads to its source', async () => {
    await show(tab, 'Flame graph');
    await panel().locator('input[placeholder^="Search"]').fill('sum');
    await panel()
      .getByText(/found, with \d+ % of the accesses/)
      .waitFor();
    await tab.getByLabel('Frames by weight').focus();
    await vscode.page.keyboard.press('ArrowDown');
    await vscode.page.keyboard.press('ArrowDown');
    await picture('flame');
    await vscode.page.keyboard.press('Control+Enter');
    await vscode.page.locator('.line-numbers.active-line-number').first().waitFor();
  });

  test('a window brushed over the epochs is the one of every view, and can be taken back', async () => {
    await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    tab = await dashboard(vscode, 600);
    await show(tab, 'Working set');
    const chart = tab.getByRole('slider', { name: 'Distinct pages per epoch' });
    const box = await chart.boundingBox();
    await vscode.page.mouse.move(box.x + box.width * 0.5, box.y + 80);
    await vscode.page.mouse.down();
    await vscode.page.mouse.move(box.x + box.width * 0.7, box.y + 80, { steps: 4 });
    await vscode.page.mouse.up();
    await panel()
      .getByText(/Window: epochs \d+ to \d+ \(shaded\)/)
      .waitFor();
    await picture('window');
    await show(tab, 'Placement');
    await panel()
      .getByText(/accesses in epochs \d+ to \d+/)
      .first()
      .waitFor();
    // Lines and allocations.
    await show(tab, 'Overview');
    await panel()
      .getByText(/share of .* accesses, epochs \d+–\d+/)
      .nth(1)
      .waitFor();
    await show(tab, 'Working set');
    await panel().getByRole('button', { name: 'Show the whole run' }).click();
    await panel().getByText('Window: the whole run').waitFor();
  });

  test('a chart is saved as SVG and as PNG', async () => {
    for (const ending of ['svg', 'png']) {
      const file = path.join(workspace, `curve.${ending}`);
      await panel().getByRole('button', { name: 'Save picture…' }).click();
      await panel().getByRole('menuitem', { name: 'Save picture on white…' }).click();
      const input = vscode.page.locator('.quick-input-widget input[type=text]');
      // The proposed name comes after the dialog, and would replace what was typed before.
      for (let tries = 0; tries < 100 && !(await proposed(input)); tries++) await vscode.page.waitForTimeout(100);
      await input.fill(file);
      // The dialog looks at the folder while one types, and takes no key meanwhile.
      for (let tries = 0; tries < 10 && (await input.isVisible()); tries++) {
        await input.press('Enter');
        await input.waitFor({ state: 'hidden', timeout: 1000 }).catch(() => {});
      }
      await picture(`saved-${ending}`);
      await vscode.notification(`Saved curve.${ending}`);
      const content = await readFile(file);
      const start = ending === 'svg' ? '<svg ' : '\u0089PNG';
      assert.equal(content.subarray(0, start.length).toString('latin1'), start);
      if (ending === 'svg') assert.match(content.toString(), /<text[^>]*>LRU miss ratio by size of memory<\/text>/);
    }
  });
});
