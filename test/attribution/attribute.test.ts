/**
 * Attribution of a run counted by hand (run.ts). Accesses: site 0 writes 150, sites 1 and 2 read 750 on one inlined
 * line, site 3 reads 70 in a library without lines, site 7 reads 25, site 8 writes 5 outside all modules: 1000 in all.
 */
import { describe, expect, test } from 'vitest';
import { attribute } from '../../core/attribution/attribute.js';
import { checkConservation } from '../../core/attribution/conservation.js';
import { withPlacement } from '../../core/attribution/placement.js';
import { NONE } from '../../core/model/columns.js';
import { tierOfFunction, tierOfLine, tierOfObject } from '../../core/model/lineTiers.js';
import { COLD, HOT, type Placement, WARM } from '../../core/model/profile.js';
import { options, rawReplay, type Touch, touches, trace } from './run.js';

const profile = attribute(rawReplay(), trace, options);
const { lines, functions, objects, sites, pairs, pages, files } = profile;

const place = (row: number) => `${files[lines.file[row]!]!.path}:${lines.line[row]}`;

describe('lines', () => {
  test('inlined code is charged to the line that was written, whatever it was inlined into', () => {
    expect(Array.from({ length: lines.count }, (_, row) => [place(row), lines.reads[row], lines.writes[row]])).toEqual([
      ['/w/vec.h:5', 750, 0],
      ['/w/main.c:10', 0, 150],
      ['/w/main.c:50', 25, 0],
    ]);
  });

  test('an access whose innermost frame has no line goes to the nearest frame that has one', () => {
    const row = [...lines.line].indexOf(50);
    expect(functions.name[lines.function[row]!]).toBe('outer');
  });

  test('pages are distinct over all sites of a line', () => {
    // vec.h:5 touches pages 0 and 2 by one site, 0 and 1 by the other.
    expect([...lines.pages]).toEqual([3, 2, 1]);
  });

  test('traffic is charged like the accesses', () => {
    expect([...lines.trafficReads]).toEqual([10, 0, 5]);
    expect([...lines.trafficWrites]).toEqual([0, 4, 0]);
  });

  test('classes: 750 of 925 reach 80 %, so the first line is hot alone', () => {
    expect([...lines.hotness]).toEqual([HOT, WARM, WARM]);
  });

  test('the rate is accesses per page per modelled second', () => {
    // 750 accesses on 3 pages in 2 ms.
    expect(lines.perPagePerSecond[0]).toBe(125_000);
  });
});

describe('functions and sites', () => {
  test('a function counts its own lines once, and its callers only what they wrote themselves', () => {
    const rows = functions.name.map((name, row) => [name, functions.reads[row]! + functions.writes[row]!]);
    expect(rows).toEqual([
      ['dot', 750],
      ['main', 150],
      ['libnoise.so+0x40', 70],
      ['outer', 25],
      ['[outside modules]+0xffff', 5],
      ['shade', 0],
      ['trace', 0],
    ]);
    expect(functions.startLine[0]).toBe(4);
    expect(files[functions.file[0]!]!.path).toBe('/w/vec.h');
    expect(functions.file[2]).toBe(NONE);
  });

  test('the whole inline chain stays with the site', () => {
    const row = [...sites.offset].indexOf(0x110);
    const chain = [...sites.inlineFunction.subarray(sites.inlineStart[row], sites.inlineStart[row + 1])];
    expect(chain.map(number => functions.name[number])).toEqual(['dot', 'shade']);
    expect([...sites.inlineLine.subarray(sites.inlineStart[row], sites.inlineStart[row + 1])]).toEqual([5, 20]);
    expect(sites.column[row]).toBe(12);
  });

  test('sites without line say so, calls are no sites', () => {
    expect(sites.count).toBe(6);
    expect([...sites.line].filter(line => line === NONE)).toHaveLength(2);
  });

  test('template instances and lambdas on one line make one row, named by the busiest', () => {
    const chains = trace.symbols!.frames.map((chain, i) =>
      i === 2 ? [{ ...chain[0]!, function: 'dot<double>', startLine: 4 }, ...chain.slice(1)] : chain,
    );
    const two = attribute(rawReplay(), { ...trace, symbols: { ...trace.symbols!, frames: chains } }, options);
    expect(two.lines.count).toBe(3);
    expect(two.functions.name[two.lines.function[0]!]).toBe('dot');
    expect(two.functions.name).toContain('dot<double>');
    expect(checkConservation(two)).toEqual([]);
  });
});

