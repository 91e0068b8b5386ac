/** Reads the primitive values of DWARF from a section; throws RangeError when one would lie outside. */

export class Cursor {
  at: number;

  constructor(
    readonly bytes: Buffer,
    at: number,
    readonly end: number = bytes.length,
  ) {
    if (at < 0 || at > end || end > bytes.length) throw new RangeError('outside the section');
    this.at = at;
  }

  skip(count: number): void {
    if (!(count >= 0) || this.at + count > this.end) throw new RangeError('outside the section');
    this.at += count;
  }

  u8(): number {
    if (this.at >= this.end) throw new RangeError('outside the section');
    return this.bytes[this.at++]!;
  }

  u16(): number {
    const at = this.at;
    this.skip(2);
    return this.bytes.readUInt16LE(at);
  }

  u24(): number {
    const at = this.at;
    this.skip(3);
    return this.bytes.readUIntLE(at, 3);
  }

  u32(): number {
    const at = this.at;
    this.skip(4);
    return this.bytes.readUInt32LE(at);
  }

  /** Exact below 2^53, which addresses and offsets are. */
  u64(): number {
    const low = this.u32();
    return low + this.u32() * 0x1_0000_0000;
  }

  /** An offset of the 32-bit or 64-bit DWARF format. */
  offset(size: 4 | 8): number {
    return size === 4 ? this.u32() : this.u64();
  }

  uleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  sleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return byte & 0x40 ? value - scale : value;
    }
  }

  /** Moves behind a zero-terminated string and gives where it started. */
  stringAt(): number {
    const start = this.at;
    const zero = this.bytes.indexOf(0, start);
    if (zero < 0 || zero >= this.end) throw new RangeError('outside the section');
    this.at = zero + 1;
    return start;
  }

  /** The length that opens a unit, and the size of its offsets (DWARF 5, section 7.4). */
  initialLength(): { length: number; offsetSize: 4 | 8 } {
    const length = this.u32();
    if (length < 0xffff_fff0) return { length, offsetSize: 4 };
    if (length !== 0xffff_ffff) throw new RangeError('a reserved unit length');
    return { length: this.u64(), offsetSize: 8 };
  }
}
