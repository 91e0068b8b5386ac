/** `pagelens apply`: a program runs with its allocations in the tiers that a placement file names. */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { type ApplyResult, apply, errorName } from '../apply/apply.js';
import { parsePlacement } from '../apply/placementFile.js';
import { UsageError } from '../errors.js';
import { bytes } from '../model/format.js';
import { parseProgram } from './arguments.js';
import { absolute, statusOf } from './output.js';

export async function applyPlacement(args: string[]): Promise<number> {
  const {
    values,
    program: file,
    rest,
  } = parseProgram(args, ['nodes', 'symbols', 'module', 'json', 'quiet', 'verbose']);
  const [program, ...programArguments] = rest;
  if (program === undefined)
    throw new UsageError('apply needs a program: pagelens apply PLACEMENT.json PROGRAM [ARGS...]');
  let text: string;
  try {
    text = readFileSync(absolute(file), 'utf8');
  } catch (error) {
    throw new UsageError(
      `${file}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : String(error)}`,
    );
  }
  const placement = parsePlacement(text, file);
  const result = await apply({
    placement,
    program,
    arguments: programArguments,
    nodes: values.nodes,
    symbols: values.symbols && absolute(values.symbols),
    libraries: values.module ? values.module.split(',').map(absolute) : [],
  });
  if (!values.quiet) process.stderr.write(appliedText(result, values.verbose ?? false));
  if (values.json) writeFileSync(absolute(values.json), `${JSON.stringify(report(result), null, 2)}\n`);
  return statusOf(result.exit, '');
}

function appliedText(result: ApplyResult, verbose: boolean): string {
  const { matched, others, undecided, objects } = result;
  const lines = [
    `placed ${blocks(matched)}, ${bytes(matched.bytes)}, of the ${objects.length.toLocaleString('en')} objects of the file; ` +
      `${blocks(others)}, ${bytes(others.bytes)}, are none of them and lie where they would have lain`,
  ];
  const found = objects.filter(({ blocks }) => blocks > 0).sort((a, b) => b.bytes - a.bytes);
  for (const { object, blocks: count, bytes: size } of verbose ? found : found.slice(0, SHOWN))
    lines.push(`  ${object.tier}: ${object.name}: ${blocks({ blocks: count })}, ${bytes(size)}`);
  if (!verbose && found.length > SHOWN) lines.push(`  and ${found.length - SHOWN} more (--verbose)`);
  const impossible = objects.filter(row => row.impossible);
  if (impossible.length > 0)
    lines.push(
      `${impossible.length} objects cannot be in this build, the first: ${impossible[0]!.object.name}; ` +
        'was it built from the same sources, with -g? (--symbols FILE for a stripped program)',
    );
  if (undecided.blocks > 0)
    lines.push(
      `${blocks(undecided)}, ${bytes(undecided.bytes)}, could be several objects of different tiers: not placed`,
    );
  if (result.refusedBytes > 0)
    lines.push(
      `${bytes(result.refusedBytes)} of matched blocks were left to the program's own allocator (no memory, or aligned to 1 MiB and more)`,
    );
  if (result.sharedGlobalBytes > 0)
    lines.push(`${bytes(result.sharedGlobalBytes)} of globals share their pages with others: not placed`);
  if (result.bindFailures > 0)
    lines.push(
      `the kernel refused ${result.bindFailures} of the requests to bind pages (mbind: ${errorName(result.bindError)}); ` +
        'a container needs a seccomp profile that allows mbind',
    );
  if (new Set(result.nodes).size === 1 && new Set(result.objects.map(({ object }) => object.tier)).size > 1)
    lines.push(
      result.machineNodes.length === 1
        ? `this machine has one memory node, ${result.nodes[0]}: everything is on it, so this run shows what is matched, not a gain`
        : `all tiers are on node ${result.nodes[0]}`,
    );
  if (result.processes === 0)
    lines.push('the program did not load the library: is it set-user-ID, or does it clear its environment?');
  return lines.map(line => `pagelens: ${line}\n`).join('');
}

const SHOWN = 10;

function blocks({ blocks }: { readonly blocks: number }): string {
  return blocks === 1 ? '1 block' : `${blocks.toLocaleString('en')} blocks`;
}

function report({ objects, ...result }: ApplyResult) {
  return {
    schema: 'pagelens-applied/1',
    ...result,
    objects: objects.map(({ object, ...counted }) => ({
      kind: object.kind,
      name: object.name,
      tier: object.tier,
      ...counted,
    })),
  };
}
