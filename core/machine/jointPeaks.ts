/**
 * The most bytes that groups of objects had alive at once, from the kernel's log of live bytes (kernel/live.ts): for
 * objects that attribution makes one row of, once it knows which.
 */
import type { JointPeaks } from '../model/raw.js';
import type { Kernel } from './kernel.js';

// Layout of the log, in 32-bit words: kernel/live.ts.
const ENTRY_WORDS = 2;
const ENTRIES_PER_CHUNK = 65536;
const IN_MIB = 0x8000_0000;
const MIB = 2 ** 20;

/** Call after `kernel.finish()`. */
export function jointPeaks(kernel: Kernel): JointPeaks {
  kernel.exports.liveLogEnd();
  return (groupOf, groups) => {
    const { exports } = kernel;
    const count = exports.liveLogCount.value;
    const live = new Float64Array(groups);
    const bytes = new Float64Array(groups);
    for (let first = 0; first < count; first += ENTRIES_PER_CHUNK) {
      const words = Math.min(ENTRIES_PER_CHUNK, count - first) * ENTRY_WORDS;
      const entries = kernel.u32(exports.liveLogEntry(first), words);
      for (let at = 0; at < words; at += ENTRY_WORDS) {
        const group = groupOf[(entries[at] & ~IN_MIB) >>> 0];
        if (group >= groups) continue;
        live[group] += (entries[at + 1] | 0) * (entries[at] >= IN_MIB ? MIB : 1);
        if (live[group] > bytes[group]) bytes[group] = live[group];
      }
    }
    return { bytes, exact: exports.liveLogFull.value === 0 };
  };
}
