/**
 * Core's process. It is started before the client's library is loaded: both take a few hundred milliseconds, and the
 * first marks wait for the longer of the two, not for their sum.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type * as vscode from 'vscode';
import type { MessageTransports } from 'vscode-languageclient/node';

export class CoreProcess {
  #next: ChildProcess | null;

  /**
   * @param module of the language server
   * @param file that it will be asked to open first
   */
  constructor(
    readonly module: string,
    readonly log: vscode.LogOutputChannel,
    file?: string,
  ) {
    this.#next = this.#start(file === undefined ? [] : ['--expect', file]);
  }

  /** How the client reaches it; a new process with every call, for a client that starts again what died. */
  async connect(): Promise<MessageTransports> {
    const process = this.#next ?? this.#start([]);
    this.#next = null;
    const { IPCMessageReader, IPCMessageWriter } = await import('./languageClient.js');
    return { reader: new IPCMessageReader(process), writer: new IPCMessageWriter(process) };
  }

  #start(more: readonly string[]): ChildProcess {
    const child = fork(this.module, ['--node-ipc', ...more], {
      silent: true,
      // The editor's own debugging is not core's.
      execArgv: [],
      // The extension host's executable is the editor's, which is Node only when told so.
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', ELECTRON_NO_ASAR: '1' },
    });
    // The reader sees the end of the connection, too; without a listener the extension host would end.
    child.on('error', error => this.log.error(error));
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.log.info(text.trimEnd()));
    return child;
  }
}