describe('objects', () => {
  test('two program counters of one line are one allocation site, named by the function that decided', () => {
    expect(objects.name).toEqual([
      'malloc in parse_scene (scene.c:42)',
      'palette',
      'stack of thread 1 (main)',
      'unattributed',
    ]);
    expect(objects.stack[0]).toEqual(['xmalloc /w/util.c:7', 'parse_scene /w/scene.c:42']);
    expect(files[objects.file[0]!]!.path).toBe('/w/scene.c');
    expect(objects.line[0]).toBe(42);
  });

  test('merged rows add up, and share their pages', () => {
    expect([objects.reads[0], objects.writes[0], objects.bytes[0], objects.blocks[0]]).toEqual([650, 150, 5800, 3]);
    // Object 1 is on pages 0 and 1, object 2 on page 1.
    expect(objects.pages[0]).toBe(2);
    expect(objects.density[0]).toBe((20 + 12) / (2 * 64));
    expect(objects.touchedBytes[0]).toBe(5800);
    expect(objects.touchedBytes[1]).toBe(4000);
  });

  test('a global is declared where the debug information says; untouched globals are left out', () => {
    expect(files[objects.file[1]!]!.path).toBe('/w/main.c');
    expect(objects.line[1]).toBe(3);
    expect(objects.name).not.toContain('unused');
  });

  test('pairs of merged objects become one row', () => {
    const first = [...pairs.object].flatMap((object, pair) => (object === 0 && pairs.site[pair] === 0 ? [pair] : []));
    expect(first).toHaveLength(1);
    expect(pairs.writes[first[0]!]).toBe(150);
  });

  test('contexts become paths of frames, the outermost first; what reads the same is one, what starts programs is none', () => {
    const calls = profile.calls!;
    const names = (path: number): string[] =>
      path === 0 ? [] : [...names(calls.parent[path]!), calls.frames.name[calls.frame[path]!]!];
    const rows = Array.from({ length: calls.count }, (_, row) => {
      const pair = calls.pair[row]!;
      return [
        functions.name[sites.inlineFunction[sites.inlineStart[pairs.site[pair]!]!]!],
        objects.name[pairs.object[pair]!],
        names(calls.path[row]!).join(' > '),
        calls.reads[row]! + calls.writes[row]!,
        calls.trafficReads[row]! + calls.trafficWrites[row]!,
      ];
    });
    const table = objects.name[0]!;
    expect(rows).toContainEqual(['main', table, '', 150, 4]);
    // 350 and 50 by two copies of one call, 200 below it: `sample` is inlined into `render`.
    expect(rows).toContainEqual(['dot', table, 'main', 400, 6]);
    expect(rows).toContainEqual(['dot', table, 'main > render > sample', 200, 2]);
    expect(calls.frames.name).toEqual(['main', 'render', 'sample']);
    expect([...calls.frames.line]).toEqual([8, 60, 7]);
    expect(files[calls.frames.file[2]!]!.path).toBe('/w/vec.h');
  });

  test('pages name the row of their object, and are classed by accesses', () => {
    expect([...pages.object].map(row => objects.kind[row])).toEqual(['heap', 'heap', 'global', 'stack']);
    // 730, 70, 125, 75 of 1000: 730 < 800, so two are hot; nothing is within the last 10.
    expect([...pages.hotness]).toEqual([HOT, WARM, HOT, WARM]);
  });

  test('an allocation that was never touched is shown as cold', () => {
    const without = touches.filter(([, object]) => object !== 1 && object !== 2);
    const cold = attribute(rawReplay(without), trace, options);
    const row = cold.objects.kind.indexOf('heap');
    expect([cold.objects.reads[row], cold.objects.pages[row], cold.objects.hotness[row]]).toEqual([0, 0, COLD]);
  });
});

