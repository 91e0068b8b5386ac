/**
 * Names of Rust's older mangling (rustc's `legacy`), which demanglers for C++ take for their own: they end in a hash,
 * and what C++ names cannot hold is written as an escape (rustc_symbol_mangling, legacy.rs).
 */

const ESCAPES: Readonly<Record<string, string>> = {
  SP: '@',
  BP: '*',
  RF: '&',
  LT: '<',
  GT: '>',
  LP: '(',
  RP: ')',
  C: ',',
};

/** Names as Rust writes them; any other name stays as it is. */
export function rustName(name: string): string {
  const path = /^(.*)::h[0-9a-f]{16}$/.exec(name)?.[1];
  if (path === undefined) return name;
  return path
    .replaceAll(/(^|::)_(?=\$)/g, '$1')
    .replaceAll(/\$(SP|BP|RF|LT|GT|LP|RP|C)\$/g, (_, name: string) => ESCAPES[name]!)
    .replaceAll(/\$u([0-9a-f]{1,6})\$/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replaceAll('..', '::');
}
