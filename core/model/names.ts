/** Demangled C++ names, shortened for people. */

/** Closing bracket of each opening one. */
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '<': '>', '{': '}', '[': ']' };

/**
 * A function's name without parameters, return type and qualifiers: `void ns::f<int>(int) const` becomes `ns::f<int>`,
 * with `withoutTemplates` `ns::f`. A C name stays as it is.
 */
export function shortFunctionName(name: string, withoutTemplates = false): string {
  const operator = /(^|[\s:])operator(?=\W)/.exec(name);
  // What an operator is called holds brackets of its own: it is kept aside.
  const operatorAt = operator ? operator.index + operator[1]!.length : -1;
  let start = 0;
  let end = name.length;
  let at = 0;
  while (at < name.length) {
    if (at === operatorAt) {
      at = operatorNameEnd(name, at);
      continue;
    }
    const letter = name[at]!;
    if (letter === '(' && name.startsWith('(anonymous namespace)', at)) {
      at += '(anonymous namespace)'.length;
    } else if (letter === '(') {
      // A lambda's or local type's function goes on behind its parameters: `f(int)::{lambda()#1}::operator()`.
      const close = closingAt(name, at);
      const rest = /^(?: const| volatile|&|\[abi:\w+\])*::/.exec(name.slice(close + 1));
      if (!rest) {
        end = at;
        break;
      }
      at = close + 1 + rest[0].length;
    } else if (letter in CLOSING) {
      at = closingAt(name, at) + 1;
    } else {
      if (letter === ' ') start = at + 1;
      at++;
    }
  }
  const short = name.slice(start, end).trim();
  return withoutTemplates && operatorAt < 0 ? stripTemplates(short) : short || name;
}

/** Index behind `operator()`, `operator new[]`, `operator<<`, `operator bool`. */
function operatorNameEnd(name: string, at: number): number {
  const symbol = /^operator(\(\)|\[\]| (?:new|delete)(?:\[\])?|[^\w\s(]+|\s[^(]+)/.exec(name.slice(at));
  const end = at + (symbol ? symbol[0].length : 'operator'.length);
  // Compilers' own names have `operator<<char>`: what follows says that the last bracket opens template arguments.
  if (symbol && /[^\w\s]<$/.test(symbol[0]) && /^[^\s(]/.test(name.slice(end))) return closingAt(name, end - 1) + 1;
  // Demanglers set template arguments off by a space, so that `operator< <int>` is not read as a shift.
  return name.startsWith(' <', end) ? closingAt(name, end + 1) + 1 : end;
}

/** Index of the bracket that closes the one at `at`; the last index when none does. */
function closingAt(name: string, at: number): number {
  const open: string[] = [];
  for (let i = at; i < name.length; i++) {
    const letter = name[i]!;
    if (letter in CLOSING) {
      open.push(CLOSING[letter]!);
    } else if (letter === open.at(-1)) {
      open.pop();
      if (open.length === 0) return i;
    }
  }
  return name.length - 1;
}

function stripTemplates(name: string): string {
  let result = '';
  let depth = 0;
  for (const letter of name) {
    if (letter === '<') depth++;
    else if (letter === '>') depth--;
    else if (depth <= 0) result += letter;
  }
  return result;
}
