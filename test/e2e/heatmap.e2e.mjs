/** The heatmap in the real VS Code: it grows while a program runs, is read and zoomed by keys, and leads to the rest. */
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

/** 128 pages written once and read 400 times, with a pause after each round: a run of ten seconds and more. */
const program = `#include <stdlib.h>
#include <unistd.h>
enum { N = 131072 };
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
  for (int round = 0; round < 400; round++) {
    total += sum(cells);
    usleep(25000);
  }
  free(cells);
  return total < 0;
}
`;
/** Line of the allocation. */
const allocation = '13';

describe('the heatmap', { timeout: 240_000 }, () => {
  let vscode;
  let workspace;
  before(async () => {
    workspace = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-ws-'));
    await writeFile(path.join(workspace, 'cells.c'), program);
    if (pictures) await mkdir(pictures, { recursive: true });
    vscode = await VSCode.launch({ workspace, extensionPath, viewport: { width: 1440, height: 900 } });
  });
  after(async () => {
    await vscode?.close();
    await rm(workspace, { recursive: true, force: true });
  });
  const picture = async name => pictures && vscode.screenshot(path.join(pictures, `heatmap-${name}.png`));
  const map = page => page.getByLabel('Page accesses by address and time');
  const legend = page => page.locator('.heat-legend');

  test('grows while the program runs, and becomes its profile', async () => {
    await vscode.openFile('cells.c');
    await vscode.runCommand('Pagelens: Focus on Dashboard View');
    const panel = await dashboard(vscode);
    await panel.getByRole('tab', { name: 'Heatmap' }).click();
    await panel.getByRole('heading', { name: 'No profile yet' }).waitFor();
    await panel.getByRole('button', { name: 'Profile page accesses' }).click();
    const soFar = async () =>
      Number(/so far ([\d,]+) accesses/.exec(await words(panel))?.[1]?.replaceAll(',', '') ?? 0);
    const first = await until(soFar, count => count > 0);
    await until(soFar, count => count > first);
    await picture('recording');
    // 401 rounds of 131,072 accesses in all.
    await until(
      () => legend(panel).innerText(),
      text => text.includes('Whole run, exact counts.'),
    );
    assert.ok(first < 401 * 131_072, `${first} accesses so far`);
  });

  test('is read by keys, crosshair and words', async () => {
    await vscode.runCommand('View: Hide Panel');
    await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    const page = await dashboard(vscode, 600);
    await show(page, 'Heatmap');
    await map(page).focus();
    const readout = page.locator('[role=tabpanel]:not([hidden]) .readout');
    // In the middle lies the great allocation, which is read in every round.
    await until(
      () => readout.innerText(),
      text => /^malloc in main \(cells\.c:13\).* reads, 0 writes/.test(text),
    );
    const before = await readout.innerText();
    await vscode.page.keyboard.press('ArrowRight');
    await until(
      () => readout.innerText(),
      text => text !== before,
    );
    await picture('keys');
  });

  test('zooms by keys; its window is every view’s, and ends in the strip above', async () => {
    const page = await dashboard(vscode, 600);
    await map(page).focus();
    await vscode.page.keyboard.press('+');
    await vscode.page.keyboard.press('+');
    await page.getByRole('button', { name: 'Use this window everywhere' }).click();
    const chip = page.getByText(/^epochs \d+–\d+/).first();
    await chip.waitFor();
    await picture('window');
    await map(page).focus();
    await vscode.page.keyboard.press('Backspace');
    await page.getByRole('button', { name: /^Zoom to the window, epochs/ }).waitFor();
    await picture('window-from-afar');
  });

  test('Enter points at what lies there: its source comes to the front, and other views show it', async () => {
    const page = await dashboard(vscode, 600);
    await map(page).focus();
    await vscode.page.keyboard.press('Enter');
    await vscode.page.locator('.line-numbers.active-line-number', { hasText: new RegExp(`^${allocation}$`) }).waitFor();
    await vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    const again = await dashboard(vscode, 600);
    await again.getByText(/Pointed at: (page 0x[0-9a-f]+ of )?malloc in main \(cells\.c:13\)\./).waitFor();
    await picture('focus');
    await show(again, 'Pages');
    await until(
      () => words(again),
      text => text.includes('malloc in main'),
    );
    await picture('pages');
  });

  test('shows tiers with their names, and where a tracker found, missed and falsely reported hot pages', async () => {
    const page = await dashboard(vscode, 600);
    await show(page, 'Trackers');
    await page.getByRole('button', { name: 'Show the run as PML sees it' }).click();
    await show(page, 'Heatmap');
    // The window of the story before: PML's log is drained once, at the run's end.
    await until(
      () => legend(page).innerText(),
      text => /PML found 0 of the \d+ hottest pages of the window .* reported 0 falsely/.test(text),
    );
    await page.getByRole('button', { name: 'Show the whole run again' }).click();
    await until(
      () => legend(page).innerText(),
      text => /PML found \d+ of the \d+ hottest pages of the whole run/.test(text),
    );
    await picture('tracker');
    const colors = page.locator('vscode-dropdown[aria-label="Colour by"]');
    await colors.click();
    await colors.locator('vscode-option', { hasText: 'Tier' }).click();
    await page.locator('.heat-keys li', { hasText: 'in several tiers' }).waitFor();
    await picture('tiers');
  });
});

/** Waits until a probe gives what is wanted; the last answer is in the failure. */
async function until(probe, wanted, timeout = 60_000) {
  let seen;
  for (const end = Date.now() + timeout; Date.now() < end; await new Promise(done => setTimeout(done, 100))) {
    seen = await probe();
    if (wanted(seen)) return seen;
  }
  return assert.fail(`never as wanted: ${JSON.stringify(seen)}`);
}
