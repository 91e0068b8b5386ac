/** Languages by the names of source files, as the compilers' drivers tell them. */

/** Fixed and free form, preprocessed or not (GNU Fortran manual, section 2.1). */
export function isFortranFile(file: string): boolean {
  return /\.(f|for|ftn|fpp|f77|f90|f95|f03|f08|f18)$/i.test(file);
}

/** Fixed form: columns 1 to 6 are for labels, continuation and comments. */
export function isFixedFormFile(file: string): boolean {
  return /\.(f|for|ftn|fpp|f77)$/i.test(file);
}
