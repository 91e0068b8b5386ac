/** Contract stub of the emulated machine, replaced by its author. `run` calls these; see each signature. */

/** A vCPU: one recorded thread of `process`, with its own TLBs, caches and modification log. Returns its dense number. */
export function vcpuCreate(process: u32): u32 {
  return vcpus++;
}
let vcpus: u32 = 0;

/**
 * Second loop over a batch: translates the first `n` accesses. Reads `batchPage`, `batchPair` (pair << 1 | isWrite),
 * `batchAddress`, and the straddles (`straddleIndex`, `straddlePage`, `straddleCount` in count.ts).
 */
export function translateBatch(vcpu: u32, n: u32): void {}

/** Third loop over a batch: the caches. Calls `addTraffic` of pages.ts for every line that memory serves. */
export function cacheBatch(vcpu: u32, n: u32): void {}

/** Modelled time of the run so far, in ns. */
export function modelledNs(): f64 {
  return 0;
}

/** The kernel stored into `page` on behalf of the program: it is touched, but no access of the program. */
export function kernelWrite(vcpu: u32, page: u32): void {}

/** A relayed system call: its number, result (two's complement) and relayed bytes. */
export function systemCall(vcpu: u32, number: u64, result: u64, bytes: u64): void {}
