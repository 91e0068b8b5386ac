/** Source files that core can build by itself: told by their names, and by what is in them. */

const buildable = /\.(c|cc|cpp|cxx|c\+\+|f90)$/i;

export function isSourceFile(file: string): boolean {
  return buildable.test(file);
}

/** The start of a program in C, C++ or Fortran; good enough to tell `main.c` from `util.c`. */
export function hasMain(text: string): boolean {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  return /\bmain\s*\(/.test(code) || /^\s*program\s+\w+\s*$/im.test(code);
}
