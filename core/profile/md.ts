/** The report as Markdown, for an issue or a pull request. */
import type { Profile } from '../model/profile.js';
import { describe, type Section, type TextOptions } from './sections.js';

export function toMarkdown(profile: Profile, options: TextOptions = {}): string {
  const { title, subtitle, sections } = describe(profile, options);
  const parts = [`# ${escaped(title)}`, `${escaped(subtitle)}`, ...sections.map(markdownOf)];
  return `${parts.join('\n\n')}\n`;
}

function markdownOf({ title, note, facts, table, remarks }: Section): string {
  const parts = [`## ${escaped(title)}`];
  if (note) parts.push(`*${escaped(note)}*`);
  if (facts?.length) parts.push(facts.map(([name, value]) => `- **${escaped(name)}**: ${escaped(value)}`).join('\n'));
  if (table) {
    const row = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
    parts.push(
      [
        row(table.columns.map(column => column.title)),
        `| ${table.columns.map(({ align }) => (align === 'right' ? '---:' : '---')).join(' | ')} |`,
        ...table.rows.map(row),
      ].join('\n'),
    );
  }
  if (remarks?.length) parts.push(remarks.map(remark => `- ${escaped(remark)}`).join('\n'));
  return parts.join('\n\n');
}

/** Nothing in a name may act as Markdown, as HTML or as the border of a cell. */
function escaped(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>|~#]/g, character => `\\${character}`);
}
