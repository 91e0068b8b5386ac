/**
 * Runs in the extension host: opens the large profile and asks for annotations as the editor does. Tells its figures in
 * a file, since what a test logs is meant for people.
 */
const { readFileSync, readdirSync, writeFileSync } = require('node:fs');
const vscode = require('vscode');

exports.run = async () => {
  const { profile, sources, result } = JSON.parse(process.env.PAGELENS_BENCH);
  const figures = await measure(profile, sources).catch(error => ({ failure: String(error.stack ?? error) }));
  writeFileSync(result, JSON.stringify(figures));
};

async function measure(profile, sources) {
  const extension = vscode.extensions.getExtension('pagelens.pagelens');
  if (extension.isActive) throw new Error('the extension was active before it was needed');
  const activationMs = await timed(() => extension.activate());

  const [first, ...others] = sources.map(file => vscode.Uri.file(file));
  await vscode.window.showTextDocument(first);
  const hostBefore = process.cpuUsage();
  const firstLensMs = await timed(async () => {
    void vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(profile), 'pagelens.profileEditor', {
      viewColumn: vscode.ViewColumn.Beside,
    });
    while ((await lenses(first)).length === 0) await new Promise(done => setTimeout(done, 10));
  });

  const { user, system } = process.cpuUsage(hostBefore);
  const processorMs = { host: (user + system) / 1000, core: processorMsOf(serverPid()) };

  const fileMs = [];
  for (const uri of others) {
    await vscode.workspace.openTextDocument(uri);
    fileMs.push(await timed(() => lenses(uri)));
    if ((await lenses(uri)).length === 0) throw new Error(`no lens in ${uri.fsPath}`);
  }
  return {
    activationMs,
    firstLensMs,
    processorMs,
    fileMs,
    hostMiB: peakMiB(process.pid),
    coreMiB: peakMiB(serverPid()),
  };
}

/** The lenses of a file with their texts. */
async function lenses(uri) {
  const found = await vscode.commands.executeCommand('vscode.executeCodeLensProvider', uri, 100);
  return found.filter(lens => lens.command?.title);
}

async function timed(work) {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function peakMiB(pid) {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

/** User and system time of all threads of a process since its start; a tick is 10 ms on Linux. */
function processorMsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The language server: the child of this process that runs it. */
function serverPid() {
  const isServer = pid => {
    try {
      const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
      return Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('server.cjs');
    } catch {
      return false; // It ended between the two looks.
    }
  };
  return readdirSync('/proc').find(name => /^\d+$/.test(name) && isServer(name));
}
