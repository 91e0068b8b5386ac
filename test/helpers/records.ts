/** Folders, compilers and the runtime for tests that build and record real programs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { onPath } from '../../core/record/compiler.js';

/** test/programs. */
export const programs = fileURLToPath(new URL('../programs', import.meta.url));

/** A folder that is removed when the test file ends. */
export function scratchFolder(name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), `pagelens-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The environment in which this compiler is found first; variables of the machine that name another are unset. */
export function environmentFor(compiler: 'gcc' | 'clang'): NodeJS.ProcessEnv {
  const { CC: _cc, CXX: _cxx, ...env } = process.env;
  return { ...env, PAGELENS_CC: compiler, PAGELENS_CXX: compiler === 'gcc' ? 'g++' : 'clang++' };
}

/** The compilers of this machine; gcc must be there, clang may be. */
export const compilers = (['gcc', 'clang'] as const).filter(name => onPath(name));
