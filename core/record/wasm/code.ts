/** Writes the WebAssembly binary format. */

export class CodeWriter {
  #bytes = new Uint8Array(1 << 16);
  length = 0;

  #room(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, needed));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }

  /** Opcodes and other single bytes. */
  u8(...bytes: readonly number[]): this {
    this.#room(bytes.length);
    for (const byte of bytes) this.#bytes[this.length++] = byte;
    return this;
  }

  /** LEB128, unsigned, 32 bits. */
  u32(value: number): this {
    this.#room(5);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.length++] = rest;
    return this;
  }

  /** LEB128, signed, of a number from 0 to 2^31 - 1. */
  s32(value: number): this {
    this.#room(6);
    let rest = value;
    while (rest >= 0x40) {
      this.#bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.length++] = rest;
    return this;
  }

  text(text: string): this {
    const bytes = Buffer.from(text, 'utf8');
    return this.u32(bytes.length).raw(bytes);
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** What `content` writes, behind its length in bytes. */
  sized(content: CodeWriter): this {
    return this.u32(content.length).raw(content.bytes);
  }

  clear(): void {
    this.length = 0;
  }

  /** What was written; until the next byte is. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }
}
