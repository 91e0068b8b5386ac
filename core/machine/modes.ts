/** The table of memory-virtualisation modes: one line each. Which modes run together is the replay's `--mode`. */

export interface Mode {
  readonly label: string;
  readonly summary: string;
}

export const modes: Readonly<Record<string, Mode>> = {
  native: { label: 'Native', summary: 'one-dimensional walk of the process page tables; no virtual machine' },
  nested: {
    label: 'Nested paging',
    summary: 'guest tables over extended page tables (EPT): (n+1)m+n references a walk',
  },
};
