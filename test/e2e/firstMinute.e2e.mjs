/** The first minute: the sample, the walkthrough, profiling on save, and the command line in a terminal. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { extensionPath, main, profile, Story, util } from './story.mjs';

let story;
afterEach(async ({ name }) => {
  await story?.picture(name);
  await story?.close();
  story = undefined;
});

describe('the first minute', { timeout: 400_000 }, () => {
  test('the empty view profiles the sample, which opens with its lenses', async () => {
    story = await Story.open({ 'notes.txt': 'nothing to profile here\n' });
    await story.vscode.runCommand('Pagelens: Focus on Hot Regions View');
    await story.page.getByRole('button', { name: 'Profile the Sample' }).first().click();
    await story.page.locator('.tab.active[data-resource-name="raytracer.c"]').waitFor({ timeout: 60_000 });
    await story.page.locator('.codelens-decoration').first().waitFor({ timeout: 120_000 });
    assert.equal(existsSync(path.join(story.workspace, 'raytracer.c')), false, 'the workspace stays as it was');
  });

  test('the walkthrough leads to the sample and ticks the step off', async () => {
    story = await Story.open({ 'notes.txt': '' });
    await story.ask('Welcome: Open Walkthrough...');
    await story.choose('Find Hot Memory in a Minute');
    const page = story.page.locator('.gettingStartedContainer');
    await page.getByRole('button', { name: 'Profile the Sample', exact: true }).click();
    await story.page.locator('.codelens-decoration').first().waitFor({ timeout: 120_000 });
    await story.page
      .locator('.tab[data-resource-name*="alkthrough"], .tab', { hasText: 'Walkthrough' })
      .first()
      .click();
    await page
      .locator('.getting-started-step.done, .getting-started-step .codicon-getting-started-step-checked.complete')
      .first()
      .waitFor();
  });

  test('profile on save: a saved change is profiled', async () => {
    story = await Story.next({ 'scan.c': main + util });
    await story.vscode.openFile('scan.c');
    await story.vscode.runCommand(profile);
    await story.lens('75 % of accesses');
    await story.page.locator('.statusbar-item', { hasText: 'Profile on save' }).click();
    await story.page.locator('.statusbar-item', { has: story.page.locator('.codicon-check') }).waitFor();
    await story.vscode.openFile('scan.c');
    await story.vscode.goToLine(6);
    await story.page.keyboard.press('End');
    await story.page.keyboard.type(' times = 1;');
    await story.page.keyboard.press('Escape');
    await story.page.keyboard.press('Control+S');
    await story.lens('50 % of accesses');
  });

  test('the command line is on the PATH of a terminal', async () => {
    story = await Story.next({ 'scan.c': main + util });
    await story.vscode.openFile('scan.c');
    await story.vscode.runCommand(profile);
    await story.lens('75 % of accesses');
    await story.vscode.runCommand('Terminal: Create New Terminal');
    await story.page.locator('.terminal-wrapper.active .xterm-screen').waitFor();
    await story.page.keyboard.type('pagelens --version\n');
    const { version } = JSON.parse(await readFile(path.join(extensionPath, 'package.json'), 'utf8'));
    await story.terminal(`pagelens ${version}`);
  });
});
