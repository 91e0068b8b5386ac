/** Reads the primitive values of the WebAssembly binary format (core specification 2.0, chapter 5). */

/** A file that is no WebAssembly module, or one that is damaged; the message is a clause that says what and where. */
export class WasmError extends Error {
  override readonly name = 'WasmError';
}

/** A cursor that never leaves its bounds. */
export class WasmReader {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    readonly end: number,
  ) {
    if (at > end || end > bytes.length) throw new WasmError('it is cut or damaged: a part reaches beyond its end');
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** @throws WasmError, as all below. */
  damaged(what: string): WasmError {
    return new WasmError(`it is damaged: ${what} at byte ${this.at.toLocaleString('en')}`);
  }

  u8(): number {
    if (this.at >= this.end) throw this.damaged('a part ends too early');
    return this.bytes[this.at++]!;
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw this.damaged('a part ends too early');
    this.at += count;
  }

  /** LEB128, unsigned, 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      if (value > 0xffff_ffff) break;
      return value;
    }
    throw this.damaged('a number is too long');
  }

  /** Moves behind a LEB128 of up to 64 bits, signed or not. */
  skipLeb(): void {
    for (let i = 0; i < 10; i++) if (this.u8() < 0x80) return;
    throw this.damaged('a number is too long');
  }

  /** LEB128, signed, 32 bits: a constant's value. */
  s32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value |= shift < 32 ? (byte & 0x7f) << shift : 0;
      if (byte >= 0x80) continue;
      return byte & 0x40 && shift < 25 ? value | (-1 << (shift + 7)) : value;
    }
    throw this.damaged('a number is too long');
  }

  /** Length of a vector whose elements have at least one byte each. */
  count(): number {
    const count = this.u32();
    if (count > this.end - this.at) throw this.damaged('a list is longer than the file');
    return count;
  }

  text(): string {
    const length = this.count();
    const start = this.at;
    this.skip(length);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString('utf8');
  }

  /** The next `length` bytes, as a reader of their own. */
  part(length: number): WasmReader {
    const start = this.at;
    this.skip(length);
    return new WasmReader(this.bytes, start, start + length);
  }
}
