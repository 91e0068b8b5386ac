/** Ranks of an MPI program: in one run behind `mpirun`, or each with a recorder of its own and merged then. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { fileOfRank } from '../../core/record/starters.js';
import { pagelens, report } from '../helpers/cli.js';
import { shell, withPagelens } from '../helpers/pagelensOnPath.js';
import { programs, scratchFolder } from '../helpers/records.js';

const folder = scratchFolder('parallel');
const env = {
  ...withPagelens(folder),
  OMPI_CC: 'pagelens cc',
  // Containers run tests as root.
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
};
const mpirun = ['mpirun', '--oversubscribe', '-n', '4'];

beforeAll(() => {
  shell(`mpicc -O1 ${path.join(programs, 'mpi/ring.c')} -o ring`, folder, env);
});

function cells(objects: Awaited<ReturnType<typeof report>>['objects']) {
  return objects.find(row => row.name === 'cells');
}

const stacks = [0, 1, 2, 3].map(rank => `stack of thread 1 (main) of rank ${rank}`);

test('all ranks in one profile, with their names', async () => {
  const output = path.join(folder, 'output');
  const args = ['profile', '--json', '-', '--check', '--quiet', '--tracker', 'exact', '--program-output', output];
  const { objects, program, warnings } = await report([...args, ...mpirun, './ring'], 0, { cwd: folder, env });
  expect(readFileSync(output, 'utf8')).toBe('10\n');
  expect(cells(objects)).toMatchObject({ reads: 10_000, writes: 10_000 });
  expect(objects.map(row => row.name)).toEqual(expect.arrayContaining(stacks));
  expect(program).toMatchObject({ processes: 4, complete: true, compiler: expect.stringMatching(/^gcc/) });
  // Of the program that mpirun started, not of mpirun.
  expect(warnings).toContainEqual(expect.stringMatching(/^not counted: /));
});

test('a recorder a rank: files of their own, merged in any order', async () => {
  const record = 'pagelens profile --quiet --tracker exact --save run.pagelens ./ring';
  shell(`${mpirun.join(' ')} ${record}`, folder, env);
  const files = [2, 0, 3, 1].map(rank => `run.rank${rank}.pagelens`);
  expect(
    await pagelens(['merge', '--quiet', '--check', '-o', 'all.pagelens', ...files], { cwd: folder }),
  ).toMatchObject({
    status: 0,
  });
  const { objects, program } = await report(['report', '--json', '-', '--quiet', 'all.pagelens'], 0, { cwd: folder });
  expect(cells(objects)).toMatchObject({ reads: 10_000, writes: 10_000, bytes: 16_000 });
  expect(objects.map(row => row.name)).toEqual(expect.arrayContaining(stacks));
  expect(program).toMatchObject({ processes: 4, complete: true });
});

test('a starter of a program without hooks is a program like others', async () => {
  const { status, stderr } = await pagelens(['profile', '--recorder', 'instrument', 'timeout', '9', '/bin/true']);
  expect(status).toBe(3);
  expect(stderr).toMatch(/timeout was not built for recording/);
});

test('names of files by rank', () => {
  const openMpi = { OMPI_COMM_WORLD_RANK: '2', OMPI_COMM_WORLD_SIZE: '4' };
  expect(fileOfRank('/a/run.pltrace', openMpi)).toBe('/a/run.rank2.pltrace');
  expect(fileOfRank('run', { PMI_RANK: '0', PMI_SIZE: '2' })).toBe('run.rank0');
  expect(fileOfRank('run.json', { SLURM_PROCID: '11', SLURM_NTASKS: '12' })).toBe('run.rank11.json');
  // A batch job of one task, or no job at all.
  expect(fileOfRank('run.json', { SLURM_PROCID: '0', SLURM_NTASKS: '1' })).toBe('run.json');
  expect(fileOfRank('run.json', {})).toBe('run.json');
});
