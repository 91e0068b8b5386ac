/** Raw contexts -> the table of call paths: contexts become paths of frames, and paths that read the same are one. */
import { NONE } from '../model/columns.js';
import type { CallTable } from '../model/profile.js';
import type { RawReplay } from '../model/raw.js';
import { stackFrames } from './naming.js';
import type { Source } from './source.js';

/** Numbers given out to keys in the order of first sight. */
class Numbers {
  readonly #numbers = new Map<string, number>();

  /** The key's number, and whether it is a new one. */
  of(key: string): { readonly number: number; readonly fresh: boolean } {
    const known = this.#numbers.get(key);
    if (known !== undefined) return { number: known, fresh: false };
    this.#numbers.set(key, this.#numbers.size);
    return { number: this.#numbers.size - 1, fresh: true };
  }
}

/** Files that the call table will name, so that the file table can be made first. */
export function filesOfCalls(raw: RawReplay, source: Source): Set<string> {
  const files = new Set<string>();
  for (let context = 1; context < raw.contexts.count; context++)
    for (const { file } of framesOf(raw, source, context)) if (file !== '') files.add(file);
  return files;
}

/** Frames of a context's own call, the outermost first: the function that calls, and what it is inlined into. */
function framesOf({ contexts }: RawReplay, source: Source, context: number) {
  return stackFrames(source, contexts.site.subarray(context, context + 1)).reverse();
}

/**
 * @param rowOfPair row of the pair table of each raw pair; NONE for those that were left out
 * @returns undefined where the recording knows no calls: then there is one path, the empty one
 */
export function callTable(
  raw: RawReplay,
  source: Source,
  rowOfPair: Uint32Array,
  fileRow: (path: string) => number,
): CallTable | undefined {
  const { contexts, pairs } = raw;
  if (contexts.count === 1) return undefined;

  const name: string[] = [];
  const file: number[] = [];
  const line: number[] = [];
  const frameNumbers = new Numbers();
  const frameOf = (frame: ReturnType<typeof framesOf>[number]): number => {
    const { number, fresh } = frameNumbers.of(`${frame.function}\0${frame.file}\0${frame.startLine}`);
    if (fresh) {
      name.push(frame.function);
      file.push(frame.file === '' ? NONE : fileRow(frame.file));
      line.push(frame.startLine || frame.line);
    }
    return number;
  };

  const parent = [NONE];
  const frame = [NONE];
  const pathNumbers = new Numbers();
  pathNumbers.of('');
  const pathOf = new Uint32Array(contexts.count);
  for (let context = 1; context < contexts.count; context++) {
    let path = pathOf[contexts.parent[context]!]!;
    for (const each of framesOf(raw, source, context)) {
      const row = frameOf(each);
      const { number, fresh } = pathNumbers.of(`${path} ${row}`);
      if (fresh) {
        parent.push(path);
        frame.push(row);
      }
      path = number;
    }
    pathOf[context] = path;
  }

  // Ascending by pair, then path.
  const groups = new Map<number, number[]>();
  for (let pair = 0; pair < pairs.count; pair++) {
    if (rowOfPair[pair] === NONE) continue;
    const key = rowOfPair[pair]! * parent.length + pathOf[pairs.context[pair]!]!;
    const group = groups.get(key);
    if (group) group.push(pair);
    else groups.set(key, [pair]);
  }
  const keys = Float64Array.from(groups.keys()).sort();
  const total = (column: Float64Array): Float64Array =>
    keys.map(key => groups.get(key)!.reduce((sum, pair) => sum + column[pair]!, 0));
  return {
    frames: { name, file: Uint32Array.from(file), line: Uint32Array.from(line) },
    parent: Uint32Array.from(parent),
    frame: Uint32Array.from(frame),
    count: keys.length,
    pair: Uint32Array.from(keys, key => Math.floor(key / parent.length)),
    path: Uint32Array.from(keys, key => key % parent.length),
    reads: total(pairs.reads),
    writes: total(pairs.writes),
    trafficReads: total(pairs.trafficReads),
    trafficWrites: total(pairs.trafficWrites),
  };
}
