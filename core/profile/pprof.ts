/**
 * The profile for pprof (`go tool pprof`, pprof -http, and many viewers): a gzip of the Protocol Buffer
 * perftools.profiles.Profile (google/pprof, proto/profile.proto). Samples are stacks with four values: reads, writes,
 * and modelled cache lines filled and written back; the object that was accessed is the label `object`.
 */
import { gzipSync } from 'node:zlib';
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';
import { stacksOf } from './stacks.js';

// Field numbers of profile.proto.
const PROFILE = {
  sampleType: 1,
  sample: 2,
  mapping: 3,
  location: 4,
  function: 5,
  strings: 6,
  comment: 13,
  defaultType: 14,
};
const VALUE_TYPE = { type: 1, unit: 2 };
const SAMPLE = { location: 1, value: 2, label: 3 };
const LABEL = { key: 1, text: 2 };
const MAPPING = { id: 1, limit: 3, file: 5, buildId: 6, hasFunctions: 7, hasFiles: 8, hasLines: 9, hasInlines: 10 };
const LOCATION = { id: 1, mapping: 2, address: 3, line: 4 };
const LINE = { function: 1, line: 2 };
const FUNCTION = { id: 1, name: 2, systemName: 3, file: 4, startLine: 5 };

const VALUES = [
  ['reads', 'count'],
  ['writes', 'count'],
  ['fills_modelled', 'cache_lines'],
  ['write_backs_modelled', 'cache_lines'],
] as const;

/** The same profile gives the same bytes: gzip's header holds no time. */
export function toPprof(profile: Profile): Uint8Array {
  const { functions, stacks } = stacksOf(profile);
  const { sites, modules, objects, program } = profile;
  const strings = new Strings();
  const out = new Message();
  for (const [type, unit] of VALUES)
    out.message(PROFILE.sampleType, m =>
      m.number(VALUE_TYPE.type, strings.of(type)).number(VALUE_TYPE.unit, strings.of(unit)),
    );

  // A location is a site with its inlined functions, or a caller.
  const locations = new Map<string, number>();
  const locationOf = (key: string, make: (m: Message) => void): number => {
    let id = locations.get(key);
    if (id === undefined) {
      id = locations.size + 1;
      locations.set(key, id);
      out.message(PROFILE.location, m => make(m.number(LOCATION.id, id!)));
    }
    return id;
  };
  const object = strings.of('object');
  for (const { site, object: row, frames, ...counts } of stacks) {
    const inlined = sites.inlineStart[site + 1]! - sites.inlineStart[site]!;
    const own = locationOf(`site ${site}`, m => {
      const module = sites.module[site]!;
      if (module !== NONE) m.number(LOCATION.mapping, module + 1);
      m.number(LOCATION.address, sites.offset[site]!);
      for (const { function: id, line } of frames.slice(0, inlined))
        m.message(LOCATION.line, inner => inner.number(LINE.function, id + 1).number(LINE.line, line));
    });
    const callers = frames
      .slice(inlined)
      .map(({ function: id }) =>
        locationOf(`caller ${id}`, m => m.message(LOCATION.line, inner => inner.number(LINE.function, id + 1))),
      );
    out.message(PROFILE.sample, m =>
      m
        .numbers(SAMPLE.location, [own, ...callers])
        .numbers(SAMPLE.value, [counts.reads, counts.writes, counts.trafficReads, counts.trafficWrites])
        .message(SAMPLE.label, label =>
          label.number(LABEL.key, object).number(LABEL.text, strings.of(`${objects.kind[row]} ${objects.name[row]}`)),
        ),
    );
  }
  for (const [i, { path, buildId }] of modules.entries())
    out.message(PROFILE.mapping, m =>
      m
        .number(MAPPING.id, i + 1)
        .number(MAPPING.limit, Number.MAX_SAFE_INTEGER)
        .number(MAPPING.file, strings.of(path))
        .number(MAPPING.buildId, strings.of(buildId))
        .number(MAPPING.hasFunctions, 1)
        .number(MAPPING.hasFiles, 1)
        .number(MAPPING.hasLines, 1)
        .number(MAPPING.hasInlines, 1),
    );
  for (const [i, { name, file, startLine }] of functions.entries())
    out.message(PROFILE.function, m =>
      m
        .number(FUNCTION.id, i + 1)
        .number(FUNCTION.name, strings.of(name))
        .number(FUNCTION.systemName, strings.of(name))
        .number(FUNCTION.file, strings.of(file))
        .number(FUNCTION.startLine, startLine),
    );
  const { sampling } = program;
  const comments = [
    `pagelens ${profile.tool.version}, ${program.level} level`,
    ...(sampling ? [`sampled: ${sampling.samples} samples of ${sampling.event} times ${sampling.period}`] : []),
  ];
  out.numbers(
    PROFILE.comment,
    comments.map(comment => strings.of(comment)),
  );
  out.number(PROFILE.defaultType, strings.of(VALUES[0][0]));
  for (const text of strings.all) out.text(PROFILE.strings, text);
  return gzipSync(out.bytes());
}

/** The string table; number 0 is the empty one. */
class Strings {
  readonly all: string[] = [''];
  readonly #numbers = new Map([['', 0]]);

  of(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.all.length;
      this.all.push(text);
      this.#numbers.set(text, number);
    }
    return number;
  }
}

/** A message of Protocol Buffers, in the making (protobuf.dev, "Encoding"). */
class Message {
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;

  /** A whole number below 2^53; 0 is the default and is left out. */
  number(field: number, value: number): this {
    return value === 0 ? this : this.#add([...varint(field * 8), ...varint(value)]);
  }

  /** A packed list of numbers. */
  numbers(field: number, values: readonly number[]): this {
    return this.#lengthed(field, Uint8Array.from(values.flatMap(varint)));
  }

  text(field: number, value: string): this {
    return this.#lengthed(field, Buffer.from(value, 'utf8'));
  }

  message(field: number, make: (message: Message) => unknown): this {
    const inner = new Message();
    make(inner);
    return this.#lengthed(field, inner.bytes());
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts, this.#bytes);
  }

  #lengthed(field: number, content: Uint8Array): this {
    return this.#add([...varint(field * 8 + 2), ...varint(content.length)]).#add(content);
  }

  #add(bytes: Uint8Array | readonly number[]): this {
    this.#parts.push(Uint8Array.from(bytes));
    this.#bytes += bytes.length;
    return this;
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}
