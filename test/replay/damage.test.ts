/** A trace that is damaged in the middle: what precedes the damage is shown, and it is told once. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { replayOptions } from '../../core/options.js';
import { replay } from '../../core/replay.js';

const trace = path.resolve(__dirname, '../../core/sample/raytracer.pltrace');

test('a flipped byte in a block of accesses is one warning, and the run is incomplete', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pagelens-damage-'));
  try {
    const bytes = await readFile(trace);
    bytes[Math.floor(bytes.length * 0.6)] ^= 1;
    const file = path.join(folder, 'flipped.pltrace');
    await writeFile(file, bytes);
    const whole = await replay(trace, replayOptions({}));
    const cut = await replay(file, replayOptions({}));
    expect(cut.program.complete).toBe(false);
    expect(cut.totals.reads).toBeGreaterThan(0);
    expect(cut.totals.reads).toBeLessThan(whole.totals.reads);
    expect(cut.warnings.filter(warning => /damaged|cannot be decoded|what precedes/.test(warning))).toHaveLength(1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
