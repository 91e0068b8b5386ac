/** What tells a rule that links a program from one that makes something else, whichever tool has the rule. */

const programName = /(^|\/)[^./]+(\.(out|exe|elf|x|bin))?$/;
const other = /(^|\s)(-c|-S|-E|-shared|-r)(\s|$)|\$[({]AR[)}]|(^|\s|\/)(?:[\w.]+-)*ar\s/m;

/** A name without the ending of another kind of file, such as `bin/server`. */
export function isProgramName(name: string): boolean {
  return programName.test(name);
}

/** Commands that compile without linking, link a library, or pack an archive. */
export function makesOther(commands: string): boolean {
  return other.test(commands);
}
