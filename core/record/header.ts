/**
 * `pagelens.h` (core/record/include): where it lies, and how compilers find it that are called through us. By the
 * environment, since a flag would show in what the report says of the program's own flags; and last, so that another
 * file of that name comes first.
 */
import path from 'node:path';
import { assetPath } from '../assets.js';

export function includeFolder(): string {
  return assetPath('include');
}

/** The environment of a compiler, gcc or clang, that finds `#include <pagelens.h>`. */
export function withHeader(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const after = (folders: string | undefined) =>
    folders ? `${folders}${path.delimiter}${includeFolder()}` : includeFolder();
  return {
    ...env,
    C_INCLUDE_PATH: after(env.C_INCLUDE_PATH),
    CPLUS_INCLUDE_PATH: after(env.CPLUS_INCLUDE_PATH),
  };
}
