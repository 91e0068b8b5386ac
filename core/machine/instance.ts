/** Instances of `kernel.wasm`: one for each half of a replay. */
import { readFileSync } from 'node:fs';
import { assetPath } from '../assets.js';

/** Compiled once a thread: instantiating is quick, compiling is not. */
let compiled: WebAssembly.Module | undefined;

const FAILURES: readonly string[] = [
  '',
  'the replay needs more than 4 GiB of memory: the program touches too much for one replay; record a smaller input',
  'the run has more than 1,048,576 epochs of the given length: give a larger --epoch, or none',
];

/** @param deliver the import by which the counting half hands over its messages (kernel/outbox.ts) */
export function instantiate<Exports>(deliver: (at: number, bytes: number) => void): Exports {
  compiled ??= new WebAssembly.Module(readFileSync(assetPath('kernel.wasm')));
  const abort = (): never => {
    throw new Error('the replay kernel met a state that cannot be; please report the trace');
  };
  return new WebAssembly.Instance(compiled, { env: { abort }, outbox: { deliver } }).exports as unknown as Exports;
}

/** Calls into an instance; a trap becomes an error that says why. */
export function guarded<T>(exports: { readonly failure: { readonly value: number } }, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const reason = FAILURES[exports.failure.value];
    throw reason ? new Error(reason) : error;
  }
}
