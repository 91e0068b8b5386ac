/**
 * Time from the command to the first lens, as an editor sees it: the real language server, spoken to over its own
 * protocol. The clock runs from the profile request to the answer with the document's lenses; the build of the program
 * is not in it when the program is an executable.
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';

/**
 * @param {string} server path of server.cjs
 * @param {{ program: string, args: string[], cwd: string, env?: Record<string, string>, document: string }} run
 *   `document`: the source file whose lenses are asked for
 * @returns {Promise<{ seconds: number, lenses: number }>}
 */
export async function firstLens(server, { program, args, cwd, env, document }) {
  return connected(server, cwd, async connection => {
    const uri = pathToFileURL(document).href;
    await connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId: 'c', version: 1, text: readFileSync(document, 'utf8') },
    });
    const begin = performance.now();
    await connection.sendRequest('pagelens/profile', {
      program,
      arguments: args,
      workingDirectory: cwd,
      environment: env,
    });
    const lenses = await connection.sendRequest('textDocument/codeLens', { textDocument: { uri } });
    if (lenses[0]) await connection.sendRequest('codeLens/resolve', lenses[0]);
    return { seconds: (performance.now() - begin) / 1000, lenses: lenses.length };
  });
}

/**
 * Starts the language server as an editor does, and ends it after `work`.
 * @template T
 * @param {string} server path of server.cjs
 * @param {string} folder the workspace
 * @param {(connection: import('vscode-jsonrpc').MessageConnection) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function connected(server, folder, work) {
  const child = fork(server, ['--node-ipc'], { silent: true });
  const ended = new Promise((_, reject) =>
    child.once('exit', status => reject(new Error(`the server ended with ${status}`))),
  );
  ended.catch(() => {});
  const connection = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  connection.onRequest('workspace/configuration', ({ items }) => items.map(() => null));
  connection.onRequest('client/registerCapability', () => null);
  connection.onRequest('workspace/codeLens/refresh', () => null);
  connection.onRequest('workspace/inlayHint/refresh', () => null);
  connection.listen();
  const start = async () => {
    await connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(folder).href,
      capabilities: { textDocument: { codeLens: {} }, workspace: { codeLens: { refreshSupport: true } } },
    });
    await connection.sendNotification('initialized', {});
    return work(connection);
  };
  try {
    return await Promise.race([start(), ended]);
  } finally {
    connection.dispose();
    child.kill();
  }
}
