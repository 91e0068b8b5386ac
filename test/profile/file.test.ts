/** `.pagelens` files: what is saved is what is loaded, and what is damaged is refused in one line. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../core/errors.js';
import type { Profile } from '../../core/model/profile.js';
import { load, loadSource, save } from '../../core/profile/file.js';
import { sample } from './sample.js';

/** JSON is UTF-8: half a surrogate pair cannot be written. */
const wellFormed = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');

const folder = mkdtempSync(path.join(tmpdir(), 'pagelens-profile-'));
const file = path.join(folder, 'run.pagelens');

async function saved(profile: Profile): Promise<Buffer> {
  await save(profile, file);
  return readFileSync(file);
}

async function failure(bytes: Uint8Array): Promise<string> {
  const bad = path.join(folder, 'bad.pagelens');
  writeFileSync(bad, bytes);
  try {
    await load(bad);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    expect(message.startsWith(`${bad}: `)).toBe(true);
    return message.slice(bad.length + 2);
  }
  return 'loaded';
}

/** A profile's document, to be given what no type allows. */
interface Hostile {
  columns: unknown[][];
  // biome-ignore lint/suspicious/noExplicitAny: that is the point
  profile: Record<string, any>;
}

/** The document of a file, changed, with lengths and checksum put right again: only the content is wrong. */
function rewritten(bytes: Buffer, change: (document: Hostile) => void): Buffer {
  const length = bytes.readUInt32LE(12);
  const document = JSON.parse(inflateRawSync(bytes.subarray(24, 24 + length)).toString());
  change(document);
  const text = Buffer.from(JSON.stringify(document));
  const stored = deflateRawSync(text);
  const header = Buffer.from(bytes.subarray(0, 24));
  header.writeUInt32LE(stored.length, 12);
  header.writeUInt32LE(text.length, 16);
  header.writeUInt32LE(crc32(stored), 20);
  return Buffer.concat([header, stored, bytes.subarray(24 + length)]);
}

describe('saving and loading', () => {
  test('gives the same profile, infinities and nulls included', async () => {
    await save(sample, file);
    expect(await load(file)).toEqual(sample);
  });

  test('keeps what a profile may lack, and does not invent it', async () => {
    const more: Profile = {
      ...sample,
      objects: { ...sample.objects, bytesAtMost: Uint8Array.of(1, 0, 0, 0) },
      translation: sample.translation.map(row => ({
        ...row,
        own: { switches: 2 },
        pmlSweep: [{ entries: 64, exits: 3, overheadPercent: 0.5 }],
        decisions: [
          {
            process: 1,
            seconds: 5.25,
            faultsPerThousand: 0.5,
            missesPerThousand: 0,
            ratio: null,
            historicRatio: 0.125,
            rule: 4,
            paging: 'shadow',
            switched: true,
          },
        ],
      })),
    };
    await save(more, file);
    expect(await load(file)).toEqual(more);
    const { fastestTier: _, ...placement } = sample.placement;
    await save({ ...sample, placement }, file);
    const less = await load(file);
    expect(less.placement).not.toHaveProperty('fastestTier');
    expect(less.placement.policies[0]).not.toHaveProperty('modelledSlowdownBound');
    expect(less.placement.policies[1]!.modelledSlowdownBound).toBe(1.2);
  });

  test('gives the same bytes every time, and leaves no partial file', async () => {
    const first = await saved(sample);
    expect((await saved(structuredClone(sample))).equals(first)).toBe(true);
    expect(readdirSync(folder).filter(name => name.endsWith('.part'))).toEqual([]);
  });

  test('keeps whatever the texts and numbers are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }),
        fc.double({ noNaN: false }),
        fc.array(fc.tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true })), { maxLength: 40 }),
        fc.dictionary(fc.string(), fc.double({ noNaN: true })),
        async (texts, figure, points, own) => {
          const profile: Profile = {
            ...sample,
            warnings: texts.map(text => wellFormed(text)),
            temperature: { ...sample.temperature, pmlEventsPerSecond: Object.is(figure, -0) ? 0 : figure },
            missRatio: {
              metric: sample.missRatio.metric,
              pages: Float64Array.from(points, point => point[0]),
              missRatio: Float64Array.from(points, point => point[1]),
            },
            trackers: sample.trackers.map(tracker => ({
              ...tracker,
              own: Object.fromEntries(
                Object.entries(own).map(([name, value]) => [wellFormed(name), Object.is(value, -0) ? 0 : value]),
              ),
            })),
          };
          await save(profile, file);
          const loaded = await load(file);
          expect(loaded.warnings).toEqual(profile.warnings);
          expect(loaded.temperature).toEqual(profile.temperature);
          expect(loaded.missRatio).toEqual(profile.missRatio);
          expect(Object.entries(loaded.trackers[0]!.own)).toEqual(Object.entries(profile.trackers[0]!.own));
        },
      ),
      { numRuns: 40, seed: 7 },
    );
  });

  test('a folder that is not there is told in one line', async () => {
    await expect(save(sample, path.join(folder, 'no/such/run.pagelens'))).rejects.toThrow(
      /^cannot write .*run\.pagelens: /,
    );
  });
});

