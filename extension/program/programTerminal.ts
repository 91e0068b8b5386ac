/** The task terminal in which a profiled program reads and writes. */
import { mkdtemp, rm } from 'node:fs/promises';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { type FromTerminal, onLines, type ToTerminal } from './terminalLink.js';

export interface ProgramTerminal {
  /** The terminal's device, such as `/dev/pts/4`. */
  readonly device: string;
  /** Says how it ended and lets the task end with this status. */
  end(message: ToTerminal): void;
}

/** A shell that starts slowly must not hold up a profile for longer. */
const startLimitMs = 8000;

/**
 * Opens the terminal; null where that is not possible (no device, no terminal support): the program's output then goes
 * to the log.
 * @param onInterrupt Ctrl+C in the terminal, or the terminal was closed
 */
export async function openProgramTerminal(
  extensionPath: string,
  name: string,
  workingDirectory: string,
  onInterrupt: () => void,
): Promise<ProgramTerminal | null> {
  // A directory of its own, readable by its owner only: whoever can connect can end the terminal.
  const folder = await mkdtemp(path.join(tmpdir(), 'pagelens-'));
  const server = net.createServer();
  const close = () => {
    server.close();
    void rm(folder, { recursive: true, force: true });
  };
  try {
    const socketPath = path.join(folder, 'terminal');
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath, resolve));
    const connected = connection(server);
    const execution = await vscode.tasks.executeTask(terminalTask(extensionPath, name, workingDirectory, socketPath));
    const [socket, device] = (await Promise.race([connected, endOf(execution)])) ?? [];
    if (!socket || !device) {
      execution.terminate();
      close();
      return null;
    }
    let ended = false;
    onLines(socket, line => {
      if ((JSON.parse(line) as FromTerminal).kind === 'interrupt') onInterrupt();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!ended) onInterrupt();
      close();
    });
    return {
      device,
      end(message) {
        ended = true;
        socket.end(`${JSON.stringify(message)}\n`);
      },
    };
  } catch {
    close();
    return null;
  }
}

function terminalTask(extensionPath: string, name: string, cwd: string, socketPath: string): vscode.Task {
  const script = path.join(extensionPath, 'dist', 'terminal.cjs');
  const execution = new vscode.ProcessExecution(process.execPath, [script, socketPath], {
    cwd,
    env: { ELECTRON_RUN_AS_NODE: '1' },
  });
  const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(cwd));
  const scope = folder ?? vscode.workspace.workspaceFolders?.[0] ?? vscode.TaskScope.Global;
  const task = new vscode.Task({ type: 'process' }, scope, name, 'Pagelens', execution, []);
  task.presentationOptions = {
    reveal: vscode.TaskRevealKind.Always,
    panel: vscode.TaskPanelKind.Dedicated,
    focus: false,
    echo: false,
    showReuseMessage: false,
    clear: true,
  };
  return task;
}

/** The first connection that names a terminal device; its device is undefined when it has none. */
function connection(server: net.Server): Promise<readonly [net.Socket, string | undefined]> {
  return new Promise(resolve => {
    server.once('connection', socket => {
      socket.once('data', data => {
        const message = JSON.parse(String(data).split('\n')[0] ?? '') as FromTerminal;
        const device = message.kind === 'ready' && message.device.startsWith('/dev/') ? message.device : undefined;
        resolve([socket, device]);
      });
    });
  });
}

/** null once the task has ended, or when it takes too long to start. */
function endOf(execution: vscode.TaskExecution): Promise<null> {
  return new Promise(resolve => {
    const timer = setTimeout(() => done(), startLimitMs);
    const listener = vscode.tasks.onDidEndTask(ended => ended.execution === execution && done());
    const done = () => {
      clearTimeout(timer);
      listener.dispose();
      resolve(null);
    };
  });
}
