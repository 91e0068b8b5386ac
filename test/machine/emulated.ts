/** Both halves of the kernel, fed access by access: what the machine's tests stand on. */
import { Kernel } from '../../core/machine/kernel.js';
import { EmulatedMachine, type MachineOptions, type ParameterOverrides } from '../../core/machine/machine.js';
import { type MachineCountsOfRun, MachineHalf } from '../../core/machine/machineHalf.js';

export interface Access {
  readonly vcpu: number;
  readonly address: number;
  readonly write: boolean;
  /** Bytes, a power of two up to 64. */
  readonly size?: number;
}

/** Exports of the machine half that only inspection needs. */
interface Inspection {
  eptFlags(page: number): number;
  guestFlags(page: number, number: number): number;
  eptClear(page: number, flags: number): void;
  invept(): void;
  agileInterval(): void;
  dspSwitch(process: number, shadow: number): void;
  unmapPages(process: number, first: bigint, pages: bigint): void;
  pmlLogPointer(vcpu: number): number;
  pmlIndex(vcpu: number): number;
  pmlFlush(vcpu: number): void;
  pmlDrained(): number;
  pmlDrainedCount(): number;
  vcpuEnd(vcpu: number): void;
  vcpuSynchronise(vcpu: number): void;
  systemCall(vcpu: number): void;
}

export const ACCESSED = 2;
export const DIRTY = 4;

const defaults: MachineOptions = {
  machine: 'skylake',
  modes: ['native', 'nested'],
  pageSize: 4096,
  pmlEntries: 512,
  kernelIntegration: false,
};

export class Emulated {
  readonly kernel: Kernel;
  readonly machine: EmulatedMachine;
  readonly half: MachineHalf;
  readonly inspect: Inspection & MachineHalf['exports'];

  /** @param processes process of each vCPU */
  constructor(options: Partial<MachineOptions> = {}, overrides: ParameterOverrides = {}, processes: number[] = [0]) {
    const all = { ...defaults, ...options };
    this.half = new MachineHalf({ pageSize: all.pageSize, epochAccesses: 0 });
    this.kernel = new Kernel({
      pageSize: all.pageSize,
      epochAccesses: 0,
      deliver: messages => this.half.deliver(messages),
    });
    this.inspect = this.half.exports as Inspection & MachineHalf['exports'];
    this.machine = new EmulatedMachine(this.half.exports, all, overrides);
    // Site 2 * log2(size) + isWrite.
    const sites = Uint32Array.from({ length: 14 }, (_, i) => i);
    this.kernel.defineRunSites(
      sites,
      Uint16Array.from(sites, site => (site & 1) | ((site >> 1) << 3)),
    );
    for (const process of processes) this.kernel.createThread(process);
    this.kernel.flush();
  }

  /** Replays accesses in order, one batch for each run of accesses of one vCPU. */
  replay(accesses: readonly Access[]): void {
    for (let from = 0; from < accesses.length; ) {
      let to = from + 1;
      while (to < accesses.length && accesses[to].vcpu === accesses[from].vcpu) to++;
      const batch = accesses.slice(from, to);
      this.kernel.access(
        accesses[from].vcpu,
        Uint32Array.from(batch, a => Math.log2(a.size ?? 8) * 2 + (a.write ? 1 : 0)),
        BigUint64Array.from(batch, a => BigInt(a.address)),
      );
      from = to;
    }
    this.kernel.flush();
  }

  /** Ends the run. */
  finish(): MachineCountsOfRun {
    this.kernel.finish();
    return this.half.finish();
  }

  read(address: number, vcpu = 0): void {
    this.replay([{ vcpu, address, write: false }]);
  }

  write(address: number, vcpu = 0): void {
    this.replay([{ vcpu, address, write: true }]);
  }

  /** Guest-physical addresses in the vCPU's log, oldest first. */
  log(vcpu = 0): number[] {
    const entries = this.machine.options.pmlEntries;
    const log = this.u64(this.inspect.pmlLogPointer(vcpu), entries);
    return Array.from(log.subarray(this.inspect.pmlIndex(vcpu) + 1), Number).reverse();
  }

  /** Everything drained so far (needs P_PML_KEEP), oldest first. */
  drained(): number[] {
    return Array.from(this.u64(this.inspect.pmlDrained(), this.inspect.pmlDrainedCount()), Number);
  }

  /** Memory of the machine half. */
  u64(address: number, length: number): BigUint64Array {
    return new BigUint64Array(this.inspect.memory.buffer, address, length);
  }
}
