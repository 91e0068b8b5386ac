/** The terminal of a `profile` task. The program has one of its own; this one says how it went, and ends with it. */
import * as vscode from 'vscode';
import { compact, whole } from '../../core/model/format.js';
import type { Profiler } from '../program/profiler.js';
import type { Target } from '../program/target.js';

export class RunTerminal implements vscode.Pseudoterminal {
  readonly #write = new vscode.EventEmitter<string>();
  readonly #close = new vscode.EventEmitter<number>();
  readonly onDidWrite = this.#write.event;
  readonly onDidClose = this.#close.event;

  constructor(
    readonly profiler: Profiler,
    readonly target: () => Target | undefined,
  ) {}

  async open(): Promise<void> {
    this.#close.fire(await this.#run());
  }

  close(): void {
    this.profiler.cancel();
  }

  handleInput(data: string): void {
    if (data === '\x03') this.profiler.cancel();
  }

  /** The exit status: 1 without a profile, or when the program failed. */
  async #run(): Promise<number> {
    const target = this.target();
    if (!target) {
      this.#say(vscode.l10n.t('There is nothing to profile: give the task a "program", or set "pagelens.program".'));
      return 1;
    }
    const summary = await this.profiler.run(target);
    if (!summary) {
      this.#say(vscode.l10n.t('No profile; a notification says why.'));
      return 1;
    }
    const accesses = compact(summary.reads + summary.writes);
    this.#say(vscode.l10n.t('{0}: {1} accesses, {2} pages touched', summary.exit, accesses, whole(summary.pages)));
    return summary.exit === 'exit status 0' ? 0 : 1;
  }

  #say(text: string): void {
    this.#write.fire(`${text}\r\n`);
  }
}