describe('merged allocations', () => {
  test('have the peak of both together, which is exact', () => {
    // 4,800 and 1,000 bytes together; then 1,000 gone and 200 more.
    expect(profile.objects.bytes[0]).toBe(5800);
    expect(profile.objects).not.toHaveProperty('bytesAtMost');
  });

  test('have the sum of their peaks, as a bound, where the log of allocations was full', () => {
    const full = (_: Uint32Array, groups: number) => ({ bytes: new Float64Array(groups).fill(4800), exact: false });
    const { objects } = attribute({ ...rawReplay(), jointPeaks: full }, trace, options);
    expect(objects.bytes[0]).toBe(6000);
    expect([...objects.bytesAtMost!]).toEqual([1, 0, 0, 0]);
    expect([...objects.bytes.subarray(1)]).toEqual([...profile.objects.bytes.subarray(1)]);
  });

  test('are called by what allocated most of their blocks', () => {
    const raw = rawReplay();
    const named = (name: string[]) =>
      attribute({ ...raw, objects: { ...raw.objects, name } }, trace, options).objects.name[0];
    expect(named(['', 'realloc', 'malloc', '', '', ''])).toBe('realloc in parse_scene (scene.c:42)');
    expect(named(['', 'calloc', 'calloc', '', '', ''])).toBe('calloc in parse_scene (scene.c:42)');
    expect(named(['', '', '', '', '', ''])).toBe('malloc in parse_scene (scene.c:42)');
  });
});

describe('what cannot be attributed', () => {
  test('the remainder is counted with its reasons, largest first', () => {
    expect(profile.unattributed).toEqual({
      reads: 70,
      writes: 5,
      why: [
        'libnoise.so: no line information (70 accesses)',
        'code outside all modules: no line information (5 accesses)',
      ],
    });
  });

  test('a cut trace shows module and offset, and says so', () => {
    const cut = attribute(rawReplay(), { ...trace, symbols: null, end: null }, options);
    expect(cut.lines.count).toBe(0);
    expect(cut.functions.name[0]).toBe('raytracer+0x110');
    expect(cut.objects.name[0]).toBe('malloc in raytracer+0x200');
    expect(cut.program).toMatchObject({ complete: false, exit: null });
    expect(cut.unattributed.reads + cut.unattributed.writes).toBe(1000);
    expect(cut.unattributed.why[0]).toBe('raytracer: the trace was cut before its symbols (925 accesses)');
    expect(cut.warnings.join(' ')).toMatch(/cut short/);
    expect(checkConservation(cut)).toEqual([]);
    // The same when binaries were looked for in vain.
    const none = { ...trace.symbols!, module: [], offset: [], frames: [] };
    const vain = attribute(rawReplay(), { ...trace, symbols: none, end: null }, options);
    expect(vain.unattributed).toEqual(cut.unattributed);
    expect(vain.warnings).toEqual(cut.warnings);
  });

  test('warnings of the recorder and of the replay are both kept', () => {
    expect(profile.warnings).toEqual([
      'Reads of constant tables are not seen.',
      'The last-level cache still held 3 dirty lines.',
    ]);
  });
});

