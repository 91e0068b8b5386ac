/**
 * Valgrind's lackey, `valgrind --tool=lackey --trace-mem=yes --log-file=FILE PROGRAM`.
 *
 * Its manual (lackey, "Memory tracing") gives the lines: `I  04016b80,3` an instruction, address in hexadecimal, size in
 * bytes; then the accesses that it makes, ` L 04222cac,4` a load, ` S` a store, ` M` a load and a store of one place.
 * Lines that begin with `==` or `--` are valgrind's own. Threads run one at a time and are not told apart.
 */
import type { ImportFormat } from './format.js';
import { eachLine, firstLines, NumberCursor } from './lines.js';
import { type ImportSink, READ, WRITE } from './sink.js';
import { Strange } from './strange.js';

const [SPACE, COMMA, EQUALS, MINUS, I, L, M, S] = [32, 44, 61, 45, 73, 76, 77, 83];

const RECORD = /^(?:I {2}| [LSM] )[0-9a-fA-F]{1,16},\d{1,4}$/;
const OWN = /^(?:==|--)/;

export const lackey: ImportFormat = {
  label: 'Valgrind lackey',
  summary: 'text of valgrind --tool=lackey --trace-mem=yes: every load and store with its instruction, threads in one',

  recognise(start, whole) {
    const lines = firstLines(start, whole).filter(line => !OWN.test(line));
    const records = lines.filter(line => RECORD.test(line)).length;
    // The program's own output may stand between.
    return (
      records > 0 &&
      (lines.some(line => /^I {2}/.test(line)) || OWN.test(firstLines(start, whole)[0]!)) &&
      2 * records >= lines.length
    );
  },

  program(start) {
    const command = firstLines(start, false)
      .map(line => /^==\d+== Command: (.+)$/.exec(line))
      .find(found => found)?.[1];
    // Valgrind quotes nothing: an argument with a space cannot be told from two.
    const [program = '', ...rest] = command?.split(' ') ?? [];
    return { program, arguments: rest };
  },

  async read(input, sink) {
    const reader = new LackeyReader(sink);
    const rest = await eachLine(
      input,
      (text, from, to) => reader.line(text, from, to),
      () => sink.room(),
    );
    if (rest.length > 0 || input.cut) {
      sink.incomplete('the file ends in the middle of a line: only what precedes it is counted');
    } else if (!reader.ended) {
      sink.incomplete('the file ends without the summary of lackey: the program was stopped, or the file is cut');
    }
    reader.strange.warn(sink);
  },
};

class LackeyReader {
  readonly strange = new Strange('neither records nor lines of valgrind');
  /** Lackey printed its summary, which it does when the program has ended. */
  ended = false;
  readonly #cursor = new NumberCursor();
  #pcLow = 0;
  #pcHigh = 0;

  constructor(private readonly sink: ImportSink) {}

  line(text: Uint8Array, from: number, to: number): void {
    const first = text[from]!;
    const kind = first === I ? I : first === SPACE ? text[from + 1]! : 0;
    const cursor = this.#cursor;
    cursor.set(text, from + 3, to);
    if (!(kind === I || kind === L || kind === S || kind === M) || text[from + 2] !== SPACE || !cursor.hex()) {
      this.#other(text, from, to);
      return;
    }
    const { low, high } = cursor;
    const size = cursor.skip(COMMA) ? cursor.decimal() : -1;
    if (size < 1 || !cursor.atEnd) {
      this.#other(text, from, to);
      return;
    }
    this.strange.record();
    if (kind === I) {
      this.#pcLow = low;
      this.#pcHigh = high;
      return;
    }
    if (kind !== S) this.sink.access(this.#pcLow, this.#pcHigh, low, high, READ, size);
    if (kind !== L) this.sink.access(this.#pcLow, this.#pcHigh, low, high, WRITE, size);
  }

  #other(text: Uint8Array, from: number, to: number): void {
    if ((text[from] === EQUALS && text[from + 1] === EQUALS) || (text[from] === MINUS && text[from + 1] === MINUS)) {
      // What it calls the exit code is always 0 (valgrind 3.19): only that there is one says something.
      const line = Buffer.from(text.buffer, text.byteOffset + from, to - from).toString('latin1');
      if (/^==\d+== Exit code:/.test(line)) this.ended = true;
    } else if (to > from) this.strange.line();
  }
}
