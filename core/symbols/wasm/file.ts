/**
 * A WebAssembly module as symbols and replay see it: an image with the program's memory at 0 and its code far above, since
 * one module in a trace has one range of addresses, and WebAssembly keeps the two apart.
 *
 * Addresses of code count from the content of the code section, as those of DWARF do (WebAssembly's tool conventions,
 * "DWARF for WebAssembly").
 */
import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { WasmError, WasmReader } from './binary.js';
import { isWasm, parseModule, type WasmModule } from './module.js';

/** Where code lies in the image: above any address of 32 bits. */
export const CODE_BASE = 2 ** 40;

/** Largest module that is read, in bytes: that of the engines. */
const FILE_LIMIT = 1 << 30;

export interface WasmFunction {
  readonly name: string;
  /** Bytes from the content of the code section. */
  readonly address: number;
  readonly size: number;
}

export class WasmFile {
  private constructor(readonly module: WasmModule) {}

  /** Null when the file is not there, not readable or not such a module. */
  static async open(path: string): Promise<WasmFile | null> {
    try {
      if (!(await isWasmFile(path)) || (await stat(path)).size > FILE_LIMIT) return null;
      return new WasmFile(parseModule(await readFile(path)));
    } catch {
      return null;
    }
  }

  async close(): Promise<void> {}

  /** Content of a custom section; null when there is none. */
  async content(name: string): Promise<Buffer | null> {
    const { bytes } = this.module;
    const section = this.section(name);
    return section ? Buffer.from(bytes.buffer, bytes.byteOffset + section.start, section.end - section.start) : null;
  }

  /** Size of a custom section, in bytes; 0 when there is none. */
  sizeOf(name: string): number {
    const section = this.section(name);
    return section ? section.end - section.start : 0;
  }

  private section(name: string) {
    return this.module.sections.find(section => section.name === name);
  }

  /** The linker's build id, else a hash of the file, as lower-case hex. */
  async buildId(): Promise<string> {
    const section = this.section('build_id');
    if (section) {
      try {
        const reader = new WasmReader(this.module.bytes, section.start, section.end);
        const { at, end } = reader.part(reader.u32());
        if (end > at) return Buffer.from(this.module.bytes.subarray(at, end)).toString('hex');
      } catch (error) {
        if (!(error instanceof WasmError)) throw error;
      }
    }
    return createHash('sha256').update(this.module.bytes).digest('hex').slice(0, 40);
  }

  /** What the module says that it was made by, such as `clang 14.0.6` (tool conventions, "Producers Section"). */
  get producers(): string[] {
    const found: string[] = [];
    const section = this.section('producers');
    try {
      const reader = section ? new WasmReader(this.module.bytes, section.start, section.end) : null;
      for (let fields = reader?.count() ?? 0; fields > 0; fields--) {
        const compilers = reader!.text() === 'processed-by';
        for (let values = reader!.count(); values > 0; values--) {
          const producer = `${reader!.text()} ${reader!.text()}`;
          if (compilers) found.push(producer);
        }
      }
    } catch (error) {
      if (!(error instanceof WasmError)) throw error;
    }
    return found;
  }

  /** Ascending by address; those without names are called as engines call them, by index. */
  get functions(): WasmFunction[] {
    const { bodies, codeStart, functionNames, importedFunctions } = this.module;
    return bodies.map(({ start, end }, i) => {
      const index = importedFunctions + i;
      const name = functionNames.get(index) || `wasm-function[${index}]`;
      return { name, address: start - codeStart, size: end - start };
    });
  }
}

/** Whether a file begins as WebAssembly does. */
export async function isWasmFile(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
      return isWasm(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}
