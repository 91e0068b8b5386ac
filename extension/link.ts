/**
 * Links into the editor: `vscode://pagelens.pagelens/open?file=...&line=...&view=...&tracker=...`. Whoever wrote the
 * link is unknown, so everything in it is checked here, and nothing in it can start a program. Pure.
 */
import * as path from 'node:path';

export interface Link {
  /** A `.pagelens` or `.pltrace` to open; without it the link speaks of the profile that is shown. */
  readonly profile: string | null;
  readonly source: { readonly file: string; readonly line: number } | null;
  /** View of the dashboard and tracker; whether they exist, core knows. */
  readonly view: string | null;
  readonly tracker: string | null;
}

export type LinkProblem =
  /** The path is not `/open`. */
  | { readonly kind: 'unknownAction'; readonly text: string }
  | { readonly kind: 'unknownParameter'; readonly text: string }
  | { readonly kind: 'repeatedParameter'; readonly text: string }
  | { readonly kind: 'notAbsolute'; readonly text: string }
  | { readonly kind: 'badLine'; readonly text: string }
  | { readonly kind: 'badName'; readonly text: string }
  | { readonly kind: 'nothing'; readonly text: '' };

const known = ['file', 'line', 'view', 'tracker'];

export function parseLink(action: string, query: string): Link | LinkProblem {
  if (action !== '/open') return { kind: 'unknownAction', text: action };
  const parameters = new URLSearchParams(query);
  const names = [...parameters.keys()];
  const unknown = names.find(name => !known.includes(name));
  if (unknown !== undefined) return { kind: 'unknownParameter', text: unknown };
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) return { kind: 'repeatedParameter', text: repeated };

  const [file, line, view, tracker] = known.map(name => parameters.get(name));
  for (const name of [view, tracker])
    if (name != null && !/^[\w-]{1,64}$/.test(name)) return { kind: 'badName', text: name };
  if (line != null && !/^[1-9]\d{0,8}$/.test(line)) return { kind: 'badLine', text: line };
  if (file == null) {
    // A line without its file says nothing; a view or a tracker is of what is shown.
    if (line != null) return { kind: 'badLine', text: line };
    if (view == null && tracker == null) return { kind: 'nothing', text: '' };
    return { profile: null, source: null, view: view ?? null, tracker: tracker ?? null };
  }
  if (!path.isAbsolute(file) || file.includes('\0')) return { kind: 'notAbsolute', text: file };
  const isProfile = /\.(pagelens|pltrace)$/i.test(file);
  // A profile has no lines.
  if (isProfile && line != null) return { kind: 'badLine', text: line };
  const normal = path.normalize(file);
  return {
    profile: isProfile ? normal : null,
    source: isProfile ? null : { file: normal, line: Number(line ?? 1) },
    view: view ?? null,
    tracker: tracker ?? null,
  };
}
