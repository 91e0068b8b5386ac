/**
 * Fortran's own names for what gfortran names otherwise (GNU Fortran manual, sections 9.1 and 9.3), and the names of
 * what a source file allocates, which no compiler writes down: a block of memory has only the line of its `allocate`.
 */
import { isFixedFormFile } from '../model/languages.js';
import type { Allocation } from '../trace/blocks.js';

/** `__fields_MOD_fill` is `fields::fill`, `work_` is `work`; a procedure within another is numbered (`inner.0`). */
export function fortranFunction(name: string): string {
  if (name === 'MAIN__') return 'program';
  return moduleMember(name) ?? name.replace(/\.\d+$/, '').replace(/(?<=[a-z\d])_{1,2}$/, '');
}

/** Variables of modules as their procedures; what else ends in an underscore is a common block, `/blk/`. */
export function fortranVariable(name: string): string {
  if (name === '__BLNK__') return '//';
  return moduleMember(name) ?? name.replace(/^(\w+?)_{1,2}$/, '/$1/');
}

function moduleMember(name: string): string | null {
  const member = /^__(.+?)_MOD_(.+)$/.exec(name);
  return member && `${member[1]}::${member[2]}`;
}

/** The `allocate` statements of a source file, in order. What looks like none is passed over. */
export function allocations(file: string, text: string): Allocation[] {
  const found: Allocation[] = [];
  for (const { code, firstLine, lastLine } of statements(text, isFixedFormFile(file))) {
    const statement = /^\s*(?:\d+\s*)?(?:if\s*\(.*\)\s*)?allocate\s*\((.*)\)\s*$/i.exec(code);
    if (!statement) continue;
    const names = items(statement[1]!.replace(/^(?:[^()'"]|\([^()]*\))*?::/, ''))
      .filter(item => !/^\s*(?:stat|errmsg|source|mold)\s*=/i.test(item))
      .map(withoutShape);
    if (names.length > 0) found.push({ firstLine, lastLine, names: names.join(',') });
  }
  return found;
}

interface Statement {
  readonly code: string;
  readonly firstLine: number;
  readonly lastLine: number;
}

/** Statements without comments and with their continuation lines joined. */
function* statements(text: string, fixed: boolean): Generator<Statement> {
  let code = '';
  let firstLine = 0;
  let lastLine = 0;
  let open = false;
  const whole = function* (): Generator<Statement> {
    for (const part of outsideTexts(code, ';')) if (part.trim() !== '') yield { code: part, firstLine, lastLine };
    code = '';
  };
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (fixed ? /^[cCdD*!]/.test(line) : /^\s*(?:!.*)?$/.test(line)) continue;
    const uncommented = outsideTexts(line, '!')[0]!;
    const goesOn = fixed ? /^ {5}[^ 0]/.test(line) : open;
    if (!goesOn) {
      yield* whole();
      firstLine = i + 1;
    }
    open = !fixed && /&\s*$/.test(uncommented);
    code += fixed && goesOn ? uncommented.slice(6) : uncommented.replace(/&\s*$/, '').replace(/^\s*&/, '');
    lastLine = i + 1;
  }
  yield* whole();
}

/** Parts between the separators that stand in no text constant. */
function outsideTexts(code: string, separator: string): string[] {
  const parts = [''];
  let quote = '';
  for (const letter of code) {
    if (quote === '' && letter === separator) {
      parts.push('');
      continue;
    }
    if (quote === letter) quote = '';
    else if (quote === '' && (letter === "'" || letter === '"')) quote = letter;
    parts[parts.length - 1] += letter;
  }
  return parts;
}

/** Parts between the commas that stand in no brackets. */
function items(list: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const letter of list) {
    if (letter === '(' || letter === '[') depth++;
    else if (letter === ')' || letter === ']') depth--;
    if (letter === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

/** `this%cells(i)%next(2 * n)` without the last brackets, and a coarray's `[*]`. */
function withoutShape(item: string): string {
  let rest = item.replaceAll(/\s/g, '').replace(/\[[^\]]*\]$/, '');
  if (!rest.endsWith(')')) return rest;
  let depth = 0;
  do {
    const letter = rest.at(-1);
    if (letter === ')') depth++;
    else if (letter === '(') depth--;
    rest = rest.slice(0, -1);
  } while (depth > 0 && rest !== '');
  return rest;
}
