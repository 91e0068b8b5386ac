/** Trees as numaperf.rst of the kernel's documentation describes them; figures converted by hand. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostTiers } from '../../core/placement/hostTiers.js';
import { tiersFromJson } from '../../core/placement/tiers.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pagelens-nodes-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Figures = readonly [
  access: string,
  readLatency: number,
  writeLatency: number,
  readBandwidth: number,
  writeBandwidth: number,
];

function tree(name: string, nodes: readonly { readonly kB: number; readonly figures?: readonly Figures[] }[]): string {
  const folder = path.join(root, name);
  for (const [number, { kB, figures = [] }] of nodes.entries()) {
    const node = path.join(folder, `node${number}`);
    mkdirSync(node, { recursive: true });
    writeFileSync(
      path.join(node, 'meminfo'),
      `\nNode ${number} MemTotal:       ${kB} kB\nNode ${number} MemFree: 1 kB\n`,
    );
    for (const [access, ...values] of figures) {
      const initiators = path.join(node, access, 'initiators');
      mkdirSync(initiators, { recursive: true });
      for (const [i, file] of ['read_latency', 'write_latency', 'read_bandwidth', 'write_bandwidth'].entries())
        writeFileSync(path.join(initiators, file), `${values[i]}\n`);
    }
  }
  writeFileSync(path.join(folder, 'online'), '0\n');
  return folder;
}

test('nodes become tiers, the least latency first; processors are believed before other initiators', () => {
  const folder = tree('two', [
    {
      kB: 16_777_216,
      figures: [
        ['access0', 300, 310, 1000, 1000],
        ['access1', 250, 260, 30_517.578125, 20_000],
      ],
    },
    { kB: 0 },
    { kB: 8_388_608, figures: [['access0', 100, 110, 200_000, 190_000]] },
  ]);
  const text = hostTiers(folder);
  expect(JSON.parse(text).tiers).toEqual([
    // 8,388,608 KiB; 200,000 MiB/s are 209.7152 GB/s, 190,000 are 199.22944.
    {
      id: 'node2',
      name: 'node 2',
      capacity: 8_589_934_592,
      readLatencyNs: 100,
      writeLatencyNs: 110,
      readBandwidthGBps: 209.7,
      writeBandwidthGBps: 199.2,
    },
    // 30,517.578125 MiB/s are 32 GB/s, 20,000 are 20.97152.
    {
      id: 'node0',
      name: 'node 0',
      readLatencyNs: 250,
      writeLatencyNs: 260,
      readBandwidthGBps: 32,
      writeBandwidthGBps: 21,
    },
  ]);
  expect(tiersFromJson(text, 'host.json').tiers).toHaveLength(2);
});

test('a machine with one node has no tiers; one without HMAT does not say what they are like', () => {
  expect(() => hostTiers(tree('one', [{ kB: 1000 }]))).toThrow('one memory node');
  expect(() => hostTiers(tree('silent', [{ kB: 1000 }, { kB: 1000 }]))).toThrow(
    'node 0 does not state its read latency',
  );
  expect(() => hostTiers(path.join(root, 'nothing'))).toThrow('cannot be read');
});
