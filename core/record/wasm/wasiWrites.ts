/**
 * What the functions of WASI preview 1 (wasi_snapshot_preview1.witx) write into the program's memory: it touches pages but
 * is no access, as with a kernel's.
 */

/** Start and length. */
export type Written = readonly [address: number, length: number];

type Arguments = readonly (number | bigint)[];

const NONE: readonly Written[] = [];

/** Fixed results by the parameter that says where they are put: [parameter, bytes]. */
const RESULTS: Readonly<Record<string, readonly Written[]>> = {
  args_sizes_get: [
    [0, 4],
    [1, 4],
  ],
  environ_sizes_get: [
    [0, 4],
    [1, 4],
  ],
  clock_res_get: [[1, 8]],
  clock_time_get: [[2, 8]],
  fd_fdstat_get: [[1, 24]],
  fd_filestat_get: [[1, 64]],
  path_filestat_get: [[4, 64]],
  fd_prestat_get: [[1, 8]],
  fd_seek: [[3, 8]],
  fd_tell: [[1, 8]],
  fd_read: [[3, 4]],
  fd_pread: [[4, 4]],
  fd_write: [[3, 4]],
  fd_pwrite: [[4, 4]],
  fd_readdir: [[4, 4]],
  path_open: [[8, 4]],
  path_readlink: [[5, 4]],
  poll_oneoff: [[3, 4]],
};

/** Buffers: [parameter with the address, parameter with the length; or the parameter with the place of the length]. */
const BUFFERS: Readonly<Record<string, { at: number; length?: number; lengthAt?: number }>> = {
  random_get: { at: 0, length: 1 },
  fd_prestat_dir_name: { at: 1, length: 2 },
  fd_readdir: { at: 1, lengthAt: 4 },
  path_readlink: { at: 3, lengthAt: 5 },
};

/** Reads into several buffers: the parameters with the list, its length, and the place of the bytes read. */
const SCATTERED: Readonly<Record<string, readonly [list: number, count: number, lengthAt: number]>> = {
  fd_read: [1, 2, 3],
  fd_pread: [1, 2, 4],
};

/** What a call that returned `result` wrote. */
export function writtenBy(name: string, args: Arguments, result: number, memory: ArrayBuffer): readonly Written[] {
  if (result !== 0) return NONE;
  const view = new DataView(memory);
  const parameter = (index: number) => Number(args[index]) >>> 0;
  const word = (address: number) => view.getUint32(address, true);
  const written: Written[] = (RESULTS[name] ?? NONE).map(([index, bytes]) => [parameter(index), bytes]);
  const buffer = BUFFERS[name];
  if (buffer) {
    const length = buffer.length === undefined ? word(parameter(buffer.lengthAt!)) : parameter(buffer.length);
    written.push([parameter(buffer.at), length]);
  }
  const scattered = SCATTERED[name];
  if (scattered) {
    let left = word(parameter(scattered[2]));
    const list = parameter(scattered[0]);
    for (let i = 0; i < parameter(scattered[1]) && left > 0; i++) {
      const bytes = Math.min(left, word(list + 8 * i + 4));
      written.push([word(list + 8 * i), bytes]);
      left -= bytes;
    }
  }
  return written;
}