describe('what is no profile is refused with a reason', () => {
  test.each([
    ['an empty file', Buffer.alloc(0), /is empty/],
    ['text', Buffer.from('int main(void) { return 0; }\n'), /is not a saved profile/],
    ['a JSON report', Buffer.from('{"schema": "pagelens-report/1", "tool": {}}'), /JSON report/],
    [
      'a later format',
      Buffer.concat([Buffer.from('PAGELENS'), Buffer.from([9, 0, 0, 0]), Buffer.alloc(12)]),
      /format 9.*format 1/,
    ],
  ])('%s', async (_, bytes, message) => {
    expect(await failure(bytes)).toMatch(message);
  });

  test('a missing file and a folder', async () => {
    await expect(load(path.join(folder, 'none'))).rejects.toThrow(/none: cannot be read/);
    await expect(load(folder)).rejects.toThrow(/is not a file/);
  });

  test('every truncation', async () => {
    const bytes = await saved(sample);
    for (let length = 1; length < bytes.length; length += 71) {
      const message = await failure(bytes.subarray(0, length));
      expect(message, `${length} of ${bytes.length}`).toMatch(
        length < 24 ? /not a saved profile/ : /is damaged: it is cut short/,
      );
    }
  });

  test('every changed byte: all of them are covered by a check', async () => {
    const bytes = await saved(sample);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= flip;
        expect(await failure(changed)).not.toBe('loaded');
      }),
      { numRuns: 150, seed: 11 },
    );
  });

  test('bytes behind the end', async () => {
    expect(await failure(Buffer.concat([await saved(sample), Buffer.from('x')]))).toMatch(/1 bytes follow its end/);
  });
});

describe('reading in two parts', () => {
  test('source is told without the largest tables, and both parts make the same profile', async () => {
    await saved(sample);
    const { source, whole } = await loadSource(file);
    const { calls, siteTimes, pages, heat, trackers, ...rest } = sample;
    expect(source).toEqual(rest);
    expect(await whole()).toEqual({ ...rest, calls, siteTimes, pages, heat, trackers });
  });

  test('a changed byte of the rest is found before anything is told', async () => {
    const bytes = await saved(sample);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    await expect(loadSource(file)).rejects.toThrow(/is damaged: the checksum of column \d+ is wrong/);
  });

  test('the whole needs the file no more', async () => {
    await saved(sample);
    const { whole } = await loadSource(file);
    writeFileSync(file, 'something else');
    expect((await whole()).heat).toEqual(sample.heat);
  });
});

describe('a well-formed file with a hostile content is refused', () => {
  test.each<[string, (document: Hostile) => void, RegExp]>([
    ['a member of another type', d => (d.profile.program.path = 7), /program\.path is not a text/],
    ['a missing member', d => delete d.profile.totals.reads, /totals\.reads is not a whole number/],
    ['an unknown enumeration', d => (d.profile.objects.kind[0] = 'pile'), /objects\.kind\[0\] is not one of/],
    ['a column that is not there', d => (d.profile.lines.reads = 999), /lines\.reads is not a column/],
    [
      'a column of another type',
      d => (d.profile.lines.reads = d.profile.lines.file),
      /lines\.reads is not a column of f64/,
    ],
    [
      'a column of another length',
      d => (d.profile.lines.reads = d.profile.objects.reads),
      /lines\.reads has 4 rows instead of 3/,
    ],
    ['rows beyond a table', d => d.profile.files.pop(), /functions\.file names row 2 of 2/],
    ['a column of a terabyte', d => (d.columns[0]![1] = 2 ** 40), /too large/],
    ['a column longer than its bytes can hold', d => (d.columns[0]![1] = 2 ** 20), /the length of column 0 is wrong/],
    ['a negative length', d => (d.columns[0]![2] = -1), /directory is unreadable/],
    ['no profile', d => (d.profile = [] as never), /is not an object/],
  ])('%s', async (_, change, message) => {
    expect(await failure(rewritten(await saved(sample), change))).toMatch(message);
  });

  test('a name such as __proto__ is a name like any other', async () => {
    const bytes = rewritten(await saved(sample), document => {
      Object.defineProperty(document.profile.trackers[0].own, '__proto__', { value: 5, enumerable: true });
    });
    const odd = path.join(folder, 'odd.pagelens');
    writeFileSync(odd, bytes);
    const { own } = (await load(odd)).trackers[0]!;
    expect(Object.getPrototypeOf(own)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(own, '__proto__')?.value).toBe(5);
  });

  test('pages that make no sense are told of when they are asked for; the source is there until then', async () => {
    const bytes = rewritten(await saved(sample), document => {
      document.profile.pages.object = document.profile.lines.line;
    });
    const odd = path.join(folder, 'pages.pagelens');
    writeFileSync(odd, bytes);
    const { source, whole } = await loadSource(odd);
    expect(source.lines).toEqual(sample.lines);
    await expect(whole()).rejects.toThrow(/is damaged: pages\.object has \d+ rows instead of \d+; profile the program/);
    expect(await failure(bytes)).toMatch(/pages\.object has/);
  });

  test('a deflate bomb is not inflated', async () => {
    const bomb = deflateRawSync(Buffer.alloc(64 << 20));
    const header = Buffer.alloc(24);
    header.write('PAGELENS', 'latin1');
    header.writeUInt32LE(1, 8);
    header.writeUInt32LE(bomb.length, 12);
    header.writeUInt32LE(100, 16);
    header.writeUInt32LE(crc32(bomb), 20);
    expect(await failure(Buffer.concat([header, bomb]))).toMatch(/cannot be inflated/);
  });
});
