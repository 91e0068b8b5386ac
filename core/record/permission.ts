/** Why the system does not let a program run, where execve(2) says no more than EACCES. */
import { readFileSync, realpathSync, statSync } from 'node:fs';

export type Refusal =
  /** Nobody may execute the file. */
  | 'no-execute-bit'
  /** Nothing on its file system may be executed. */
  | 'noexec'
  /** Whatever else: a folder that may not be entered, another owner, a security module. */
  | 'other';

export function refusalOf(file: string): Refusal {
  try {
    const real = realpathSync(file);
    if ((statSync(real).mode & 0o111) === 0) return 'no-execute-bit';
    return isMountedNoexec(real, readFileSync('/proc/self/mountinfo', 'utf8')) ? 'noexec' : 'other';
  } catch {
    return 'other';
  }
}

/**
 * @param file absolute, without symbolic links
 * @param mountinfo content of `/proc/self/mountinfo` (proc(5)): the fifth field of a line is the mount point, with blanks
 *   as `\040`, the sixth its options; of two mounts on one point the later is in sight
 */
export function isMountedNoexec(file: string, mountinfo: string): boolean {
  let deepest = '';
  let options = '';
  for (const line of mountinfo.split('\n')) {
    const fields = line.split(' ');
    const point = (fields[4] ?? '').replaceAll(/\\(\d{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const holds = point === '/' || file.startsWith(`${point}/`);
    if (point === '' || !holds || point.length < deepest.length) continue;
    deepest = point;
    options = fields[5] ?? '';
  }
  return options.split(',').includes('noexec');
}
