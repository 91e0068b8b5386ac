/** The report as one HTML file: no script, nothing loaded, light or dark as the reader's system is. */
import type { Profile } from '../model/profile.js';
import { CLASS_NAMES } from '../model/profile.js';
import { describe, type Section, type TextOptions } from './sections.js';

export function toHtml(profile: Profile, options: TextOptions = {}): string {
  const { title, subtitle, sections } = describe(profile, { rows: 50, ...options });
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)} – Pagelens</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>${escaped(title)}</h1><p>${escaped(subtitle)}</p></header>
<main>
${sections.map(htmlOf).join('\n')}
</main>
</body>
</html>
`;
}

function htmlOf({ title, note, facts, table, remarks }: Section): string {
  const parts = [`<section><h2>${escaped(title)}</h2>`];
  if (note) parts.push(`<p class="note">${escaped(note)}</p>`);
  if (facts?.length) {
    const items = facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`);
    parts.push(`<dl>${items.join('')}</dl>`);
  }
  if (table) {
    const head = table.columns.map(
      ({ title: name, align }) => `<th scope="col" class="${align}">${escaped(name)}</th>`,
    );
    const rows = table.rows.map(cells => {
      const data = cells.map((cell, i) => {
        const { align, title: name } = table.columns[i]!;
        return `<td class="${align}">${name === 'class' ? classMark(cell) : escaped(cell)}</td>`;
      });
      return `<tr>${data.join('')}</tr>`;
    });
    parts.push(
      `<div class="scroll"><table><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`,
    );
  }
  if (remarks?.length) parts.push(`<ul>${remarks.map(remark => `<li>${escaped(remark)}</li>`).join('')}</ul>`);
  parts.push('</section>');
  return parts.join('\n');
}

/** The word stays: nothing is told by colour alone. */
function classMark(name: string): string {
  return (CLASS_NAMES as readonly string[]).includes(name)
    ? `<span class="mark ${name}">${name}</span>`
    : escaped(name);
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, character => entities[character]!);
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --ground: #fff; --head: #f6f8fa;
  --hot: #b3261e; --warm: #8a5300; --cold: #2f5f9e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --ground: #0d1117;
  --head: #151b23; --hot: #ff8a80; --warm: #f0b35a; --cold: #8cb8f0; } }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; color: var(--ink); background: var(--ground);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; overflow-wrap: anywhere; }
header p, .note { margin: .2rem 0 .6rem; color: var(--soft); }
h2 { margin: 2rem 0 .2rem; font-size: 1.1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th, td { padding: .3rem .7rem; text-align: left; white-space: nowrap; }
th { background: var(--head); color: var(--soft); font-weight: 600; }
tbody tr { border-top: 1px solid var(--line); }
.right { text-align: right; font-variant-numeric: tabular-nums; }
td.fill { width: 100%; font-family: ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.mark { font-weight: 600; } .hot { color: var(--hot); } .warm { color: var(--warm); } .cold { color: var(--cold); }
@media print { body { max-width: none; padding: 0; } }
`;