describe('conservation', () => {
  test('holds for the run', () => {
    expect(checkConservation(profile)).toEqual([]);
  });

  test.each(['lines', 'functions', 'sites', 'pairs', 'objects', 'pages', 'epochs'] as const)(
    'one access too few in %s is found',
    table => {
      const row = profile[table].reads.findIndex(reads => reads > 0);
      const reads = profile[table].reads.with(row, profile[table].reads[row]! - 1);
      const violations = checkConservation({ ...profile, [table]: { ...profile[table], reads } });
      expect(violations).toHaveLength(1);
      expect(violations[0]).toContain('reads');
    },
  );
});

test('the program is described as recorded; signal handlers are no threads', () => {
  expect(profile.program).toMatchObject({ path: '/w/raytracer', threads: 2, processes: 1, exit: { status: 0 } });
  expect(files.map(file => file.path)).toEqual(['/w/main.c', '/w/scene.c', '/w/vec.h']);
  expect(files.map(file => file.sha256.slice(0, 2))).toEqual(['ab', '', '']);
});

test('the order in which things were seen does not matter', () => {
  const other = attribute(rawReplay(touches.toReversed() as Touch[]), trace, options);
  expect(JSON.stringify(other)).toBe(JSON.stringify(profile));
});

describe('tiers', () => {
  const tier = (id: string) => ({
    id,
    name: id,
    capacityBytes: 1,
    readLatencyNs: 1,
    writeLatencyNs: 1,
    readBandwidthGBps: 1,
    writeBandwidthGBps: 1,
    relativeCostPerGB: 1,
  });
  const policy = (id: string, tierOfObject: number[]) => ({
    id,
    modelledSlowdown: 1,
    modelledSlowdownRange: [1, 1] as const,
    fastTierHitRatio: 1,
    migratedPages: 0,
    tierOfObject: Uint8Array.from(tierOfObject),
    bytesInTier: Float64Array.of(0, 0),
  });
  const placement: Placement = {
    tiers: [tier('dram'), tier('cxl')],
    policies: [policy('first-touch', [1, 1, 1, 1]), policy('static-optimal', [0, 1, 1, 255])],
    oracle: policy('oracle', [255, 255, 255, 255]),
    recommended: 'static-optimal',
    assumptions: [],
  };
  const placed = withPlacement(profile, placement);

  test('an object is where the recommended policy puts it, or mixed when it is split', () => {
    expect([0, 1, 2, 3].map(row => tierOfObject(placed, row))).toEqual(['dram', 'cxl', 'cxl', 'mixed']);
  });

  test('a line has the tier of the object with at least 80 % of its traffic', () => {
    // vec.h:5: all 10 lines of traffic are the allocation's; main.c:10 likewise; main.c:50 is all palette.
    expect([0, 1, 2].map(row => tierOfLine(placed, row))).toEqual(['dram', 'dram', 'cxl']);
    expect(tierOfFunction(placed, 0)).toBe('dram');
  });

  test('below 80 % it is mixed, at 80 % it is not', () => {
    const tierWith = (heap: number, global: number): string => {
      // All on one of the three call paths.
      const heapBy = [0, 0, heap, 0, 0];
      const list = touches.map(touch =>
        touch[0] === 1
          ? ([...touch.slice(0, 4), touch[1] === 1 ? heapBy[touch[5]!]! : global] as unknown as Touch)
          : touch,
      );
      const base = attribute(rawReplay(list), trace, options);
      return tierOfLine(withPlacement(base, placement), 0);
    };
    // Site 2 adds 2 to the heap's traffic on the line.
    expect(tierWith(76, 20)).toBe('mixed');
    expect(tierWith(78, 20)).toBe('dram');
    expect(tierWith(77, 20)).toBe('mixed');
  });

  test('without traffic the accesses decide', () => {
    const list = touches.map(touch => [touch[0], touch[1], touch[2], touch[3], 0] as const);
    const base = attribute(rawReplay(list), trace, options);
    // 650 of 750 accesses of vec.h:5 are the allocation's: 87 %.
    expect(tierOfLine(withPlacement(base, placement), 0)).toBe('dram');
  });
});
