/** The formats of `pagelens report --format`: one file and one line each. */
import type { Profile } from '../model/profile.js';
import { toCsv } from './csv.js';
import { toHtml } from './html.js';
import { toMarkdown } from './md.js';
import { toPlacementFile } from './placement.js';
import { type ReportOptions, reportText, toReport } from './report.js';
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
} as const satisfies Record<string, (profile: Profile, options: RenderOptions) => string>;

export type ReportFormat = keyof typeof reportFormats;

/** A profile as the text of a file. The same profile gives the same bytes. */
export function renderReport(profile: Profile, format: ReportFormat, options: RenderOptions = {}): string {
  return reportFormats[format](profile, options);
}
