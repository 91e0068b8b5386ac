/** "Profile the sample": a ray tracer of our own, copied to where the user may change it, opened and profiled. */
import { constants } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Core } from '../core.js';
import type { Profiler } from './profiler.js';
import type { Target } from './target.js';

/** Ends at the sample's hottest function, where the first lens is to be read. */
export async function profileSample(core: Core, profiler: Profiler): Promise<void> {
  const target = await openSample(core.context);
  if (!(await profiler.run(target))) return;
  const [hottest] = await core.request('pagelens/hotRegions', { uri: target.scope.toString(), limit: 1 });
  if (!hottest?.location) return;
  const editor = await vscode.window.showTextDocument(target.scope, { preview: false });
  const line = hottest.location.line - 1;
  editor.selection = new vscode.Selection(line, 0, line, 0);
  editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenter);
}

/** Settings of the workspace are for its own program: they do not count here. */
async function openSample(context: vscode.ExtensionContext): Promise<Target> {
  const folder = path.join(context.globalStorageUri.fsPath, 'sample');
  const file = path.join(folder, 'raytracer.c');
  await mkdir(folder, { recursive: true });
  // What the user tried out in it stays.
  await copyFile(path.join(context.extensionPath, 'dist/sample/raytracer.c'), file, constants.COPYFILE_EXCL).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
  const uri = vscode.Uri.file(file);
  await vscode.window.showTextDocument(uri, { preview: false });
  return { program: file, scope: uri, arguments: [], environment: {}, workingDirectory: folder, cflags: '' };
}
