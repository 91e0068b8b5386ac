/** A window on a folder of a test's own, for the stories of the first minute. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VSCode } from './drive.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
export const extensionPath = process.env.PAGELENS_E2E_EXTENSION ?? path.resolve(here, '../..');
/** PAGELENS_E2E_PICTURES=DIR keeps what the window showed after each test. */
const pictures = process.env.PAGELENS_E2E_PICTURES;
export const profile = 'Pagelens: Profile page accesses';

/** Writes 2^20 doubles and reads them n times; n is the program's argument, or the environment's, or 3. */
export const main = `#include <stdio.h>
#include <stdlib.h>
double sum(const double *table, int n);
int main(int argc, char **argv) {
  const char *given = getenv("TIMES");
  int times = argc > 1 ? atoi(argv[1]) : given ? atoi(given) : 3;
  double *table = malloc((1 << 20) * sizeof *table);
  double total = 0;
  for (int i = 0; i < 1 << 20; i++) table[i] = i;
  for (int i = 0; i < times; i++) total += sum(table, 1 << 20);
  printf("total %.0f\\n", total);
  return 0;
}
`;
export const util = `double sum(const double *table, int n) {
  double total = 0;
  for (int i = 0; i < n; i++) total += table[i];
  return total;
}
`;
/** The window that stories share, and what it was opened with. */
let shared = null;
let sharedWith = '';
async function closeShared() {
  await shared?.close();
  shared = null;
}
// Of each file that has stories.
after(closeShared);

/** A window and its folder; `close` removes both. */
export class Story {
  /** In a window that nothing was done in before. */
  static open(files, settings = {}, options = {}) {
    return Story.#make(files, workspace => launch(workspace, settings, options));
  }

  /** In the window of the story before, on a folder of its own, which takes half the time; what VS Code keeps for a user is still there. */
  static next(files, settings = {}, options = {}) {
    return Story.#make(files, async (workspace, story) => {
      story.shares = true;
      const wanted = JSON.stringify([settings, options]);
      if (shared && wanted === sharedWith) await shared.openFolder(workspace);
      else {
        await closeShared();
        shared = await launch(workspace, settings, options);
        sharedWith = wanted;
      }
      return shared;
    });
  }

  static async #make(files, open) {
    const story = new Story(await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-first-')));
    for (const [name, content] of Object.entries(files)) await story.write(name, content);
    story.vscode = await open(story.workspace, story);
    return story;
  }

  constructor(workspace) {
    this.workspace = workspace;
    this.shares = false;
  }

  get page() {
    return this.vscode.page;
  }

  /** A text as it is; anything else as JSON. */
  async write(name, content) {
    const file = path.join(this.workspace, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  }

  /** Runs a command that asks for something at once: the box stays. */
  async ask(title) {
    const input = this.page.locator('.quick-input-widget input[type=text]');
    for (let tries = 0; tries < 10 && !(await input.isVisible()); tries++) {
      await this.page.keyboard.press('F1');
      await input.waitFor({ timeout: 1000 }).catch(() => {});
    }
    await input.fill(`>${title}`);
    await this.choose(title);
  }

  /** Chooses an entry of a file's menu in the explorer. */
  async explorerMenu(file, entry) {
    const row = this.page.locator('.explorer-folders-view .monaco-list-row', { hasText: file });
    await row.click({ button: 'right' });
    const item = this.page.locator('.monaco-menu:visible .action-label', { hasText: entry });
    await item.waitFor();
    // A menu that has just opened takes a click for the end of the one that opened it.
    for (let tries = 0; tries < 20 && (await item.isVisible()); tries++) {
      await item.click({ timeout: 1000 }).catch(() => {});
      await item.waitFor({ state: 'hidden', timeout: 1000 }).catch(() => {});
    }
  }

  /** Clicks the row of a list that holds this text, when it comes. */
  async choose(text) {
    const row = this.page.locator('.quick-input-widget .monaco-list-row', { hasText: text }).first();
    await row.click({ timeout: 60_000 });
  }

  /** Waits for a lens of the file in front that says this. */
  async lens(text) {
    const lens = this.page.locator('.codelens-decoration', { hasText: text }).first();
    await lens.waitFor({ timeout: 90_000 });
  }

  async terminal(text) {
    await this.page.locator('.xterm-rows', { hasText: text }).first().waitFor({ timeout: 60_000 });
  }

  async picture(name) {
    if (!pictures) return;
    await mkdir(pictures, { recursive: true });
    await this.vscode.screenshot(path.join(pictures, `${name.replaceAll(/\W+/g, '-').slice(0, 60)}.png`));
  }

  async close() {
    if (this.shares) await this.vscode?.closeFolder();
    else await this.vscode?.close();
    await rm(this.workspace, { recursive: true, force: true });
  }
}

function launch(workspace, settings, options) {
  return VSCode.launch({ workspace, extensionPath, settings: { 'files.autoSave': 'off', ...settings }, ...options });
}
