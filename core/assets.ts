/** Finds the files that ship beside the bundles: the kernel, the recorder's C sources, the sample, the version. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The `dist` folder: where the bundle lies, or where the build put it when the sources run unbundled (tests). */
function distFolder(): string {
  const candidates = [__dirname, path.join(__dirname, '../dist')];
  const found = candidates.find(folder => existsSync(path.join(folder, 'kernel.wasm')));
  if (!found)
    throw new Error(`the build output is missing (looked in ${candidates.join(' and ')}); run: npm run build`);
  return found;
}

/** Absolute path of a shipped file, such as `kernel.wasm` or `runtime/pagelens.c`. */
export function assetPath(name: string): string {
  return path.join(distFolder(), name);
}

export function version(): string {
  return readFileSync(assetPath('version'), 'utf8').trim();
}
