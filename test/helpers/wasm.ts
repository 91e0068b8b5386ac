/** WebAssembly modules for tests: assembled from text, rewritten as for a recording, and run with hooks that listen. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import binaryen from 'assemblyscript/binaryen';
import { FIRST_SITE } from '../../core/record/wasm/hooks/records.js';
import { type Rewritten, rewrite } from '../../core/record/wasm/rewrite.js';
import { parseModule } from '../../core/symbols/wasm/module.js';

/** Builds a C program in `folder`, as its user would. */
export function clangForWasm(source: string, folder: string): string {
  const program = path.join(folder, `${path.basename(source, '.c')}.wasm`);
  // clang runs the wasm-opt that it finds, such as that of binaryen's package, which spoils the debug information.
  const PATH = process.env.PATH!.split(path.delimiter).filter(entry => !entry.includes('node_modules'));
  const env = { ...process.env, PATH: PATH.join(path.delimiter) };
  execFileSync('clang', ['--target=wasm32-wasi', '-g', '-O2', source, '-o', program], { env });
  return program;
}

/** By binaryen, an assembler that is not ours; nothing is optimised. */
export function assemble(text: string): Buffer<ArrayBuffer> {
  binaryen.setDebugInfo(true);
  const module = binaryen.parseText(text);
  try {
    module.setFeatures(binaryen.Features.All & ~binaryen.Features.Memory64);
    if (!module.validate()) throw new Error('the test has an invalid module');
    return Buffer.from(module.emitBinary());
  } finally {
    module.dispose();
  }
}

/** The text of a module that is valid, by binaryen. */
export function disassembled(bytes: Uint8Array): string {
  const module = binaryen.readBinary(bytes);
  try {
    module.setFeatures(binaryen.Features.All);
    if (!module.validate()) throw new Error('the module is invalid');
    return module.emitText();
  } finally {
    module.dispose();
  }
}

/** A module with a memory of one page around `functions`. */
export function moduleOf(functions: string): Buffer<ArrayBuffer> {
  return assemble(`(module (memory (export "memory") 1) ${functions})`);
}

export function rewritten(bytes: Buffer<ArrayBuffer>): Rewritten {
  return rewrite(parseModule(bytes));
}

/** Calls an export of the rewritten module; `heard` is what its hooks were told, in order. */
export function listen(
  bytes: Buffer<ArrayBuffer>,
  name: string,
  ...args: unknown[]
): { heard: string[]; result: unknown } {
  const { bytes: code, sites } = rewritten(bytes);
  const heard: string[] = [];
  let frames = 0;
  let allocating = false;
  const what = (site: number) => {
    const i = site - FIRST_SITE;
    const kind = sites.kind[i]!;
    const names = ['read', 'write', 'range read', 'range write', '', '', 'call'];
    return { i, text: `${kind & 64 ? 'atomic ' : ''}${names[kind & 7]}` };
  };
  const access = (address: number, site: number) => {
    const { i, text } = what(site);
    heard.push(`${text} ${(address >>> 0) + sites.offset[i]!}+${sites.size[i]}`);
    return address;
  };
  const hooks = {
    access,
    wrote: (site: number, address: number, happened: number) => {
      if (happened) access(address, site);
    },
    range: (address: number, length: number, pages: number, site: number) =>
      heard.push(`${what(site).text} ${address}+${length} of ${pages}`),
    enter: (site: number) => {
      frames++;
      heard.push(what(site).text);
    },
    leave: () => {
      frames--;
      heard.push('return');
    },
    depth: () => frames,
    unwind: (to: number) => {
      if (frames > to) heard.push(`unwind ${frames - to}`);
      frames = to;
    },
    grown: (old: number, pages: number) => heard.push(`grown ${old}+${pages}`),
    allocating: () => {
      const outermost = !allocating;
      allocating = true;
      return outermost ? 1 : 0;
    },
    freed: (block: number) => heard.push(`free ${block}`),
    allocated: (block: number, size: number, old: number, kind: number) => {
      allocating = false;
      heard.push(`allocated ${block}+${size} for ${old} by ${kind}`);
    },
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(code)), { pagelens: hooks });
  const result = (instance.exports[name] as (...args: unknown[]) => unknown)(...args);
  return { heard, result };
}
