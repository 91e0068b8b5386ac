/** Source files that core can build by itself, by their names. */

const buildable = /\.(c|cc|cpp|cxx|c\+\+|f90)$/i;

export function isSourceFile(file: string): boolean {
  return buildable.test(file);
}
