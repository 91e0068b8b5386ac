/** Says in words what a file seems to be, for the message that it is no trace. */

const MAGICS: readonly (readonly [magic: string, what: string])[] = [
  ['PAGELENS', 'a saved profile (to print it: pagelens report FILE)'],
  ['\x7fELF', 'an executable or object file (to record it: pagelens profile PROGRAM)'],
  ['\x89PLT\n\x1a\n', 'a trace whose line ends were changed by a transfer in text mode (copy it again in binary mode)'],
  ['\x89PLT\r\r\n', 'a trace whose line ends were changed by a transfer in text mode (copy it again in binary mode)'],
  ['\x89PLT', 'the damaged start of a Pagelens trace'],
  ['\x1f\x8b', 'a gzip file (decompress it first)'],
  ['\x28\xb5\x2f\xfd', 'a Zstandard file (decompress it first)'],
  ['\xfd7zXZ\0', 'an xz file (decompress it first)'],
  ['BZh', 'a bzip2 file (decompress it first)'],
  ['PK\x03\x04', 'a zip file (unpack it first)'],
  ['PERFILE2', 'a perf.data file'],
  ['\x89PNG', 'an image'],
];

/** `start`: the first bytes of the file, up to 4 KiB. */
export function seemsToBe(start: Uint8Array): string {
  if (start.length === 0) return 'an empty file (its recording did not begin)';
  const latin1 = Buffer.from(start.buffer, start.byteOffset, start.byteLength).toString('latin1');
  const found = MAGICS.find(([magic]) => latin1.startsWith(magic));
  if (found) return found[1];
  if (/^\s*[{[]/.test(latin1) && isText(start)) return 'JSON';
  if (isText(start)) return 'a text file';
  if (start.every(byte => byte === 0)) return 'a file of zeros';
  return 'binary data of an unknown kind';
}

/** No control characters but those of text, and valid UTF-8 (a character cut at the end is let pass). */
export function isText(start: Uint8Array): boolean {
  for (const byte of start) if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27) || byte === 127) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
    return true;
  } catch {
    return false;
  }
}
