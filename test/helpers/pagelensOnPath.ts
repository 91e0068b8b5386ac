/** The `pagelens` command for shells and build systems. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { launcherScript } from '../../core/model/shell.js';
import { cli } from './cli.js';

/** This process's environment with `pagelens` on the PATH, put into `folder/bin`, and no compilers named. */
export function withPagelens(folder: string): NodeJS.ProcessEnv {
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(path.join(bin, 'pagelens'), launcherScript(process.execPath, cli));
  chmodSync(path.join(bin, 'pagelens'), 0o755);
  const { CC: _cc, CXX: _cxx, FC: _fc, ...environment } = process.env;
  return { ...environment, PATH: `${bin}:${process.env.PATH}` };
}

/** Runs lines of shell; their output, with what they said on standard error. Throws when the last fails. */
export function shell(lines: string, cwd: string, env: NodeJS.ProcessEnv): string {
  return execFileSync('sh', ['-c', `exec 2>&1; ${lines}`], { cwd, env, encoding: 'utf8', maxBuffer: 64 << 20 });
}
