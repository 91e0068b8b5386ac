/**
 * Pin's `pinatrace`, of the kit's examples (Pin user guide, "Memory Reference Trace"): a line an access, `ip: R address`
 * or `ip: W address`, hexadecimal with 0x. The longer form (source/tools/SimpleExamples) adds the size in decimal and the
 * value. The last line is `#eof`.
 */
import type { ImportFormat } from './format.js';
import { eachLine, firstLines, NumberCursor } from './lines.js';
import { type ImportSink, READ, WRITE } from './sink.js';
import { Strange } from './strange.js';

const [HASH, COLON, SPACE, R, W] = [35, 58, 32, 82, 87];

const RECORD = /^\s*0x[0-9a-fA-F]{1,16}: [RW]\s+0x[0-9a-fA-F]{1,16}(\s+\d{1,4}(\s+\S+)?)?\s*$/;

export const pinatrace: ImportFormat = {
  label: 'Pin pinatrace',
  summary: 'text of Pin’s example tool: every load and store with its instruction; sizes where the tool writes them',

  recognise(start, whole) {
    const lines = firstLines(start, whole).filter(line => line !== '' && !line.startsWith('#'));
    return lines.length > 0 && 2 * lines.filter(line => RECORD.test(line)).length >= lines.length;
  },

  async read(input, sink) {
    const reader = new PinReader(sink);
    const rest = await eachLine(
      input,
      (text, from, to) => reader.line(text, from, to),
      () => sink.room(),
    );
    // Pin ends the file without a line end.
    if (!input.cut && Buffer.from(rest).toString('latin1') === '#eof') reader.ended = true;
    if (!reader.ended) sink.incomplete('the file ends without #eof: the program was stopped, or the file is cut');
    reader.warn();
  },
};

class PinReader {
  /** The line #eof was met. */
  ended = false;
  #withoutSize = false;
  readonly #strange = new Strange('neither records nor comments');
  readonly #cursor = new NumberCursor();

  constructor(private readonly sink: ImportSink) {}

  line(text: Uint8Array, from: number, to: number): void {
    const cursor = this.#cursor;
    cursor.set(text, from, to);
    cursor.blanks();
    if (cursor.atEnd) return;
    if (text[cursor.at] === HASH) {
      if (Buffer.from(text.subarray(cursor.at, to)).toString('latin1').trim() === '#eof') this.ended = true;
      return;
    }
    if (this.#access(cursor)) this.#strange.record();
    else this.#strange.line();
  }

  #access(cursor: NumberCursor): boolean {
    if (!cursor.hex()) return false;
    const { low: pcLow, high: pcHigh } = cursor;
    if (!cursor.skip(COLON) || !cursor.skip(SPACE)) return false;
    const write = cursor.skip(W);
    if (!write && !cursor.skip(R)) return false;
    cursor.blanks();
    if (!cursor.hex()) return false;
    const { low, high } = cursor;
    cursor.blanks();
    const size = cursor.atEnd ? 0 : cursor.decimal();
    if (size < 0) return false;
    if (size === 0) this.#withoutSize = true;
    this.sink.access(pcLow, pcHigh, low, high, write ? WRITE : READ, Math.max(1, size));
    return true;
  }

  warn(): void {
    this.#strange.warn(this.sink);
    if (this.#withoutSize)
      this.sink.warnings.push(
        'The file has no sizes: each access counts on the page and line of its first byte, and touches no other.',
      );
  }
}
