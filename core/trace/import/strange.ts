/** Lines and records that an importer cannot read, such as output of the program in between: counted, and told of. */
import type { ImportSink } from './sink.js';

export class Strange {
  #records = 0;
  #passed = 0;
  /** Number of the first strange record, from 1. */
  #first = 0;

  /** `are`: what they are not, as in "neither records nor comments". */
  constructor(private readonly are: string) {}

  record(): void {
    this.#records++;
  }

  line(): void {
    if (this.#passed++ === 0) this.#first = this.#records + 1;
  }

  warn(sink: ImportSink): void {
    if (this.#passed === 0) return;
    const lines = this.#passed === 1 ? '1 line was' : `${this.#passed.toLocaleString('en')} lines were`;
    const where =
      this.#first === 1
        ? 'before the first record'
        : `the first behind record ${(this.#first - 1).toLocaleString('en')}`;
    sink.warnings.push(`${lines} passed over, ${where}: ${this.are}`);
  }
}
