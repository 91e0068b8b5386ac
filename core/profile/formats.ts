/** The formats of `pagelens report --format`: one file and one line each. */
import type { Profile } from '../model/profile.js';
import { toCallgrind } from './callgrind.js';
import { toCsv } from './csv.js';
import { toHtml } from './html.js';
import { toMarkdown } from './md.js';
import { toNumactl } from './numactl.js';
import { toParquet } from './parquet.js';
import { toPlacementFile } from './placement.js';
import { toPprof } from './pprof.js';
import { type ReportOptions, reportText, toReport } from './report.js';
import { toSpeedscope } from './speedscope.js';
import { toText } from './text.js';

/** `pageRows` concerns the JSON report alone. */
export type RenderOptions = ReportOptions;

export const reportFormats = {
  text: profile => toText(profile),
  json: (profile, options) => reportText(toReport(profile, options)),
  csv: profile => toCsv(profile),
  html: profile => toHtml(profile),
  md: profile => toMarkdown(profile),
  placement: profile => toPlacementFile(profile),
  numactl: profile => toNumactl(profile),
  callgrind: profile => toCallgrind(profile),
  pprof: profile => toPprof(profile),
  speedscope: profile => toSpeedscope(profile),
  parquet: profile => toParquet(profile),
} as const satisfies Record<string, (profile: Profile, options: RenderOptions) => string | Uint8Array>;

export type ReportFormat = keyof typeof reportFormats;

/** Formats that are no text. */
export const binaryFormats: readonly ReportFormat[] = ['pprof', 'parquet'];

/** A profile as the content of a file. The same profile gives the same bytes. */
export function renderReport<F extends ReportFormat>(
  profile: Profile,
  format: F,
  options: RenderOptions = {},
): ReturnType<(typeof reportFormats)[F]> {
  return reportFormats[format](profile, options) as ReturnType<(typeof reportFormats)[F]>;
}
