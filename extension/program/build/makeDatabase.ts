/**
 * The database that GNU make prints with `-p`, as far as we ask it: which targets are programs, and which files are
 * made (so that they are no sources). Only text is read; running make is `makeTargets.ts`.
 */
import { isProgramName, makesOther } from './programNames.js';

export interface MakeDatabase {
  /** Targets that link an executable, in alphabetical order. */
  readonly programs: readonly string[];
  /** Files that some rule makes. */
  readonly outputs: readonly string[];
}

export function parseMakeDatabase(text: string): MakeDatabase {
  const files = /^# Files$/m.exec(text);
  if (!files) return { programs: [], outputs: [] };
  const targets = text
    .slice(files.index)
    .split(/\n{2,}/)
    .map(targetOf)
    .filter(target => target !== null);
  return {
    programs: targets
      .filter(isProgram)
      .map(({ name }) => name)
      .sort(),
    outputs: targets.filter(({ phony }) => !phony).map(({ name }) => name),
  };
}

interface MakeTarget {
  readonly name: string;
  readonly prerequisites: readonly string[];
  readonly recipe: string;
  readonly phony: boolean;
}

/**
 * One paragraph: `name: prerequisites`, then comments of make's and the recipe's lines, which begin with a tab. null
 * for what is no target, such as a source that was only named.
 */
function targetOf(paragraph: string): MakeTarget | null {
  const lines = paragraph.split('\n').filter(line => line !== '# Files');
  if (lines.some(line => line.startsWith('# Not a target'))) return null;
  const rule = lines.find(line => !line.startsWith('#') && !line.startsWith('\t'));
  const parts = rule && /^(\S[^:=]*?)\s*::?(?!=)\s*([^|]*)/.exec(rule);
  if (!parts) return null;
  const name = parts[1]!;
  // .PHONY, .SUFFIXES, .c.o; but ./program is a file.
  if (/^\.[^/]*$/.test(name) || name.includes('%')) return null;
  const recipe = lines.filter(line => line.startsWith('\t')).join('\n');
  // A Makefile is its own target, without rule.
  const prerequisites = parts[2]!.split(/\s+/).filter(Boolean);
  if (recipe === '' && prerequisites.length === 0) return null;
  return { name, prerequisites, recipe, phony: lines.some(line => line.startsWith('#  Phony target')) };
}

const linkedInput = /\.(o|lo|a|c|cc|cpp|cxx|c\+\+|C|f|F|f90|F90)$/;
const namesLinker = /(^|\s)-o\b|\$[({](CC|CXX|CPP|FC|F77|LD|CCLD|CXXLD|LINK[.\w]*)[)}]/;

/** A name without the ending of another kind of file, and a recipe that links; or none, and inputs of the built-in. */
function isProgram({ name, prerequisites, recipe, phony }: MakeTarget): boolean {
  if (phony || !isProgramName(name)) return false;
  if (recipe === '') return prerequisites.some(input => linkedInput.test(input));
  return namesLinker.test(recipe) && !makesOther(recipe);
}
