/** The formats of `pagelens report --format`, one line each. */
import type { Profile } from '../model/profile.js';
import { toCsv } from './csv.js';
import { toHtml } from './html.js';
import { toMarkdown } from './md.js';
import { reportText, toReport } from './report.js';
import { toText } from './text.js';

export const exporters = {
  text: profile => toText(profile),
  json: profile => reportText(toReport(profile)),
  csv: toCsv,
  html: profile => toHtml(profile),
  md: profile => toMarkdown(profile),
} as const satisfies Record<string, (profile: Profile) => string>;

export type ExportFormat = keyof typeof exporters;
