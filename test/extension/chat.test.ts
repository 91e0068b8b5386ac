/** The chat tools: what they answer, and that the manifest describes what the code registers. */
import { describe, expect, test } from 'vitest';
import type { HotRegion, OverviewFacts, PlacementFacts, Selection } from '../../core/protocol.js';
import { context, hottestText, placementText, plainHover, regionsNamed } from '../../extension/chat/answers.js';
import { tools } from '../../extension/ids.js';
import { localized } from '../helpers/manifest.js';

const selection: Selection = {
  ...{
    profile: '/p.pagelens',
    tracker: 'exact',
    tiers: 'hbm-dram',
    tierChanges: [],
    policy: 'static-optimal',
    phase: null,
    window: null,
  },
  ...{ focus: null, baseline: null },
};

const facts = {
  ...{ program: '/w/scan 3', exit: 'exit status 0', complete: true, machine: 'skylake-sp', level: 'source' },
  ...{ reads: 3_145_728, writes: 1_048_576, trafficReads: 400_000, trafficWrites: 100_000 },
  ...{ pagesTouched: 2049, pageSize: 4096, epochs: 12 },
} as unknown as OverviewFacts;

const region = (label: string, line: number): HotRegion => ({
  ...{ label, hotness: 'hot', detail: '75 % · 100 % read, 0 % write · 8 MiB', location: { file: '/w/scan.c', line } },
});

describe('an answer', () => {
  test('says level, window, denominators, and which numbers are modelled', () => {
    const text = context(facts, selection);
    expect(text).toContain('source level over the whole run: 4,194,304 accesses (3,145,728 reads, 1,048,576 writes)');
    expect(text).toContain('2,049 pages of 4 KiB');
    expect(text).toContain('modelled (machine skylake-sp): 500,000 cache lines of 64 bytes');
    expect(text).not.toMatch(/selected|tracker/);
  });

  test('says what the user has selected', () => {
    const text = context({ ...facts, complete: false }, { ...selection, tracker: 'pml', window: [2, 5] });
    expect(text).toContain('as the tracker pml sees it');
    expect(text).toContain('epochs 2 to 4 of 12; the figures here are of the whole run');
    expect(text).toContain('only a part of the run');
  });

  test('lists regions with their source, and a name cannot break the table', () => {
    const text = hottestText([region('a|b\nc', 7)], null);
    expect(text).toContain('| a\\|b c | hot | 75 % · 100 % read, 0 % write · 8 MiB | /w/scan.c:7 |');
    expect(hottestText([], '/w/cold.c')).toBe('The profile has no function or allocation in /w/cold.c.');
  });

  test('about placement names tiers, ranges, the policy that the tiers are of, and the assumptions', () => {
    const placement: PlacementFacts = {
      tiers: [
        { id: 'hbm', name: 'HBM', capacityBytes: 2 ** 30, usedBytes: 2 ** 20, readLatencyNs: 110, writeLatencyNs: 110 },
      ],
      policies: [{ id: 'first-touch', slowdown: 1.5, range: [1.25, 1.75], fastTierHitRatio: 0.5 }],
      recommended: 'static-optimal',
      touchedBytes: 8192,
      capacityCurve: null,
      assumptions: ['Latencies are loaded ones.'],
      ...{ counted: 'accesses', window: null, accesses: 100, compared: false },
      ...{ objects: 340, focus: null, detail: null },
      total: 340,
      from: 0,
      rows: [
        {
          ...{
            kind: 'heap',
            name: 'table',
            location: null,
            stack: [],
            bytes: 8 * 2 ** 20,
            blocks: 1,
            reads: 30,
            writes: 10,
          },
          ...{ object: 0, before: null, perPagePerSecond: 1e6, touchedBytes: 8 * 2 ** 20 },
          ...{ pages: 2048, density: 1, trafficReads: 3, trafficWrites: 1, hotness: 'hot', tier: 'HBM' },
        },
      ],
    };
    const text = placementText(placement, 'static-optimal');
    expect(text).toContain('HBM (1 MiB of 1 GiB used, load latency 110 ns)');
    expect(text).toContain('first-touch 1.50 (1.25 to 1.75)');
    expect(text).toContain('Tiers below are those of the policy static-optimal');
    expect(text).toContain('1 of 340 allocations');
    expect(text).toContain('| table | heap | 8 MiB | 40 | 4 (25 % write-backs) | HBM | – |');
    expect(text).toContain('Assumptions of the model: Latencies are loaded ones.');
  });

  test('from a hover has neither links nor spacing of its own', () => {
    const hover =
      '**This line**\n\n| Reads | &nbsp;3 | &nbsp;&nbsp;75 % |\n\n[Open dashboard](command:a.b) · [Again](command:c)';
    expect(plainHover(hover)).toBe('**This line**\n\n| Reads | 3 | 75 % |');
  });

  test('finds a region by its whole name first, else by a part of it', () => {
    const regions = [region('sum_all', 1), region('sum', 2), region('fill', 3)];
    expect(regionsNamed('sum', regions)).toEqual([regions[1]]);
    expect(regionsNamed('SUM', regions)).toEqual([regions[0], regions[1]]);
    expect(regionsNamed('free', regions)).toEqual([]);
  });
});

test('the manifest describes each tool to the user and to the model, for when a profile is open', () => {
  const described = localized.contributes.languageModelTools;
  expect(described.map((tool: { name: string }) => tool.name)).toEqual(Object.values(tools));
  for (const tool of described) {
    expect(tool.when).toBe('pagelens.hasProfile');
    expect(tool.canBeReferencedInPrompt).toBe(true);
    expect(tool.toolReferenceName).toMatch(/^[a-zA-Z]\w+$/);
    expect(tool.modelDescription.length).toBeGreaterThan(80);
    expect(tool.userDescription).not.toMatch(/^%/);
    for (const property of Object.values(tool.inputSchema.properties)) expect(property).toHaveProperty('description');
  }
});
