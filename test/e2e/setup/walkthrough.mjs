/**
 * Takes the pictures of the walkthrough from the real editor, dark and light:
 *   node test/e2e/setup/walkthrough.mjs
 * They lie in extension/media/walkthrough, and are to be taken again when what they show has changed.
 */
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { main, profile, Story, util } from '../story.mjs';

const media = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../extension/media/walkthrough');
const sampleFile = path.resolve(media, '../../../core/sample/raytracer.c');
const themes = { dark: 'Default Dark Modern', light: 'Default Light Modern' };
const viewport = { width: 1260, height: 700 };

await mkdir(media, { recursive: true });
for (const [theme, name] of Object.entries(themes)) {
  const settings = {
    'workbench.colorTheme': name,
    'editor.minimap.enabled': false,
    'window.commandCenter': false,
    'breadcrumbs.enabled': false,
  };
  await sample(theme, settings);
  await choices(theme, settings);
}

/** A part of the window, in its pixels. */
async function take(story, name, theme, clip) {
  await story.page.screenshot({ path: path.join(media, `${name}-${theme}.png`), clip });
}

async function sample(theme, settings) {
  const story = await Story.open({ 'notes.txt': '' }, settings, { viewport });
  try {
    await story.vscode.runCommand('View: Toggle Primary Side Bar Visibility');
    await story.vscode.runCommand('Pagelens: Profile the sample');
    await story.vscode.notification('recording ·', 60_000);
    await take(story, 'sample', theme, { x: 48, y: 35, width: 1212, height: 640 });
    await story.page.locator('.codelens-decoration').first().waitFor({ timeout: 120_000 });
    await story.vscode.runCommand('View: Hide Panel');
    await story.vscode.openFile('raytracer.c');
    // The terminal has a meaning of its own for the key.
    await story.page.locator('.editor-group-container.active .view-line').nth(12).click();
    const source = (await readFile(sampleFile, 'utf8')).split('\n');
    await story.vscode.goToLine(source.findIndex(line => / enter_box\(/.test(line)) + 8);
    await story.vscode.runCommand('Notifications: Clear All Notifications');
    await story.page.mouse.move(600, 690);
    await take(story, 'lens', theme, { x: 48, y: 72, width: 1180, height: 560 });
    await story.vscode.runCommand('Pagelens: Open dashboard as an editor tab');
    const frame = await story.vscode.webviewFrame('Pagelens');
    await frame.getByRole('tabpanel').first().waitFor();
    await frame.getByText('Pages touched').first().waitFor();
    await story.page.mouse.move(600, 690);
    await take(story, 'dashboard', theme, { x: 48, y: 35, width: 1212, height: 640 });
  } finally {
    await story.close();
  }
}

async function choices(theme, settings) {
  const files = {
    'CMakeLists.txt': 'cmake_minimum_required(VERSION 3.15)\nproject(scan C)\nadd_executable(scan main.c util.c)\n',
    Makefile: 'bench: main.o util.o\n\t$(CC) -o $@ $^\n',
    'main.c': main,
    'util.c': util,
    '.vscode/launch.json': {
      configurations: [
        { name: 'Seven times', type: 'cppdbg', request: 'launch', program: 'build/scan', args: ['--times', '7'] },
      ],
    },
  };
  const story = await Story.open(files, settings, { viewport });
  try {
    await story.vscode.openFile('main.c');
    await story.ask(profile);
    const row = text => story.page.locator('.quick-input-widget .monaco-list-row', { hasText: text }).first();
    for (const text of ['CMake target', 'make target', 'Seven times']) await row(text).waitFor({ timeout: 60_000 });
    // The pointer's hover would hide the title.
    await story.page.mouse.move(10, 690);
    await story.page.locator('.workbench-hover').first().waitFor({ state: 'hidden' });
    const box = await story.page.locator('.quick-input-widget').boundingBox();
    await take(story, 'own', theme, { x: box.x - 20, y: box.y, width: box.width + 40, height: box.height + 20 });
  } finally {
    await story.close();
  }
}
