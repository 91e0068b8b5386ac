/**
 * A struct in Thrift's compact protocol (Apache Thrift, doc/specs/thrift-compact-protocol.md), in the making: what the
 * metadata of Parquet files are written in. Fields are to be added in ascending order of their numbers.
 */

const [I32, I64, BINARY, LIST, STRUCT] = [5, 6, 8, 9, 12];
const STOP = 0;
/** Lists of more elements have their length behind the header. */
const SHORT_LIST = 15;

export class ThriftStruct {
  readonly #bytes: number[] = [];
  #last = 0;

  i32(field: number, value: number): this {
    return this.#field(field, I32).#varint(zigzag(BigInt(value)));
  }

  i64(field: number, value: number): this {
    return this.#field(field, I64).#varint(zigzag(BigInt(value)));
  }

  text(field: number, value: string): this {
    return this.#field(field, BINARY).#text(value);
  }

  struct(field: number, value: ThriftStruct): this {
    return this.#field(field, STRUCT).#raw(value.bytes());
  }

  i32s(field: number, values: readonly number[]): this {
    this.#list(field, I32, values.length);
    for (const value of values) this.#varint(zigzag(BigInt(value)));
    return this;
  }

  texts(field: number, values: readonly string[]): this {
    this.#list(field, BINARY, values.length);
    for (const value of values) this.#text(value);
    return this;
  }

  structs(field: number, values: readonly ThriftStruct[]): this {
    this.#list(field, STRUCT, values.length);
    for (const value of values) this.#raw(value.bytes());
    return this;
  }

  bytes(): Uint8Array {
    return Uint8Array.from([...this.#bytes, STOP]);
  }

  /** The number as a difference to that of the field before, which is below 16 here. */
  #field(field: number, type: number): this {
    this.#bytes.push(((field - this.#last) << 4) | type);
    this.#last = field;
    return this;
  }

  #list(field: number, type: number, length: number): void {
    this.#field(field, LIST);
    if (length < SHORT_LIST) this.#bytes.push((length << 4) | type);
    else {
      this.#bytes.push((SHORT_LIST << 4) | type);
      this.#varint(BigInt(length));
    }
  }

  #text(value: string): this {
    const bytes = Buffer.from(value, 'utf8');
    return this.#varint(BigInt(bytes.length)).#raw(bytes);
  }

  #raw(bytes: Uint8Array): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  #varint(value: bigint): this {
    let rest = value;
    for (; rest >= 128n; rest >>= 7n) this.#bytes.push(Number(rest & 127n) | 128);
    this.#bytes.push(Number(rest));
    return this;
  }
}

function zigzag(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
}
