/** Programs that start the program named among their arguments, with their own environment: recorded is that one. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { type BuildInfo, readBuildInfo } from './executable.js';

/** Starters of parallel programs (Open MPI, MPICH, Slurm), and those that change a process before it executes another. */
const STARTERS =
  /^(mpirun|mpiexec|orterun|prterun|srun|numactl|taskset|timeout|env|nice|ionice|setarch|chrt|stdbuf|time)(\.\w+)?$/;

/** What is started, where that was built with hooks; null for any other program. */
export function startedBy(program: string, args: readonly string[], workingDirectory: string): BuildInfo | null {
  if (!STARTERS.test(path.basename(program))) return null;
  for (const argument of args) {
    const file = path.resolve(workingDirectory, argument);
    if (!existsSync(file) || !statSync(file).isFile()) continue;
    const info = readBuildInfo(file);
    if (info.hooks) return info;
  }
  return null;
}

/** Where a starter of parallel programs says which of them this is: Open MPI, PMIx, PMI (MPICH and others), Slurm. */
const RANK_VARIABLES = [
  ['OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE'],
  ['PMI_RANK', 'PMI_SIZE'],
  ['SLURM_PROCID', 'SLURM_NTASKS'],
] as const;

/**
 * A file's name for this rank, `run.rank2.pltrace` of `run.pltrace`, since all ranks are told the same; where there is no
 * other rank, the name itself.
 */
export function fileOfRank(file: string, env: NodeJS.ProcessEnv): string {
  for (const [rank, size] of RANK_VARIABLES) {
    if (!/^\d+$/.test(env[rank] ?? '') || !(Number(env[size]) > 1)) continue;
    const { dir, name, ext } = path.parse(file);
    return path.join(dir, `${name}.rank${env[rank]}${ext}`);
  }
  return file;
}
