/**
 * The profile as a table for data frames: Apache Parquet, a row for each place in the code and object that it accessed.
 * The columns stand in docs/exports.md.
 *
 * The writer is the plainest that readers know (parquet-format, README.md and src/main/thrift/parquet.thrift): data pages
 * of version 1, one a column chunk, PLAIN encoding, gzip; what may be unknown is an OPTIONAL column with null.
 */
import { gzipSync } from 'node:zlib';
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';
import { ThriftStruct } from './thrift.js';

const MAGIC = Buffer.from('PAR1');
const ROWS_A_GROUP = 1 << 16;

// parquet.thrift: Type, FieldRepetitionType, ConvertedType, Encoding, CompressionCodec, PageType.
const TYPE = { int32: 1, int64: 2, text: 6 } as const;
const [REQUIRED, OPTIONAL] = [0, 1];
const UTF8 = 0;
const [PLAIN, RLE] = [0, 3];
const GZIP = 2;
const DATA_PAGE = 0;

interface Column {
  readonly name: string;
  readonly type: keyof typeof TYPE;
  readonly optional?: boolean;
  /** Of a row of the pair table; null: unknown. */
  readonly value: (row: number) => number | string | null;
}

function columnsOf({ pairs, sites, functions, lines, files, modules, objects }: Profile): readonly Column[] {
  const siteOf = (row: number) => pairs.site[row]!;
  const objectOf = (row: number) => pairs.object[row]!;
  const fileName = (row: number) => (row === NONE ? null : files[row]!.path);
  const lineOf = (row: number) => sites.line[siteOf(row)]!;
  const hasLine = (row: number) => lineOf(row) !== NONE;
  return [
    { name: 'module', type: 'text', optional: true, value: row => modules[sites.module[siteOf(row)]!]?.path ?? null },
    { name: 'offset', type: 'int64', value: row => sites.offset[siteOf(row)]! },
    {
      name: 'function',
      type: 'text',
      value: row => functions.name[sites.inlineFunction[sites.inlineStart[siteOf(row)]!]!]!,
    },
    {
      name: 'file',
      type: 'text',
      optional: true,
      value: row => (hasLine(row) ? fileName(lines.file[lineOf(row)]!) : null),
    },
    { name: 'line', type: 'int32', optional: true, value: row => (hasLine(row) ? lines.line[lineOf(row)]! : null) },
    { name: 'column', type: 'int32', optional: true, value: row => sites.column[siteOf(row)]! || null },
    { name: 'object_kind', type: 'text', value: row => objects.kind[objectOf(row)]! },
    { name: 'object', type: 'text', value: row => objects.name[objectOf(row)]! },
    { name: 'object_row', type: 'int32', value: objectOf },
    { name: 'object_file', type: 'text', optional: true, value: row => fileName(objects.file[objectOf(row)]!) },
    { name: 'object_line', type: 'int32', optional: true, value: row => objects.line[objectOf(row)]! || null },
    { name: 'reads', type: 'int64', value: row => pairs.reads[row]! },
    { name: 'writes', type: 'int64', value: row => pairs.writes[row]! },
    { name: 'traffic_reads', type: 'int64', value: row => pairs.trafficReads[row]! },
    { name: 'traffic_writes', type: 'int64', value: row => pairs.trafficWrites[row]! },
  ];
}

/** The same profile gives the same bytes. */
export function toParquet(profile: Profile): Uint8Array {
  const columns = columnsOf(profile);
  const parts: Uint8Array[] = [MAGIC];
  let at = MAGIC.length;
  const groups: ThriftStruct[] = [];
  for (let from = 0; from < profile.pairs.count; from += ROWS_A_GROUP) {
    const rows = Math.min(ROWS_A_GROUP, profile.pairs.count - from);
    const chunks = columns.map(column => {
      const { bytes, plainBytes } = page(column, from, rows);
      const chunk = chunkMetadata(column, rows, at, bytes.length, plainBytes);
      parts.push(bytes);
      at += bytes.length;
      return { chunk, plainBytes };
    });
    groups.push(
      new ThriftStruct()
        .structs(
          1,
          chunks.map(({ chunk }) => chunk),
        )
        .i64(
          2,
          chunks.reduce((sum, { plainBytes }) => sum + plainBytes, 0),
        )
        .i64(3, rows),
    );
  }
  const footer = fileMetadata(profile, columns, groups).bytes();
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([...parts, footer, length, MAGIC]);
}

