/**
 * A profile as stacks of calls, for the formats of other tools: what each place did under which calls, to which object.
 * Where the recording knows no calls, a stack is the function with what it is inlined into.
 */
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';

/** A function on a stack. */
export interface StackFunction {
  readonly name: string;
  /** Absolute, or '' when unknown. */
  readonly file: string;
  /** Line at which it begins; 0 when unknown. */
  readonly startLine: number;
}

export interface StackFrame {
  /** Number of the function in `functions`. */
  readonly function: number;
  /** Where in it; 0 when unknown. */
  readonly line: number;
}

export interface Stack {
  readonly site: number;
  readonly object: number;
  /** Innermost first: where the access is, what that is inlined into, then the callers. */
  readonly frames: readonly StackFrame[];
  readonly reads: number;
  readonly writes: number;
  readonly trafficReads: number;
  readonly trafficWrites: number;
}

export interface Stacks {
  readonly functions: readonly StackFunction[];
  readonly stacks: readonly Stack[];
}

/** Rows ascend as in the profile's tables, so that equal profiles give equal stacks. */
export function stacksOf(profile: Profile): Stacks {
  const functions: StackFunction[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (name: string, file: number, startLine: number): number => {
    const key = `${name}\0${file}\0${startLine}`;
    let number = numbers.get(key);
    if (number === undefined) {
      number = functions.length;
      numbers.set(key, number);
      functions.push({ name, file: file === NONE ? '' : profile.files[file]!.path, startLine });
    }
    return number;
  };
  const { sites, pairs, calls } = profile;
  const ofSite = remembered(site => siteFrames(profile, site, numberOf));
  const ofPath = remembered(path => callerFrames(profile, path, numberOf));
  const table = calls ?? pairs;
  const stacks = Array.from({ length: table.count }, (_, row): Stack => {
    const pair = calls ? calls.pair[row]! : row;
    const site = pairs.site[pair]!;
    return {
      site,
      object: pairs.object[pair]!,
      frames: calls ? [...ofSite(site), ...ofPath(calls.path[row]!)] : ofSite(site),
      reads: table.reads[row]!,
      writes: table.writes[row]!,
      trafficReads: table.trafficReads[row]!,
      trafficWrites: table.trafficWrites[row]!,
    };
  });
  return { functions, stacks: sites.count > 0 ? stacks : [] };
}

type NumberOf = (name: string, file: number, startLine: number) => number;

function siteFrames({ sites, functions }: Profile, site: number, numberOf: NumberOf): StackFrame[] {
  const frames: StackFrame[] = [];
  for (let i = sites.inlineStart[site]!; i < sites.inlineStart[site + 1]!; i++) {
    const row = sites.inlineFunction[i]!;
    const number = numberOf(functions.name[row]!, functions.file[row]!, functions.startLine[row]!);
    frames.push({ function: number, line: sites.inlineLine[i]! });
  }
  return frames;
}

/** A path knows its functions, not at which of their lines they call. */
function callerFrames({ calls }: Profile, path: number, numberOf: NumberOf): StackFrame[] {
  const { frames, parent, frame } = calls!;
  const callers: StackFrame[] = [];
  for (let at = path; at !== 0 && at !== NONE; at = parent[at]!) {
    const number = frame[at]!;
    callers.push({ function: numberOf(frames.name[number]!, frames.file[number]!, frames.line[number]!), line: 0 });
  }
  return callers;
}

function remembered<T>(make: (row: number) => T): (row: number) => T {
  const made = new Map<number, T>();
  return row => {
    let value = made.get(row);
    if (value === undefined) {
      value = make(row);
      made.set(row, value);
    }
    return value;
  };
}
