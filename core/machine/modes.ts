/** The table of memory-virtualisation modes: one line each. Which modes run together is the replay's `--mode`. */
import {
  MODE_AGILE,
  MODE_DIRECT,
  MODE_DSP,
  MODE_DUAL_DIRECT,
  MODE_GUEST_DIRECT,
  MODE_NATIVE,
  MODE_NESTED,
  MODE_SHADOW,
  MODE_VMM_DIRECT,
} from '../kernel/abi-machine.js';
import type { Parameters } from '../tracking/parameters.js';
import { modeParameters } from './modeParameters.js';

export interface Mode {
  readonly label: string;
  readonly summary: string;
  /** What it takes to run it; absent: any processor and kernel. */
  readonly needs?: string;
  readonly parameters: Parameters;
  /** MODE_* of the kernel. */
  readonly number: number;
}

export const modes: Readonly<Record<string, Mode>> = {
  native: {
    label: 'Native',
    summary: 'one-dimensional walk of the process page tables; no virtual machine',
    parameters: modeParameters.native,
    number: MODE_NATIVE,
  },
  shadow: {
    label: 'Shadow paging',
    summary: "one-dimensional walk of the monitor's tables; the guest's are write-protected, and each change exits",
    needs: 'a hypervisor with shadow page tables',
    parameters: {},
    number: MODE_SHADOW,
  },
  direct: {
    label: 'Direct paging',
    summary: "one-dimensional walk of the guest's own tables of host addresses; changes are validated hypercalls",
    needs: 'a paravirtual guest (Xen PV)',
    parameters: {},
    number: MODE_DIRECT,
  },
  nested: {
    label: 'Nested paging',
    summary: 'guest tables over extended page tables (EPT): (n+1)m+n references a walk',
    needs: 'Intel EPT or AMD NPT',
    parameters: modeParameters.nested,
    number: MODE_NESTED,
  },
  dsp: {
    label: 'Dynamic switching (DSP)',
    summary: 'shadow or nested paging for each virtual machine, decided anew from page faults and TLB misses',
    needs: 'Intel EPT or AMD NPT, and a patched hypervisor (VEE 2011)',
    parameters: modeParameters.dsp,
    number: MODE_DSP,
  },
  'dual-direct': {
    label: 'Dual Direct',
    summary: 'segments in both dimensions: no walk at all for heap and anonymous memory',
    needs: 'proposed hardware (MICRO 2014)',
    parameters: {},
    number: MODE_DUAL_DIRECT,
  },
  'vmm-direct': {
    label: 'VMM Direct',
    summary: "a segment in the monitor's dimension: n references and n + 1 checks a walk",
    needs: 'proposed hardware (MICRO 2014)',
    parameters: modeParameters['vmm-direct'],
    number: MODE_VMM_DIRECT,
  },
  'guest-direct': {
    label: 'Guest Direct',
    summary: "a segment in the guest's dimension: m references and one check for heap and anonymous memory",
    needs: 'proposed hardware (MICRO 2014)',
    parameters: {},
    number: MODE_GUEST_DIRECT,
  },
  agile: {
    label: 'Agile paging',
    summary: 'shadow paging, in which the tables that the guest writes often turn nested: 4 to 20 references a walk',
    needs: 'proposed hardware (ISCA 2016)',
    parameters: modeParameters.agile,
    number: MODE_AGILE,
  },
};
