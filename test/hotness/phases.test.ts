/** Phases of runs that are drawn: a letter an epoch, the function that runs; expected stretches by hand. */
import { describe, expect, test } from 'vitest';
import { LEAST_DIFFERENCE, LEAST_SHARE, phasesOf } from '../../core/hotness/phases.js';
import { NONE } from '../../core/model/columns.js';
import type { Profile } from '../../core/model/profile.js';

/** Accesses of an epoch. */
const each = 1000;

/** Row of a name among those in use. */
type Rows = (name: string) => number;

function rows(names: readonly string[]): Rows {
  const known = [...new Set(names)].sort();
  return name => known.indexOf(name);
}

/**
 * A run of one site a function and one page an object. `code` and `data` give each epoch's functions and objects: one
 * letter an epoch, or a text of letters with equal parts of its accesses.
 */
function run(code: readonly string[], data: readonly string[] = code.map(() => 'x')): Profile {
  const column = (epochs: readonly string[]) => {
    const row = rows(epochs.flatMap(letters => [...letters]));
    const start = [0];
    const ids: number[] = [];
    const accesses: number[] = [];
    for (const letters of epochs) {
      const inOrder = [...new Set(letters)].sort();
      for (const letter of inOrder) {
        ids.push(row(letter));
        accesses.push((each * [...letters].filter(other => other === letter).length) / letters.length);
      }
      start.push(ids.length);
    }
    const names = [...new Set(epochs.flatMap(letters => [...letters]))].sort();
    return { start, ids: Uint32Array.from(ids), accesses: Float64Array.from(accesses), names };
  };
  const sites = column(code);
  const pages = column(data);
  const chains = Uint32Array.from([...sites.names.keys()]);
  return {
    epochs: { count: code.length },
    siteTimes: { epochsPerBin: 1, start: Uint32Array.from(sites.start), site: sites.ids, accesses: sites.accesses },
    sites: { count: sites.names.length, inlineStart: Uint32Array.of(...chains, chains.length), inlineFunction: chains },
    functions: { count: sites.names.length, name: sites.names },
    objects: { count: pages.names.length, name: pages.names },
    pages: { object: Uint32Array.from(pages.names.keys()) },
    heat: {
      epochsPerBin: 1,
      start: Float64Array.from(pages.start),
      page: pages.ids,
      reads: Uint32Array.from(pages.accesses),
      writes: new Uint32Array(pages.ids.length),
    },
  } as unknown as Profile;
}

/** `A×3 B×2`: names and lengths. */
function drawn(profile: Profile): string {
  return phasesOf(profile)
    .map(({ window: [from, to], function: f }) => `${f === NONE ? '?' : profile.functions.name[f]}×${to - from}`)
    .join(' ');
}

const times = (count: number, letters: string) => Array.from({ length: count }, () => letters);

describe('stretches', () => {
  test('of one code are one phase each, also where a code comes back', () => {
    expect(drawn(run([...'AAAAABBBBBBAAAA']))).toBe('A×5 B×6 A×4');
    expect(drawn(run([...'AAAA']))).toBe('A×4');
  });

  test('of the same code on other data are phases of their own', () => {
    const profile = run([...'AAAAAAAA'], [...'xxxyyyyy']);
    expect(phasesOf(profile)).toEqual([
      { window: [0, 3], accesses: 3000, function: 0, object: 0 },
      { window: [3, 8], accesses: 5000, function: 0, object: 1 },
    ]);
  });

  test('that make less than a quarter of their accesses elsewhere are the same phase', () => {
    // One of five parts, and one of four.
    expect(drawn(run([...times(5, 'AAAAA'), ...times(5, 'AAAAB')]))).toBe('A×10');
    expect(drawn(run([...times(5, 'AAAA'), ...times(5, 'AAAB')]))).toBe('A×5 A×5');
  });

  test('that alternate quickly are one phase, beside one that does not', () => {
    const quick = [...'ABABABABABABABABABAB'];
    // Two of a hundred epochs are long enough for a phase, one is not.
    expect(drawn(run([...quick, ...times(80, 'C')]))).toBe('A×20 C×80');
  });

  test('that are too short join the neighbour that they resemble', () => {
    // B is in the mixture behind it, not in what is before.
    expect(drawn(run([...times(60, 'A'), 'B', ...times(60, 'AABC')]))).toBe('A×60 A×61');
  });
});

test('without sites through time, data alone tells phases apart, and the code of each is not known', () => {
  const { siteTimes: _, ...older } = run([...'AABB'], [...'xxxy']);
  expect(phasesOf(older as Profile)).toEqual([
    { window: [0, 3], accesses: 3000, function: NONE, object: 0 },
    { window: [3, 4], accesses: 1000, function: NONE, object: 1 },
  ]);
});

test('bins of several epochs are not cut', () => {
  const profile = run([...'AABB']);
  const coarse = { ...profile.heat, epochsPerBin: 2, start: Float64Array.of(0, 2, 4) };
  const [first, second] = phasesOf({ ...profile, epochs: { ...profile.epochs, count: 4 }, heat: coarse });
  expect([first!.window, second!.window]).toEqual([
    [0, 2],
    [2, 4],
  ]);
});

/** Any run is covered without gaps by phases that are as long and as different as promised. */
test('phases of random runs keep what they promise', () => {
  let seed = 20_26;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  for (let round = 0; round < 60; round++) {
    const letters = 'ABCDE';
    const epochs: string[] = [];
    while (epochs.length < 90) {
      const mixture = Array.from({ length: 1 + random(4) }, () => letters[random(5)]).join('');
      epochs.push(...times(1 + random(30), mixture));
    }
    const phases = phasesOf(run(epochs));
    expect(phases.map(({ window: [from] }) => from)).toEqual([
      0,
      ...phases.slice(0, -1).map(({ window }) => window[1]),
    ]);
    expect(phases.at(-1)!.window[1]).toBe(epochs.length);
    const shares = phases.map(({ window: [from, to] }) => {
      const text = epochs
        .slice(from, to)
        .map(mixture => [...letters].map(l => mixture.split(l).length - 1).map(n => n / mixture.length));
      return [...letters].map((_, i) => text.reduce((sum, epoch) => sum + epoch[i]!, 0) / (to - from));
    });
    for (const [i, { accesses }] of phases.entries()) {
      if (phases.length > 1)
        expect(accesses, `round ${round}`).toBeGreaterThanOrEqual(LEAST_SHARE * epochs.length * each);
      if (i === 0) continue;
      const elsewhere = shares[i]!.reduce((sum, share, l) => sum + Math.max(0, share - shares[i - 1]![l]!), 0);
      expect(elsewhere, `round ${round}`).toBeGreaterThanOrEqual(LEAST_DIFFERENCE - 1e-9);
    }
  }
});
