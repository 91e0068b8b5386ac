/**
 * The container of a `.pltrace`: a file header, then blocks that follow each other without gaps. Each block has a
 * 32-byte header with its own checksum and one for its payload, so that a torn end (the recorder was killed, the disk
 * was full) is told from a whole block, and a damaged length is never believed. `docs/trace-format.md` is the
 * specification; what is in a payload is in payload.ts.
 *
 * All numbers are little-endian, in the file and in memory: every machine that VS Code runs on is.
 */
import { crc32 } from 'node:zlib';
import type { Block } from './blocks.js';

/** What is written, unless the file holds what a reader of this version does not know. */
export const FORMAT_VERSION = 1;
/** A file with marks (EVENT_MARK), whose names make it one. */
export const MARKS_VERSION = 2;
export const KNOWN_VERSIONS: readonly number[] = [FORMAT_VERSION, MARKS_VERSION];

/** Like PNG's: a byte above 127, both line ends and ^Z, so that a transfer in text mode shows. */
export const FILE_MAGIC = Uint8Array.of(0x89, 0x50, 0x4c, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);
export const FILE_HEADER_BYTES = 16;

export const BLOCK_HEADER_BYTES = 32;
const BLOCK_MARKER = 0x4b424c50; // the bytes `PLBK`

/** Largest payload of one block, inflated; a longer one is written as several (FLAG_MORE). */
export const MAX_RAW_BYTES = 16 << 20;
/** Largest payload of one logical block, over its parts. */
export const MAX_JOINED_BYTES = 256 << 20;
/** Stream numbers lie below this. It bounds what a damaged number can make a reader allocate. */
export const MAX_STREAMS = 1 << 24;
/** Deflate cannot expand more than this (zlib's technical notes: 1032 to 1). */
const MAX_DEFLATE_RATIO = 1032;

export const CODEC_NONE = 0;
export const CODEC_DEFLATE_RAW = 1;

/** The next block continues the payload of this one. */
export const FLAG_MORE = 1;

/** The stream number of a block that belongs to no stream. */
export const NO_STREAM = 0xffffffff;

/** A reader skips blocks of unknown types from here on; an unknown type below is an error. */
export const FIRST_SKIPPABLE_TYPE = 128;

export const TYPE_NUMBERS = {
  header: 1,
  process: 2,
  thread: 3,
  module: 4,
  sites: 5,
  fileName: 6,
  stream: 7,
  symbols: 8,
  end: 9,
  markName: 10,
} as const satisfies Record<Block['type'], number>;

const TYPE_NAMES = new Map<number, Block['type']>(
  Object.entries(TYPE_NUMBERS).map(([name, number]) => [number, name as Block['type']]),
);

export interface BlockHeader {
  /** Null: a type that this version does not know and may skip. */
  readonly type: Block['type'] | null;
  readonly codec: number;
  readonly flags: number;
  /** Ordinal of the block in the file, from 0. */
  readonly number: number;
  /** NO_STREAM but for stream blocks. */
  readonly stream: number;
  /** Bytes of the payload, inflated and as stored. */
  readonly rawLength: number;
  readonly storedLength: number;
  /** CRC-32 of the stored payload. */
  readonly crc: number;
}

export function encodeFileHeader(version: number = FORMAT_VERSION): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  bytes.set(FILE_MAGIC);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, version, true);
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
  return bytes;
}

/** The version, or null when these are not the first bytes of a trace. */
export function decodeFileHeader(bytes: Uint8Array): number | null {
  if (bytes.length < FILE_HEADER_BYTES || !FILE_MAGIC.every((byte, i) => bytes[i] === byte)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(12, true) !== crc32(bytes.subarray(0, 12))) return null;
  return view.getUint32(8, true);
}

export function encodeBlockHeader(header: BlockHeader & { readonly type: Block['type'] }): Uint8Array {
  const bytes = new Uint8Array(BLOCK_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, BLOCK_MARKER, true);
  view.setUint8(4, TYPE_NUMBERS[header.type]);
  view.setUint8(5, header.codec);
  view.setUint16(6, header.flags, true);
  view.setUint32(8, header.number, true);
  view.setUint32(12, header.stream, true);
  view.setUint32(16, header.rawLength, true);
  view.setUint32(20, header.storedLength, true);
  view.setUint32(24, header.crc, true);
  view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
  return bytes;
}

/** The header, or a phrase that says what is wrong with it. `number`: the ordinal that is due. */
export function decodeBlockHeader(bytes: Uint8Array, number: number): BlockHeader | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== BLOCK_MARKER) return 'no block begins here';
  if (view.getUint32(28, true) !== crc32(bytes.subarray(0, 28))) return "the block header's checksum is wrong";
  const typeNumber = view.getUint8(4);
  const header: BlockHeader = {
    type: TYPE_NAMES.get(typeNumber) ?? null,
    codec: view.getUint8(5),
    flags: view.getUint16(6, true),
    number: view.getUint32(8, true),
    stream: view.getUint32(12, true),
    rawLength: view.getUint32(16, true),
    storedLength: view.getUint32(20, true),
    crc: view.getUint32(24, true),
  };
  if (header.type === null && typeNumber < FIRST_SKIPPABLE_TYPE) return `block type ${typeNumber} is unknown`;
  if (header.number !== number) return `block ${number} is due, but block ${header.number} follows`;
  if (header.rawLength > MAX_RAW_BYTES) return `the block claims ${header.rawLength} bytes, more than a block may have`;
  if (header.type === null) return header;
  if (header.flags & ~FLAG_MORE) return `block flags ${header.flags} are unknown`;
  if (header.codec === CODEC_NONE) {
    if (header.storedLength !== header.rawLength) return 'the lengths of an uncompressed block differ';
  } else if (header.codec === CODEC_DEFLATE_RAW) {
    if (header.rawLength > header.storedLength * MAX_DEFLATE_RATIO || header.storedLength > MAX_RAW_BYTES)
      return `the block claims to inflate ${header.storedLength} bytes to ${header.rawLength}`;
  } else return `codec ${header.codec} is unknown`;
  if (header.type === 'stream') {
    if (header.stream >= MAX_STREAMS) return `stream number ${header.stream} is out of range`;
    if (header.flags & FLAG_MORE) return 'a stream block claims to be continued';
  } else if (header.stream !== NO_STREAM) return `a ${header.type} block claims to belong to a stream`;
  return header;
}
