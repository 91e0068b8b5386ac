/** Runs the commands of a build in a task's terminal, and keeps what they print. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as vscode from 'vscode';
import { taskType } from '../../ids.js';

export interface BuildStep {
  /** A program and its arguments, or one line for the shell. */
  readonly command: string | readonly [string, ...string[]];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface BuildResult {
  readonly status: number;
  readonly output: string;
  /** Where the last command ran: what names in its messages are relative to. */
  readonly folder: string;
}

/** The first messages of a build tell what is wrong; a build that prints more is not kept whole. */
const keptOutput = 1 << 20;

/** A terminal that does the steps one after the other, until one fails. */
export class BuildTerminal implements vscode.Pseudoterminal {
  readonly #write = new vscode.EventEmitter<string>();
  readonly #close = new vscode.EventEmitter<number>();
  readonly onDidWrite = this.#write.event;
  readonly onDidClose = this.#close.event;
  readonly result: Promise<BuildResult>;
  #settle!: (result: BuildResult) => void;
  #child: ChildProcess | null = null;
  #output = '';
  #stopped = false;

  constructor(readonly steps: () => Promise<readonly BuildStep[]>) {
    this.result = new Promise(resolve => {
      this.#settle = resolve;
    });
  }

  async open(): Promise<void> {
    let folder = '';
    let status = 0;
    try {
      for (const step of await this.steps()) {
        folder = step.folder;
        status = this.#stopped ? 130 : await this.#run(step);
        if (status !== 0) break;
      }
    } catch (error) {
      this.#print(`${error instanceof Error ? error.message : error}\n`);
      status = 1;
    }
    this.#settle({ status, output: this.#output, folder });
    this.#close.fire(status);
  }

  /** The terminal was closed, or the user cancelled. */
  close(): void {
    this.#stopped = true;
    if (!this.#child?.pid) return;
    try {
      // make and its compilers are one process group.
      process.kill(-this.#child.pid, 'SIGTERM');
    } catch {
      // It has just ended.
    }
  }

  handleInput(data: string): void {
    if (data === '\x03') this.close();
  }

  #run({ command, folder, environment }: BuildStep): Promise<number> {
    const shell = typeof command === 'string';
    const [program, ...args] = shell ? [command] : command;
    this.#print(`> ${shell ? command : command.join(' ')}\n`);
    return new Promise(resolve => {
      const child = spawn(program!, args, {
        cwd: folder,
        env: environment,
        shell,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      this.#child = child;
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => this.#print(text));
      child.once('error', error => {
        this.#print(`${program}: ${error.message}\n`);
        resolve(127);
      });
      child.once('close', (status, signal) => resolve(signal ? 130 : (status ?? 1)));
    });
  }

  #print(text: string): void {
    if (this.#output.length < keptOutput) this.#output += text;
    this.#write.fire(text.replaceAll(/\r?\n/g, '\r\n'));
  }
}

/** Runs a build as a task of its own; cancelling ends it with status 130. */
export async function runBuild(
  title: string,
  folder: vscode.WorkspaceFolder | undefined,
  steps: () => Promise<readonly BuildStep[]>,
  token: vscode.CancellationToken,
): Promise<BuildResult> {
  const terminal = new BuildTerminal(steps);
  const task = new vscode.Task(
    { type: taskType, task: 'build' },
    folder ?? vscode.TaskScope.Workspace,
    title,
    'Pagelens',
    new vscode.CustomExecution(async () => terminal),
    // The messages become problems by `problems.ts`, which knows in which folder the build runs.
    [],
  );
  task.presentationOptions = {
    reveal: vscode.TaskRevealKind.Silent,
    panel: vscode.TaskPanelKind.Dedicated,
    clear: true,
    echo: false,
    showReuseMessage: false,
  };
  const listener = token.onCancellationRequested(() => terminal.close());
  try {
    await vscode.tasks.executeTask(task);
    return await terminal.result;
  } finally {
    listener.dispose();
  }
}
