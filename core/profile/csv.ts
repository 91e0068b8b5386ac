/**
 * The report as one rectangle for spreadsheets and scripts: a row for each line, function and object, told apart by the
 * first column. RFC 4180: comma, CRLF, quotes doubled. Counts are exact, shares and rates are not rounded.
 */
import { NONE } from '../model/columns.js';
import { tierOfFunction, tierOfLine, tierOfObject } from '../model/lineTiers.js';
import { CLASS_NAMES, type Profile, type SourceColumns } from '../model/profile.js';
import { countInterval } from '../model/sampling.js';

const HEADER = [
  'table',
  'kind',
  'name',
  'file',
  'line',
  'reads',
  'writes',
  'pages',
  'trafficReads',
  'trafficWrites',
  'class',
  'accessesPerPagePerModelledSecond',
  'tier',
  'bytes',
  'blocks',
  'density',
  'bytesAtMost',
];

/** Behind these, of a sampled run: intervals of 95 %. */
const INTERVAL = ['readsLow95', 'readsHigh95', 'writesLow95', 'writesHigh95'];

type Cell = string | number;
type Counts = Pick<SourceColumns, 'reads' | 'writes'>;

export function toCsv(profile: Profile): string {
  const { lines, functions, objects, program } = profile;
  const { sampling } = program;
  const rows: Cell[][] = [[...HEADER, ...(sampling ? INTERVAL : [])]];
  const intervals = ({ reads, writes }: Counts, row: number): Cell[] =>
    sampling ? [...countInterval(reads[row]!, sampling), ...countInterval(writes[row]!, sampling)] : [];
  for (let row = 0; row < lines.count; row++) {
    const name = functions.name[lines.function[row]!]!;
    const counts = countCells(lines, row, tierOfLine(profile, row));
    rows.push([
      'line',
      '',
      name,
      fileOf(profile, lines.file[row]!),
      lines.line[row]!,
      ...counts,
      '',
      '',
      '',
      '',
      ...intervals(lines, row),
    ]);
  }
  for (let row = 0; row < functions.count; row++) {
    if (functions.reads[row]! + functions.writes[row]! === 0) continue;
    const place = [fileOf(profile, functions.file[row]!), functions.startLine[row]! || ''];
    const counts = countCells(functions, row, tierOfFunction(profile, row));
    rows.push([
      'function',
      '',
      functions.name[row]!,
      ...place,
      ...counts,
      '',
      '',
      '',
      '',
      ...intervals(functions, row),
    ]);
  }
  for (let row = 0; row < objects.count; row++) {
    const place = [fileOf(profile, objects.file[row]!), objects.line[row]! || ''];
    const counts = countCells(objects, row, tierOfObject(profile, row));
    const bound = objects.bytesAtMost?.[row] ?? 0;
    const sizes = [objects.bytes[row]!, objects.blocks[row]!, objects.density[row]!, bound];
    rows.push([
      'object',
      objects.kind[row]!,
      objects.name[row]!,
      ...place,
      ...counts,
      ...sizes,
      ...intervals(objects, row),
    ]);
  }
  return rows.map(cells => `${cells.map(quoted).join(',')}\r\n`).join('');
}

function countCells(
  table: SourceColumns & { readonly hotness: Uint8Array; readonly perPagePerSecond: Float64Array },
  row: number,
  tier: string,
): Cell[] {
  return [
    table.reads[row]!,
    table.writes[row]!,
    table.pages[row]!,
    table.trafficReads[row]!,
    table.trafficWrites[row]!,
    CLASS_NAMES[table.hotness[row]!]!,
    table.perPagePerSecond[row]!,
    tier,
  ];
}

function fileOf(profile: Profile, row: number): string {
  return row === NONE ? '' : profile.files[row]!.path;
}

function quoted(cell: Cell): string {
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
