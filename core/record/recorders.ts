/** The recorders, as `pagelens list recorders` shows them. */
import type { Recorder } from './target.js';

export const recorders: Readonly<Record<Recorder, { readonly label: string; readonly summary: string }>> = {
  instrument: {
    label: 'Compiler instrumentation',
    summary: 'rebuilds C, C++, Fortran or Rust with the access hooks of gcc, clang or rustc; level: source',
  },
  valgrind: {
    label: 'Valgrind',
    summary:
      'runs an unmodified x86-64 executable under a tool of our own; level: machine; needs valgrind and gcc or clang',
  },
  qemu: {
    label: 'QEMU',
    summary:
      'runs an unmodified executable of x86-64, AArch64 or RISC-V (64 bits) under a plug-in of our own; level: machine; no heap objects; needs qemu-user and gcc or clang',
  },
  wasm: {
    label: 'WebAssembly',
    summary: 'rewrites the loads and stores of a WASI program and runs it in Node; level: machine; needs nothing',
  },
};
