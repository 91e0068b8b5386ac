/** "Profile the sample": a ray tracer of our own, copied to where the user may change it, opened and profiled. */
import { constants } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Target } from './target.js';

/** Settings of the workspace are for its own program: they do not count here. */
export async function openSample(context: vscode.ExtensionContext): Promise<Target> {
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
