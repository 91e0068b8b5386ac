/** Imports a file and replays it, as `pagelens replay` does, without a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { checkConservation } from '../../../core/attribution/conservation.js';
import type { Profile } from '../../../core/model/profile.js';
import { replayOptions } from '../../../core/options.js';
import { type ImportTexts, importTrace } from '../../../core/replay/importTrace.js';
import { replay } from '../../../core/replay.js';
import { TraceError } from '../../../core/trace/error.js';
import { recognise } from '../../../core/trace/import/formats.js';

const options = replayOptions({ mode: 'native', tracker: 'exact' });

/** The profile of a file with this content. @throws what the import throws */
export async function profileOf(content: string | Uint8Array, texts: ImportTexts = {}): Promise<Profile> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pagelens-test-'));
  try {
    const file = path.join(folder, 'trace');
    writeFileSync(file, content);
    return await profileOfFile(file, texts);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function profileOfFile(file: string, texts: ImportTexts = {}): Promise<Profile> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pagelens-test-'));
  const traceFile = path.join(folder, 'run.pltrace');
  try {
    await importTrace({ kind: 'import', file, name: 'FILE', traceFile, options: texts }, {});
    const profile = await replay(traceFile, options);
    expect(checkConservation(profile)).toEqual([]);
    return profile;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The one line with which a file is refused. */
export async function refusal(content: string | Uint8Array, texts: ImportTexts = {}): Promise<string> {
  const error = await profileOf(content, texts).then(
    () => null,
    error => error,
  );
  expect(error).toBeInstanceOf(Error);
  expect(error.message).not.toContain('\n');
  return error.message;
}

/** What the profile says of each touched page: `number: reads/writes`, in ascending order. */
export function pagesOf({ pages }: Profile): string[] {
  return Array.from(pages.number, (number, i) => `${number.toString(16)}: ${pages.reads[i]}/${pages.writes[i]}`);
}

/**
 * Damages a whole file in every way that files are: cut, bytes changed, parts doubled or swapped. Each is either read,
 * with a whole profile, or refused in one line; nothing else may happen.
 */
export async function survivesDamage(
  whole: Uint8Array,
  from: string,
  texts: ImportTexts = {},
  numRuns = 25,
): Promise<void> {
  const place = fc.nat({ max: whole.length });
  const damage = fc.oneof(
    place.map(at => whole.subarray(0, at)),
    fc
      .tuple(place, fc.uint8Array({ minLength: 1, maxLength: 9 }))
      .map(([at, bytes]) => splice(whole, at, bytes.length, bytes)),
    fc
      .tuple(place, place)
      .map(([a, b]) => Buffer.concat([whole.subarray(Math.min(a, b)), whole.subarray(0, Math.max(a, b))])),
    fc.tuple(place, place).map(([at, length]) => splice(whole, at, length, new Uint8Array())),
  );
  await fc.assert(
    fc.asyncProperty(damage, async bytes => {
      try {
        await profileOf(bytes, { ...texts, from });
      } catch (error) {
        expect(error).toBeInstanceOf(TraceError);
        expect((error as Error).message).not.toContain('\n');
      }
    }),
    { numRuns },
  );
}

function splice(whole: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  return Buffer.concat([whole.subarray(0, at), added, whole.subarray(at + removed)]);
}

export function recognised(content: string | Uint8Array): string | null {
  const bytes = Buffer.from(content);
  return recognise(bytes.subarray(0, 65536), bytes.length <= 65536);
}
