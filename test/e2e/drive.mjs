/**
 * Drives the VS Code of `setup/vscode.mjs` in a headless Chromium: what a user does and sees, as methods.
 *
 * One server, one browser and one window per `VSCode`, each with a port and a profile of its own, so that test files
 * may run side by side. Selectors are those of VS Code 1.100. Nothing sleeps: every step waits for what it needs.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';
import { defaultFolder } from './setup/vscode.mjs';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const BROWSER_FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];

const QUIET = {
  // A fresh profile opens a walkthrough late, and that takes the focus.
  'workbench.startupEditor': 'none',
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
  // Else a terminal's text is pixels.
  'terminal.integrated.gpuAcceleration': 'off',
};

// Preloaded into the server: its standard input closes when this process ends, even by SIGKILL, and it ends too.
const END_WITH_PARENT = 'data:text/javascript,process.stdin.resume().on("end",()=>process.exit()).unref()';

/** Lines of tests in the extension host that are shown begin so. */
const TEST_LINE = '[test] ';

export class VSCode {
  serverLog = '';
  #options;
  #home;
  #server;
  #browser;
  #payload;

  /**
   * @param {object} options
   * @param {string} options.workspace folder to open
   * @param {string[]} [options.vsix] packages to install first: what users get
   * @param {string} [options.extensionPath] or a built, unpackaged extension
   * @param {string[]} [options.otherExtensions] folders of unpackaged extensions, installed beside it
   * @param {string} [options.testsPath] CommonJS module whose run() is called in the extension host
   * @param {object} [options.settings] user settings on top of the quiet ones
   * @param {boolean} [options.trusted] false: VS Code asks whether the workspace is trusted, and it is not; default true
   * @param {object} [options.env] environment of the server and so of its extension hosts
   * @param {{width: number, height: number}} [options.viewport]
   * @param {number} [options.deviceScaleFactor]
   * @param {string} [options.vscodeDir] folder of setup/vscode.mjs
   */
  static async launch(options) {
    const home = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-'));
    const vscode = new VSCode(options, home);
    process.once('exit', vscode.#cleanUp);
    try {
      await vscode.#startServer();
      await vscode.#openWindow();
    } catch (error) {
      await vscode.close();
      throw new Error(`VS Code did not start: ${error.message}\n${vscode.serverLog}`);
    }
    return vscode;
  }

  constructor(options, home) {
    this.#options = options;
    this.#home = home;
  }

  /** The profile's folder: settings in user/User, logs in user/logs. */
  get home() {
    return this.#home;
  }

  async #startServer() {
    const { settings, vsix = [], otherExtensions = [], trusted = true } = this.#options;
    const user = path.join(this.#home, 'user');
    await mkdir(path.join(user, 'User'), { recursive: true });
    await writeFile(path.join(user, 'User/settings.json'), JSON.stringify({ ...QUIET, ...settings }));
    const extensions = path.join(this.#home, 'extensions');
    // A folder of extensions without a list of them is looked through when the server starts.
    for (const folder of otherExtensions)
      await cp(folder, path.join(extensions, path.basename(folder)), { recursive: true });
    const folders = ['--user-data-dir', user, '--extensions-dir', extensions];

    for (const file of vsix) {
      const [status] = await once(this.#spawnServer([...folders, '--install-extension', path.resolve(file)]), 'exit');
      if (status !== 0) throw new Error(`cannot install ${file}`);
    }

    const trust = trusted ? ['--disable-workspace-trust'] : [];
    const listen = ['--host', '127.0.0.1', '--port', '0', '--without-connection-token'];
    this.#server = this.#spawnServer([
      ...folders,
      ...listen,
      '--disable-telemetry',
      '--disable-update-check',
      ...trust,
    ]);
    this.port = await new Promise((resolve, reject) => {
      this.#server.once('exit', () => reject(new Error('the server ended')));
      this.#server.stdout.on('data', () => {
        const port = /agent listening on (\d+)/.exec(this.serverLog)?.[1];
        if (port) resolve(port);
      });
    });
  }

  #spawnServer(args) {
    const folder = this.#options.vscodeDir ?? defaultFolder;
    const main = path.join(folder, 'node_modules/code-server/lib/vscode/out/server-main.js');
    if (!existsSync(main)) throw new Error(`no VS Code in ${folder}: run node test/e2e/setup/vscode.mjs`);
    const child = spawn(
      process.execPath,
      ['--import', END_WITH_PARENT, main, '--accept-server-license-terms', ...args],
      {
        // A process group of its own: extension hosts, language servers and terminals end with it.
        detached: true,
        // Without a gallery, nothing is asked of the network.
        env: { ...process.env, EXTENSIONS_GALLERY: '{}', ...this.#options.env },
      },
    );
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', text => {
        this.serverLog += text;
      });
    return child;
  }

  async #openWindow() {
    const { workspace, extensionPath, testsPath, deviceScaleFactor = 1 } = this.#options;
    const { viewport = { width: 1280, height: 800 } } = this.#options;
    const address = `127.0.0.1:${this.port}`;
    // The workbench compares authorities literally: host and port as in the page's own address.
    const remote = file => `vscode-remote://${address}${path.resolve(file)}`;
    const payload = [];
    if (extensionPath) payload.push(['extensionDevelopmentPath', remote(extensionPath)]);
    if (testsPath) payload.push(['extensionTestsPath', remote(testsPath)]);

    const executablePath = process.env.PAGELENS_CHROMIUM ?? BROWSERS.find(file => existsSync(file));
    if (!executablePath) throw new Error('Chromium is missing: apt-get install chromium, or set PAGELENS_CHROMIUM');
    this.#browser = await chromium.launch({ executablePath, args: BROWSER_FLAGS });
    this.page = await this.#browser.newPage({ viewport, deviceScaleFactor });
    if (testsPath) {
      // Called by the workbench when run() settles, and for each line that the tests log.
      await this.page.exposeFunction('codeAutomationLog', (_level, [text]) => {
        if (String(text).startsWith(TEST_LINE)) console.log(text.slice(TEST_LINE.length));
      });
      this.testsExit = new Promise(resolve => this.page.exposeFunction('codeAutomationExit', resolve));
    }
    this.#payload = JSON.stringify(payload);
    await this.openFolder(workspace);
  }

  /** Opens another folder in this window: a third of the time that a window of its own takes. */
  async openFolder(workspace) {
    const query = new URLSearchParams({ folder: path.resolve(workspace), payload: this.#payload });
    await this.page.goto(`http://127.0.0.1:${this.port}/?${query}`);
    // Contributed commands, views and settings are there from this mark on.
    await this.page.waitForFunction(() => performance.getEntriesByName('code/didLoadExtensions').length > 0);
  }

  /** Ends what runs in the window's folder, which may be removed then. */
  async closeFolder() {
    await this.page.goto('about:blank');
  }

  /** Runs a command by the whole title that the palette shows, 'Category: Title'. Does not wait for it to end. */
  async runCommand(title) {
    await this.#pick('F1', `>${title}`, title);
  }

  /** Opens a workspace file by the name that quick open finds first. */
  async openFile(name) {
    const base = path.basename(name);
    const group = this.page.locator('.editor-group-container.active');
    const tab = group.locator(`.tab.active[data-resource-name="${base}"]`);
    // Also when it is in front: the keys go to it then. A webview tells that it has the focus some time after it got it,
    // which makes its own group the active one again.
    let tries = 0;
    do {
      await this.#pick('Control+P', name, base);
      await tab.waitFor({ timeout: 4000 }).catch(() => {});
    } while (++tries < 5 && !(await tab.isVisible()));
    await tab.waitFor({ timeout: 4000 }).catch(async error => {
      throw new Error(`${base} is not in front; the tabs are ${await this.#tabs()}`, { cause: error });
    });
    await group.locator('.view-line').first().waitFor();
  }

  /** The tabs of every group, those in front marked: for messages. */
  #tabs() {
    return this.page.locator('.editor-group-container').evaluateAll(groups =>
      groups
        .map(group => {
          const names = [...group.querySelectorAll('.tab')].map(
            tab => `${tab.classList.contains('active') ? '*' : ''}${tab.dataset.resourceName}`,
          );
          return `${group.classList.contains('active') ? 'active ' : ''}group [${names.join(', ')}]`;
        })
        .join(', '),
    );
  }

  /** Presses a key until the quick input shows, types, and clicks the row with exactly this label. */
  async #pick(key, query, label) {
    const box = this.page.locator('.quick-input-widget');
    const input = box.locator('input[type=text]');
    // A key is lost while the focus moves, as when a webview gets it back.
    for (let tries = 0; tries < 10 && !(await input.isVisible()); tries++) {
      await this.page.keyboard.press(key);
      await input.waitFor({ timeout: 1000 }).catch(() => {});
    }
    await input.fill(query);
    const row = box.locator('.monaco-list-row').filter({ has: this.page.getByText(label, { exact: true }) });
    await row.first().click();
    // Gone, or asking for something else already, as a command does that opens a dialog.
    await this.page.waitForFunction(typed => {
      const widget = document.querySelector('.quick-input-widget');
      if (!widget || getComputedStyle(widget).display === 'none') return true;
      return widget.querySelector('input[type=text]')?.value !== typed;
    }, query);
  }

  /** Scrolls a line of the active editor into view. */
  async goToLine(line) {
    const input = this.page.locator('.quick-input-widget input[type=text]');
    for (let tries = 0; tries < 10 && !(await input.isVisible()); tries++) {
      await this.page.keyboard.press('Control+G');
      await input.waitFor({ timeout: 1000 }).catch(() => {});
    }
    await input.fill(`:${line}`);
    await input.press('Enter');
    await input.waitFor({ state: 'hidden' });
  }

  /** The hover of a line that holds `text`, `x` pixels from its beginning. Lenses that come push lines away under it. */
  async hover(line, text, x) {
    const hover = this.page.locator('.monaco-hover:visible', { hasText: text }).first();
    for (let tries = 0; tries < 10 && !(await hover.isVisible()); tries++) {
      // The editor hears of a mouse that moves.
      await line.hover({ position: { x: x + (tries % 2), y: 8 } });
      await hover.waitFor({ timeout: 3000 }).catch(() => {});
    }
    await hover.waitFor({ timeout: 3000 });
    return hover;
  }

  /** The code lenses in view, top to bottom; `count` is how many to wait for. */
  async codeLensTexts(count = 1) {
    // One that was scrolled away is still in the page.
    const lenses = this.page.locator('.codelens-decoration:visible');
    await lenses.nth(count - 1).waitFor();
    return lenses.evaluateAll(nodes =>
      nodes
        .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
        // The lenses of one line share an element; spaces are no-break spaces.
        .flatMap(node => node.textContent.replaceAll('\u00a0', ' ').split(' | ')),
    );
  }

  /** The document of the visible webview with this title (of its panel or view), as a FrameLocator. */
  async webviewFrame(title, timeout = 15_000) {
    // page > iframe.webview named by an id > iframe#active-frame with the title, which outlives a new `html`.
    const active = `iframe#active-frame[title="${title}"]`;
    for (const end = Date.now() + timeout; Date.now() < end; await this.page.waitForTimeout(100)) {
      for (const outer of await this.page.locator('iframe.webview.ready:visible').all()) {
        const id = await outer.getAttribute('name');
        const document = this.page.frameLocator(`iframe.webview[name="${id}"]`);
        if ((await document.locator(active).count()) > 0) return document.frameLocator(active);
      }
    }
    throw new Error(`no visible webview with the title ${title}`);
  }

  /** The toast whose message holds this text; its buttons are getByRole('button', { name }). */
  async notification(text, timeout = 30_000) {
    const message = this.page.locator('.notification-list-item-message', { hasText: text });
    const toast = this.page.locator('.notification-toast').filter({ has: message }).first();
    await toast.waitFor({ timeout });
    return toast;
  }

  /** What the extension host wrote: activation and errors. To be read before close(). */
  async extensionHostLog() {
    const logs = path.join(this.#home, 'user/logs');
    const names = await readdir(logs, { recursive: true }).catch(() => []);
    const texts = names
      .filter(name => name.endsWith('remoteexthost.log'))
      .map(name => readFile(path.join(logs, name), 'utf8'));
    return (await Promise.all(texts)).join('\n');
  }

  /** Ids of the processes of this VS Code whose command line holds this text. */
  async processes(text) {
    const ids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
    const ours = await Promise.all(
      ids.map(async id => {
        // It may end between two looks.
        const [stat, command] = await Promise.all(
          ['stat', 'cmdline'].map(name => readFile(`/proc/${id}/${name}`, 'utf8').catch(() => '')),
        );
        const [, , group] = stat.replace(/^.*\) /s, '').split(' ');
        return Number(group) === this.#server.pid && command.includes(text);
      }),
    );
    return ids.filter((_, i) => ours[i]).map(Number);
  }

  screenshot(file) {
    return this.page.screenshot({ path: file });
  }

  async close() {
    await this.#browser?.close();
    process.off('exit', this.#cleanUp);
    this.#cleanUp();
  }

  #cleanUp = () => {
    try {
      process.kill(-this.#server.pid, 'SIGKILL');
    } catch {
      // It never started, or is gone.
    }
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5 });
  };
}

/** Runs options.testsPath in the extension host; its exit code: 0 if run() fulfilled, 1 if it rejected. */
export async function runExtensionTests(options, timeout = 120_000) {
  const vscode = await VSCode.launch(options);
  const late = AbortSignal.timeout(timeout);
  const tooLate = once(late, 'abort').then(() => {
    throw new Error(`the extension tests took over ${timeout} ms\n${vscode.serverLog}`);
  });
  try {
    return await Promise.race([vscode.testsExit, tooLate]);
  } finally {
    await vscode.close();
  }
}
