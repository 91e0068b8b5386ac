/**
 * The built dashboard in a headless Chromium, with the extension's own page and security policy, and core's own views
 * behind its questions: what a user would see of a profile, without an editor.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Profile } from '../../core/model/profile.js';
import type { FromWebview, Requests, Selection, ToWebview, ViewQuery } from '../../core/protocol.js';
import { State } from '../../core/server/state.js';
import { views } from '../../core/server/views/views.js';
import { dashboardHtml } from '../../extension/views/dashboardHtml.js';
import { type ThemeName, themes } from './themes.js';

const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const types: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css', '.ttf': 'font/ttf' };
const nonce = 'only-for-this-test';

/**
 * SHA-256 of nothing: the toolkit probes for `:focus-visible` with an empty style element. The policy refuses it, the
 * probe falls back to `:focus`, and Chromium reports the refusal.
 */
const emptyStyle = 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

export interface OpenOptions {
  readonly width: number;
  readonly height?: number;
  readonly theme?: ThemeName;
  readonly scale?: number;
  /** What the editor kept of an earlier page. */
  readonly saved?: unknown;
  /** null: nothing was profiled yet. */
  readonly profile: Profile | null;
  /**
   * Answers come by HTTP, for measuring: a large message by the debugger takes longer than all that the page does with
   * it. The page's policy does not hold then.
   */
  readonly byHttp?: boolean;
  /** The editor's language and translations into it; else English. */
  readonly words?: { readonly language: string; readonly bundle: Readonly<Record<string, string>> };
}

export class Harness {
  readonly #dist: string;
  #server: Server | null = null;
  #browser: Browser | null = null;
  /** The page that is answered by HTTP. */
  #asking: Dashboard | null = null;
  #words: OpenOptions['words'];

  /** @param root folder of the repository, whose dist/ is built */
  constructor(root: string) {
    this.#dist = path.join(root, 'dist');
  }