/** A data page with its header; `plainBytes`: of both before compression. */
function page({ type, optional, value }: Column, from: number, rows: number) {
  const values = Array.from({ length: rows }, (_, i) => value(from + i));
  const known = values.filter(each => each !== null);
  const content = Buffer.concat([
    ...(optional ? [definitionLevels(values)] : []),
    ...known.map(each => plain(type, each)),
  ]);
  const stored = gzipSync(content);
  const header = new ThriftStruct()
    .i32(1, DATA_PAGE)
    .i32(2, content.length)
    .i32(3, stored.length)
    .struct(5, new ThriftStruct().i32(1, rows).i32(2, PLAIN).i32(3, RLE).i32(4, RLE))
    .bytes();
  return { bytes: Buffer.concat([header, stored]), plainBytes: header.length + content.length };
}

/** Which values are there: one bit each, as one bit-packed run of the RLE hybrid, behind its length. */
function definitionLevels(values: readonly unknown[]): Uint8Array {
  const groups = Math.ceil(values.length / 8);
  const bits = Buffer.alloc(groups);
  for (const [i, value] of values.entries()) if (value !== null) bits[i >> 3]! |= 1 << (i & 7);
  const header: number[] = [];
  for (let rest = groups * 2 + 1; ; rest >>>= 7) {
    header.push(rest < 128 ? rest : (rest & 127) | 128);
    if (rest < 128) break;
  }
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length + bits.length);
  return Buffer.concat([length, Uint8Array.from(header), bits]);
}

function plain(type: Column['type'], value: number | string): Uint8Array {
  if (type === 'text') {
    const text = Buffer.from(String(value), 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return Buffer.concat([length, text]);
  }
  const bytes = Buffer.alloc(type === 'int32' ? 4 : 8);
  if (type === 'int32') bytes.writeInt32LE(Number(value));
  else bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

function chunkMetadata(
  { name, type }: Column,
  rows: number,
  at: number,
  bytes: number,
  plainBytes: number,
): ThriftStruct {
  const metadata = new ThriftStruct()
    .i32(1, TYPE[type])
    .i32s(2, [PLAIN, RLE])
    .texts(3, [name])
    .i32(4, GZIP)
    .i64(5, rows)
    .i64(6, plainBytes)
    .i64(7, bytes)
    .i64(9, at);
  return new ThriftStruct().i64(2, at).struct(3, metadata);
}

function fileMetadata(profile: Profile, columns: readonly Column[], groups: readonly ThriftStruct[]): ThriftStruct {
  const { program, options, tool, pairs } = profile;
  const schema = [
    new ThriftStruct().text(4, 'pagelens').i32(5, columns.length),
    ...columns.map(({ name, type, optional }) => {
      const element = new ThriftStruct()
        .i32(1, TYPE[type])
        .i32(3, optional ? OPTIONAL : REQUIRED)
        .text(4, name);
      return type === 'text' ? element.i32(6, UTF8) : element;
    }),
  ];
  const notes: readonly (readonly [key: string, value: string])[] = [
    ['pagelens.table', 'pagelens-pairs/1'],
    ['pagelens.program', [program.path, ...program.arguments].join(' ')],
    ['pagelens.level', program.level],
    ['pagelens.pageSize', String(options.pageSize)],
    ...(program.sampling ? [['pagelens.sampling', JSON.stringify(program.sampling)] as const] : []),
  ];
  return new ThriftStruct()
    .i32(1, 1)
    .structs(2, schema)
    .i64(3, pairs.count)
    .structs(4, groups)
    .structs(
      5,
      notes.map(([key, value]) => new ThriftStruct().text(1, key).text(2, value)),
    )
    .text(6, `pagelens version ${tool.version}`);
}
