/** `pagelens toolchain KIND`: prints the path of the file or folder by which a build system gets the wrappers. */
import process from 'node:process';
import { UsageError } from '../errors.js';
import { toolchain as pathOf, TOOLCHAIN_KINDS, type ToolchainKind } from '../record/toolchain.js';

export async function toolchain(args: string[]): Promise<number> {
  const [kind] = args;
  const known = Object.keys(TOOLCHAIN_KINDS).join(', ');
  if (kind === undefined || args.length !== 1) throw new UsageError(`toolchain takes one of: ${known}`);
  if (!Object.hasOwn(TOOLCHAIN_KINDS, kind)) throw new UsageError(`toolchain ${kind}: unknown; known: ${known}`);
  process.stdout.write(`${pathOf(kind as ToolchainKind)}\n`);
  return 0;
}
