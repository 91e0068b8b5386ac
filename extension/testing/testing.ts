/**
 * CTest's tests in the Testing view, with the run profile "Profile page accesses". There is nothing in the view, and
 * nothing is run, until a trusted CMake project is open; then `ctest` lists the tests of a configured build directory.
 */
import * as vscode from 'vscode';
import { type Core, reasonOf } from '../core.js';
import type { Profiler } from '../program/profiler.js';
import { findTests } from './discover.js';
import { type Found, runTests } from './testRuns.js';

/** Configuring writes many files; the tests are listed again when it pauses. */
const settleMs = 1000;

export class Testing implements vscode.Disposable {
  readonly #subscriptions: vscode.Disposable[] = [];
  readonly #found = new WeakMap<vscode.TestItem, Found>();
  #controller: vscode.TestController | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly core: Core,
    readonly profiler: Profiler,
  ) {
    const lists = vscode.workspace.createFileSystemWatcher('**/{CMakeLists.txt,CTestTestfile.cmake}');
    const later = () => this.#later();
    this.#subscriptions.push(
      lists,
      lists.onDidCreate(later),
      lists.onDidChange(later),
      lists.onDidDelete(later),
      vscode.workspace.onDidGrantWorkspaceTrust(later),
      vscode.workspace.onDidChangeWorkspaceFolders(later),
    );
    // The view shows itself in the side bar as soon as there is a controller, so only a project with CMake has one.
    void vscode.workspace.findFiles('CMakeLists.txt', null, 1).then(([file]) => file && this.#show());
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#show();
      void this.#refresh();
    }, settleMs);
  }

  #show(): void {
    if (this.#controller || !vscode.workspace.isTrusted) return;
    const controller = vscode.tests.createTestController('pagelens.ctest', vscode.l10n.t('CTest (Pagelens)'));
    controller.resolveHandler = async item => {
      if (!item) await this.#refresh();
    };
    controller.refreshHandler = () => this.#refresh();
    const title = vscode.l10n.t('Profile page accesses');
    controller.createRunProfile(
      title,
      vscode.TestRunProfileKind.Run,
      (request, token) => this.#run(request, token),
      true,
    );
    this.#controller = controller;
    this.#subscriptions.push(controller);
  }

  async #refresh(): Promise<void> {
    const controller = this.#controller;
    if (!controller || !vscode.workspace.isTrusted) return;
    const folders = await Promise.all((vscode.workspace.workspaceFolders ?? []).map(folder => this.#itemsOf(folder)));
    controller.items.replace(folders.flat());
  }

  async #itemsOf(folder: vscode.WorkspaceFolder): Promise<vscode.TestItem[]> {
    const controller = this.#controller!;
    try {
      const tests = await findTests(folder, project => this.profiler.builders.cmakeBuildFolder(project));
      return (tests?.tests ?? [])
        .filter(({ disabled }) => !disabled)
        .map(test => {
          const { location } = test;
          const uri = location ? vscode.Uri.file(location.file) : undefined;
          const item = controller.createTestItem(`${folder.uri}#${test.name}`, test.name, uri);
          if (location) item.range = new vscode.Range(location.line - 1, 0, location.line - 1, 0);
          this.#found.set(item, { in: tests!, test });
          return item;
        });
    } catch (error) {
      // ctest is missing, or does not know the option: the tests stay those of the user's other tools.
      this.core.log.warn(vscode.l10n.t('The tests of {0} could not be listed: {1}', folder.name, reasonOf(error)));
      return [];
    }
  }

  async #run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    const controller = this.#controller!;
    const excluded = new Set(request.exclude);
    const asked = request.include ?? [...controller.items].map(([, item]) => item);
    const run = controller.createTestRun(request);
    const cancel = new vscode.CancellationTokenSource();
    const listeners = [token, run.token].map(source => source.onCancellationRequested(() => cancel.cancel()));
    try {
      const items = asked.filter(item => !excluded.has(item));
      await this.profiler.exclusively(cancel, () =>
        runTests(this.core, this.profiler, run, items, item => this.#found.get(item)),
      );
    } finally {
      run.end();
      for (const listener of listeners) listener.dispose();
      await this.#refresh();
    }
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}