  async start(): Promise<void> {
    const executablePath = process.env.PAGELENS_CHROMIUM ?? browsers.find(file => existsSync(file));
    if (!executablePath) throw new Error('Chromium is missing: apt-get install chromium, or set PAGELENS_CHROMIUM');
    this.#server = createServer(async (request, response) => {
      const name = new URL(request.url ?? '/', 'http://page').pathname.slice(1);
      if (name === 'ask') {
        const answer = await this.#asking!.reply(JSON.parse(await text(request)));
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
        return;
      }
      if (name === '') {
        response.writeHead(200, { 'content-type': 'text/html' }).end(this.#html());
        return;
      }
      if (name === 'favicon.ico') {
        response.writeHead(204).end();
        return;
      }
      const file = await readFile(path.join(this.#dist, path.basename(name))).catch(() => null);
      response.writeHead(file ? 200 : 404, { 'content-type': types[path.extname(name)] ?? 'text/plain' });
      response.end(file ?? '');
    });
    await new Promise<void>(resolve => this.#server!.listen(0, '127.0.0.1', resolve));
    this.#browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    });
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#server!.address() as AddressInfo).port}`;
  }

  #html(): string {
    return dashboardHtml({
      cspSource: this.#origin,
      script: 'webview.js',
      style: 'webview.css',
      codicons: 'codicon.css',
      nonce,
      language: this.#words?.language ?? 'en',
      bundle: this.#words?.bundle,
    });
  }

  async open(options: OpenOptions): Promise<Dashboard> {
    const { width, height = 800, theme = 'dark', scale = 1, saved, profile, byHttp = false } = options;
    const viewport = { width, height };
    this.#words = options.words;
    const page = await this.#browser!.newPage({ viewport, deviceScaleFactor: scale, bypassCSP: byHttp });
    const dashboard = new Dashboard(page, profile);
    if (byHttp) this.#asking = dashboard;
    await page.exposeFunction('pagelensPost', (message: FromWebview) => dashboard.received(message));
    const { kind, variables } = themes[theme];
    await page.addInitScript(
      ({ kind, variables, saved, width, byHttp }) => {
        let state: unknown = saved;
        const ask = async (message: unknown) => {
          const answer = await fetch('/ask', { method: 'POST', body: JSON.stringify(message) });
          window.postMessage(await answer.json(), '*');
        };
        const post = (message: unknown) =>
          (window as unknown as { pagelensPost(message: unknown): void }).pagelensPost(message);
        Object.assign(window, {
          acquireVsCodeApi: () => ({
            postMessage: (message: { readonly kind: string }) =>
              byHttp && message.kind === 'request' ? ask(message) : post(message),
            getState: () => state,
            setState: (value: unknown) => {
              state = value;
            },
          }),
          pagelensState: () => state,
        });
        document.addEventListener('DOMContentLoaded', () => {
          document.body.classList.add(...kind.split(' '));
          for (const [name, value] of Object.entries(variables)) {
            document.documentElement.style.setProperty(name, value);
          }
          // As the side bar does, and an editor tab.
          const background = width < 500 ? '--vscode-sideBar-background' : '--vscode-editor-background';
          document.documentElement.style.setProperty('background', `var(${background})`);
        });
      },
      { kind, variables, saved, width, byHttp },
    );
    await page.goto(this.#origin);
    return dashboard;
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    this.#server?.close();
  }
}

/** One page with the core behind it. */
export class Dashboard {
  /** Messages other than requests, as they came. */
  readonly sent: FromWebview[] = [];
  readonly queries: ViewQuery[] = [];
  /** What the page complained of: errors, and what its policy refused. */
  readonly complaints: string[] = [];
  /** Set: every view is refused with this reason. */
  refuse: string | null = null;
  /** Set: what is asked waits. */
  hold = false;
  readonly #state = new State();

  constructor(
    readonly page: Page,
    profile: Profile | null,
  ) {
    if (profile) this.#state.show(profile, '/profiles/test.pagelens');
    page.on('pageerror', error => this.complaints.push(error.message));
    page.on('console', message => {
      const text = message.text();
      if (['error', 'warning'].includes(message.type()) && !text.includes(emptyStyle)) this.complaints.push(text);
    });
  }

  async received(message: FromWebview): Promise<void> {
    if (message.kind === 'ready') {
      if (this.#state.index) await this.post({ kind: 'selection', selection: this.#state.selection });
    }
    if (message.kind !== 'request') {
      this.sent.push(message);
      return;
    }
    await this.post(await this.reply(message));
  }

  async reply({ id, method, params }: FromWebview & { kind: 'request' }): Promise<ToWebview> {
    try {
      return { kind: 'reply', id, result: { ok: await this.#answer(method, params) } };
    } catch (error) {
      return { kind: 'reply', id, result: { err: (error as Error).message } };
    }
  }

  async #answer(method: keyof Requests, params: unknown): Promise<unknown> {
    if (method === 'pagelens/select') {
      this.#state.select(params as Partial<Selection>);
      await this.post({ kind: 'selection', selection: this.#state.selection });
      return this.#state.selection;
    }
    if (method === 'pagelens/phases') return this.#state.phases;
    if (method !== 'pagelens/view') throw new Error(`${method} is not to be asked here`);
    if (this.refuse) throw new Error(this.refuse);
    const query = params as ViewQuery;
    this.queries.push(query);
    while (this.hold) await new Promise(done => setTimeout(done, 10));
    const { viewIndex, selection } = this.#state;
    if (!viewIndex) return null;
    const answer = views[query.view](viewIndex, query, selection, this.#state.comparison(null));
    return { view: query.view, columns: {}, ...answer };
  }

  get selection(): Selection {
    return this.#state.selection;
  }

  /** Another view, or the editor, changed the selection. */
  async select(change: Partial<Selection>): Promise<void> {
    this.#state.select(change);
    await this.post({ kind: 'selection', selection: this.#state.selection });
  }

  /** The shown profile is compared with another one from now on. */
  async compare(profile: Profile): Promise<void> {
    this.#state.compare(profile, '/profiles/before.pagelens');
    await this.post({ kind: 'selection', selection: this.#state.selection });
  }

  /** Another profile became the current one. */
  async show(profile: Profile): Promise<void> {
    this.#state.show(profile, '/profiles/test.pagelens');
    await this.post({ kind: 'selection', selection: this.#state.selection });
  }

  async post(message: ToWebview): Promise<void> {
    if (!this.page.isClosed()) await this.page.evaluate(data => window.postMessage(data, '*'), message);
  }

  /** Brings a view to the front and waits until it shows its content. */
  async tab(name: string): Promise<void> {
    await this.page.getByRole('tab', { name }).click();
    await this.settled();
  }

  /** Nothing is on its way any more. */
  async settled(): Promise<void> {
    await this.page.waitForFunction(
      () =>
        document.querySelector('[role=tabpanel]:not([hidden]) :is(.content > *, .message > *)') !== null &&
        document.querySelector('[role=tabpanel][aria-busy]') === null,
    );
    // The canvas draws with the frame after.
    await this.page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
  }

  savedState(): Promise<unknown> {
    return this.page.evaluate(() => (window as unknown as { pagelensState(): unknown }).pagelensState());
  }
}
