/** Text formats: lines out of chunks, and numbers out of lines, without making strings. */
import { TraceError } from '../error.js';
import type { ImportInput } from './input.js';

/** A longer line is no record of any known format. */
const MAX_LINE_BYTES = 1 << 16;

const NEWLINE = 10;
const RETURN = 13;

/** One line: bytes `from` to `to` of `text`, without its end. */
export type OnLine = (text: Uint8Array, from: number, to: number) => void;

/**
 * Calls back for each line, then, after each chunk, awaits `between`. Returns the last line when no line end follows it:
 * what a cut file ends with.
 * @throws TraceError for a line that is longer than 64 KiB: the file is not text
 */
export async function eachLine(input: ImportInput, onLine: OnLine, between: () => Promise<void>): Promise<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  let lines = 0;
  const tooLong = () => {
    throw new TraceError(`${input.name}: line ${lines + 1} is longer than 64 KiB, so that this is no text trace`);
  };
  for await (const chunk of input.chunks()) {
    let start = 0;
    if (rest.length > 0) {
      const end = chunk.indexOf(NEWLINE);
      if (rest.length + (end < 0 ? chunk.length : end) > MAX_LINE_BYTES) tooLong();
      const joined = Buffer.concat([rest, end < 0 ? chunk : chunk.subarray(0, end)]);
      if (end < 0) {
        rest = joined;
        continue;
      }
      emit(joined, 0, joined.length);
      start = end + 1;
    }
    for (let end = chunk.indexOf(NEWLINE, start); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      if (end - start > MAX_LINE_BYTES) tooLong();
      emit(chunk, start, end);
      start = end + 1;
    }
    if (chunk.length - start > MAX_LINE_BYTES) tooLong();
    rest = chunk.slice(start);
    await between();
  }
  return rest;

  function emit(text: Uint8Array, from: number, to: number): void {
    lines++;
    onLine(text, from, to > from && text[to - 1] === RETURN ? to - 1 : to);
  }
}

/** Reads numbers at a place that moves on behind them. 64-bit numbers are two words. */
export class NumberCursor {
  text: Uint8Array = new Uint8Array();
  at = 0;
  end = 0;
  low = 0;
  high = 0;

  set(text: Uint8Array, at: number, end: number): void {
    this.text = text;
    this.at = at;
    this.end = end;
  }

  /** Hexadecimal digits, with or without 0x, into `low` and `high`; false where there is none or more than 16. */
  hex(): boolean {
    const { text, end } = this;
    let { at } = this;
    if (text[at] === 48 && (text[at + 1]! | 32) === 120 && at + 1 < end) at += 2;
    const first = at;
    let low = 0;
    let high = 0;
    for (; at < end; at++) {
      const digit = HEX[text[at]!]!;
      if (digit === NO_DIGIT) break;
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | digit;
    }
    this.at = at;
    this.low = low >>> 0;
    this.high = high >>> 0;
    return at > first && at - first <= 16;
  }

  /** Decimal digits as a number; -1 where there is none, or above 2^53. */
  decimal(): number {
    const { text, end } = this;
    const first = this.at;
    let value = 0;
    let at = first;
    for (; at < end; at++) {
      const digit = text[at]! - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.at = at;
    return at > first && value <= Number.MAX_SAFE_INTEGER ? value : -1;
  }

  /** Whether `byte` stands here; then it is behind. */
  skip(byte: number): boolean {
    if (this.at >= this.end || this.text[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  /** Spaces and tabs. */
  blanks(): void {
    while (this.at < this.end && (this.text[this.at] === 32 || this.text[this.at] === 9)) this.at++;
  }

  get atEnd(): boolean {
    return this.at >= this.end;
  }
}

const NO_DIGIT = 255;
/** The value of a hexadecimal digit by its character. */
const HEX = new Uint8Array(256).fill(NO_DIGIT);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  HEX[digit.charCodeAt(0)] = value;
  HEX[digit.toUpperCase().charCodeAt(0)] = value;
}

/** The whole lines at a file's start, as texts. */
export function firstLines(start: Uint8Array, whole: boolean): string[] {
  const text = Buffer.from(start.buffer, start.byteOffset, start.byteLength).toString('latin1');
  const lines = text.split(/\r?\n/);
  // The last one is empty, or cut.
  if (!whole || lines.at(-1) === '') lines.pop();
  return lines;
}
