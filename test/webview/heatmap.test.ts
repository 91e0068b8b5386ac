/** The heatmap as a user meets it: core's own answers behind it, a real browser before it. */
import type { Locator } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { TrackerResult } from '../../core/model/profile.js';
import { wire } from '../../core/server/views/view.js';
import { profileOf } from '../helpers/profile.js';
import type { Dashboard, OpenOptions } from './harness.js';
import { expectSound, file, pages, panel, profile, table } from './shownPage.js';

const open = pages();
const heatmap = (options: Partial<OpenOptions> = {}) => open({ saved: { view: 'heatmap' }, ...options });

const map = ({ page }: Dashboard) => page.getByLabel('Page accesses by address and time');
/** The part of the map that was asked for last. */
const lastPart = ({ queries }: Dashboard) => queries.findLast(query => query.options?.part === 'axes')?.range;

/** The middle of a part of the plot: shares of its width and height, from the left and the top. */
async function at(shown: Dashboard, x: number, y: number) {
  const box = (await map(shown).boundingBox())!;
  // The plot begins 104 px from the left and ends 176 px from the right, 6 px from the top and 50 px from the bottom.
  return { x: box.x + 104 + x * (box.width - 280), y: box.y + 6 + y * (box.height - 56) };
}

async function colorsIn(chart: Locator): Promise<Map<string, number>> {
  const found = await chart
    .locator('canvas')
    .first()
    .evaluate((canvas: HTMLCanvasElement) => {
      // A copy that is made to be read: reading the chart's own again and again would make it a slow one.
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true })!;
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(110, 10, canvas.width - 300, canvas.height - 70);
      const seen: Record<string, number> = {};
      for (let i = 0; i < data.length; i += 4) {
        const key = `${data[i]},${data[i + 1]},${data[i + 2]}`;
        seen[key] = (seen[key] ?? 0) + 1;
      }
      return seen;
    });
  return new Map(Object.entries(found));
}

describe('reading', () => {
  test('each bin is told with its counts: those of one page and one epoch where there is room', async () => {
    const shown = await heatmap();
    await map(shown).focus();
    const words = await panel(shown).locator('.readout').innerText();
    expect(words).toContain('malloc in fill (prog.c:8) · HBM');
    expect(words).toContain('75 reads, 25 writes');
    // Epochs are 1 ms each; the middle of 40 is epoch 20.
    expect(words).toContain('20 ms to 21 ms, epoch 20');
  });

  test('its pixels are those of the screen', async () => {
    const shown = await heatmap({ scale: 2 });
    const canvas = map(shown).locator('canvas').first();
    const [pixels, css] = await canvas.evaluate((node: HTMLCanvasElement) => [node.width, node.clientWidth]);
    expect(pixels).toBe(2 * css!);
  });

  test('the scale has numbers, their unit and its kind, and a percentile scale says how many bins have less', async () => {
    const shown = await heatmap();
    const legend = panel(shown).locator('.heat-legend');
    // Of `table` 100 a page and epoch, of the globals 100 in 40 epochs: 2.5.
    await expect
      .poll(() => legend.innerText())
      .toContain('accesses per page and epoch, mean of each bin of 1 page of 4 KiB × 1 epoch, logarithmic');
    await choose(shown, 'Scale', 'Percentile');
    await expect.poll(() => legend.innerText()).toContain('by percentile of the bins in sight');
    await choose(shown, 'Colour by', 'Writes');
    await expect.poll(() => legend.innerText()).toContain('writes per page and epoch');
    expect(await shown.savedState()).toMatchObject({ heatmap: { color: 'writes', scale: 'percentile' } });
  });

  test('tiers have a name beside colour and pattern', async () => {
    const shown = await heatmap();
    await choose(shown, 'Colour by', 'Tier');
    const keys = panel(shown).locator('.heat-keys li');
    await expect.poll(() => keys.allInnerTexts()).toEqual(['HBM', 'DRAM', 'CXL', 'in several tiers']);
    // #56b4e9 is the first tier's colour; its bins all hold the most, so they are opaque.
    await expect.poll(async () => (await colorsIn(map(shown))).get('86,180,233') ?? 0).toBeGreaterThan(10_000);
  });

  test('the same counts are there as a table that adds up to the run', async () => {
    const shown = await heatmap();
    await panel(shown).getByRole('button', { name: 'Show as table' }).click();
    const cells = panel(shown).getByRole('gridcell');
    await cells.first().waitFor();
    // 23 rows and a header.
    expect(await panel(shown).getByRole('grid').getAttribute('aria-rowcount')).toBe('24');
    await panel(shown)
      .getByRole('grid')
      .evaluate(grid => {
        (grid as HTMLElement).style.setProperty('height', '2000px');
      });
    await expect.poll(() => panel(shown).locator('.grid-body .grid-row').count()).toBe(23);
    const titles = await panel(shown)
      .locator('.grid-body .numeric')
      .evaluateAll(nodes => nodes.map(node => (node as HTMLElement).title));
    const counts = titles.map(title => Number(title.replaceAll(',', '').split(' ')[0]));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(80_303);
  });
});

/** Chooses in one of the toolkit's drop-downs, by keys as a user without a mouse does. */
async function choose(shown: Dashboard, label: string, option: string): Promise<void> {
  const list = panel(shown).locator(`vscode-dropdown[aria-label="${label}"]`);
  await list.click();
  await list.locator('vscode-option', { hasText: option }).click();
}

describe('moving', () => {
  test('keys zoom, pan, move and open; core is asked for what is in sight', async () => {
    const shown = await heatmap();
    await map(shown).focus();
    await shown.page.keyboard.press('+');
    await expect.poll(() => lastPart(shown)?.x).toBeDefined();
    const [from, to] = lastPart(shown)!.x!;
    // A key zooms by 1.5 about the cursor in the middle.
    expect(to - from).toBeCloseTo(40 / 1.5, 6);
    expect((from + to) / 2).toBeCloseTo(20, 6);
    await shown.page.keyboard.press('Shift+ArrowRight');
    await expect.poll(() => lastPart(shown)?.x?.[0]).toBeCloseTo(from + (to - from) / 4, 6);
    await shown.page.keyboard.press('0');
    await expect.poll(() => lastPart(shown)?.x).toEqual([0, 40]);
    await shown.page.keyboard.press('ArrowUp');
    const live = shown.page.locator('[aria-live=polite]').first();
    await expect.poll(() => live.textContent()).toContain('75 reads, 25 writes');
    await shown.page.keyboard.press('Enter');
    await expect
      .poll(() => shown.sent.filter(message => message.kind === 'reveal'))
      .toEqual([{ kind: 'reveal', location: { file, line: 8 } }]);
  });

  test('a drag selects its part, the wheel zooms about the pointer, and steps can be taken back', async () => {
    const shown = await heatmap();
    const [start, end] = [await at(shown, 0.25, 0.5), await at(shown, 0.75, 0.5)];
    await shown.page.mouse.move(start.x, start.y);
    await shown.page.mouse.down();
    await shown.page.mouse.move(end.x, end.y + 3, { steps: 4 });
    await shown.page.mouse.up();
    // Flat: time only, 10 to 30 of 40 epochs; the addresses stay whole.
    await expect.poll(() => lastPart(shown)?.x?.map(Math.round)).toEqual([10, 30]);
    expect(lastPart(shown)!.y).toEqual([0, 23]);
    const left = await at(shown, 0, 0.5);
    await shown.page.mouse.move(left.x, left.y);
    await shown.page.mouse.wheel(0, -200);
    const length = () => lastPart(shown)!.x![1] - lastPart(shown)!.x![0];
    await expect.poll(length).toBeCloseTo(20 * Math.exp(-0.4), 0);
    expect(lastPart(shown)!.x![0]).toBeCloseTo(10, 0);
    await panel(shown).getByRole('button', { name: 'Back to the part shown before' }).click();
    await expect.poll(() => lastPart(shown)?.x?.map(Math.round)).toEqual([10, 30]);
    await map(shown).focus();
    await shown.page.keyboard.press('Backspace');
    await expect.poll(() => lastPart(shown)?.x).toEqual([0, 40]);
  });

  test('a brush over both axes zooms both', async () => {
    const shown = await heatmap();
    const [start, end] = [await at(shown, 0.5, 0), await at(shown, 1, 0.5)];
    await shown.page.mouse.move(start.x, start.y + 1);
    await shown.page.mouse.down();
    await shown.page.mouse.move(end.x - 1, end.y, { steps: 4 });
    await shown.page.mouse.up();
    await expect.poll(() => lastPart(shown)?.x?.map(Math.round)).toEqual([20, 40]);
    // The upper half of 23 rows.
    expect(lastPart(shown)!.y!.map(Math.round)).toEqual([12, 23]);
  });

  test('bins at hand are drawn while sharper ones are on their way', async () => {
    const shown = await heatmap();
    shown.hold = true;
    await map(shown).focus();
    for (let i = 0; i < 6; i++) await shown.page.keyboard.press('+');
    const words = await panel(shown).locator('.readout').innerText();
    expect(words).toContain('75 reads, 25 writes');
    // In the middle lies `table` alone, every bin of it with the most: #fde79a throughout, but for the crosshair's canvas.
    expect((await colorsIn(map(shown))).get('253,231,154') ?? 0).toBeGreaterThan(100_000);
    shown.hold = false;
  });
});

describe('links', () => {
  test('a click points at what lies there and goes to its source, and to none where none is known', async () => {
    const shown = await heatmap();
    // 23 rows: the three globals lie lowest, the allocation above them.
    const table = await at(shown, 0.5, 0.3);
    await shown.page.mouse.click(table.x, table.y);
    await expect.poll(() => shown.sent.at(-1)).toEqual({ kind: 'reveal', location: { file, line: 8 } });
    // One page a row: row 23 - 0.3 * 23 = 16.
    await expect.poll(() => shown.selection.focus).toEqual({ kind: 'page', page: 16 });
    // Told below the map, which makes the map's place a new one.
    await panel(shown).getByText('Pointed at: ').waitFor();
    const before = shown.sent.length;
    const small = await at(shown, 0.5, 0.99);
    await shown.page.mouse.click(small.x, small.y);
    await panel(shown).getByText('no source line is known').waitFor();
    await expect.poll(() => shown.selection.focus).toEqual({ kind: 'page', page: 0 });
    expect(shown.sent).toHaveLength(before);
  });

  test('what another view points at is outlined, named, and can be zoomed to', async () => {
    const shown = await heatmap();
    const object = profile().objects.name.indexOf('small 1');
    await shown.select({ focus: { kind: 'object', object } });
    await panel(shown).getByText('Pointed at: small 1.').waitFor();
    // The focus colour of the dark theme, #0078d4.
    await expect.poll(async () => (await colorsIn(map(shown))).get('0,120,212') ?? 0).toBeGreaterThan(500);
    await panel(shown).getByRole('button', { name: 'Zoom to it' }).click();
    // Row 1 of 23, at least 4 rows in sight.
    await expect.poll(() => lastPart(shown)?.y).toEqual([1, 5]);
    await panel(shown).getByRole('button', { name: 'Point at nothing' }).click();
    await expect.poll(() => shown.selection.focus).toBeNull();
  });

  test('the visible time becomes every view’s window, and another view’s window is shown', async () => {
    const shown = await heatmap();
    await map(shown).focus();
    await shown.page.keyboard.press('+');
    await panel(shown).getByRole('button', { name: 'Use this window everywhere' }).click();
    // 40 / 1.5 epochs about the middle: 6.67 to 33.33, in whole epochs.
    await expect.poll(() => shown.selection.window).toEqual([6, 34]);
    await panel(shown).getByRole('button', { name: 'Use this window everywhere' }).waitFor({ state: 'detached' });
    await shown.select({ window: [10, 20] });
    await panel(shown).getByRole('button', { name: 'Zoom to the window, epochs 10–19' }).click();
    await expect.poll(() => lastPart(shown)?.x).toEqual([10, 20]);
  });
});

test('a tracker’s hits and misses stand beside the map, with their signs in the legend', async () => {
  const base = profile();
  const tracker: TrackerResult = {
    ...{ id: 'pml', pagesReported: 23, precision: 1, recall: 1, f1: 1, rankCorrelation: 1, workingSetError: 0 },
    ...{ vmExits: 0, overheadPercent: 0, periods: 1, own: {}, warnings: [], pageWrites: null },
    // 23 accessed pages, k = 3: the truth's are rows 3, 4 and 5, the tracker's 4, 5 and 0.
    pageReads: Float64Array.from({ length: 23 }, (_, row) => (row === 4 || row === 5 || row === 0 ? 9 : 1)),
  };
  const shown = await heatmap({ profile: { ...base, trackers: [tracker] } });
  await shown.select({ tracker: 'pml' });
  const keys = panel(shown).locator('.heat-keys li');
  await expect
    .poll(() => keys.allInnerTexts())
    .toEqual([
      '●\nPML: found',
      '○\nPML: missed; rising lines on the map where most are',
      '×\nPML: falsely reported; falling lines',
    ]);
  expect(await panel(shown).locator('.heat-legend').innerText()).toContain(
    'PML found 2 of the 3 hottest pages of the whole run (the top 10 %), missed 1, reported 1 falsely.',
  );
});

test('the run before has a map of its own beside this one', async () => {
  const shown = await heatmap();
  const runs = panel(shown).locator('vscode-dropdown[aria-label="Run"]');
  expect(await runs.isVisible()).toBe(false);
  const { lines, ...spec } = { lines: [{ line: 4, function: 'sum', object: 'table', reads: 5_120 }], epochs: 8 };
  const object = { name: 'table', line: 8, page: 0x7f000, pages: 2 };
  await shown.compare(profileOf({ ...spec, file, sha256: '00', functions: { sum: 2 }, lines, objects: [object] }));
  await choose(shown, 'Run', 'Run before');
  await expect.poll(() => panel(shown).locator('.heat-legend').innerText()).toContain('The run before, exact counts.');
  await map(shown).focus();
  // 5,120 reads over 2 pages and 8 epochs.
  expect(await panel(shown).locator('.readout').innerText()).toContain('320 reads, 0 writes');
});

describe('the difference', () => {
  /** `table` is read 30,000 times in 20 epochs over 10 pages: 150 a page and epoch; it was not written. */
  const before = () =>
    profileOf({
      ...{ file, sha256: '00', functions: { sum: 2, fill: 7, visit: 12 }, epochs: 20 },
      lines: [
        { line: 4, function: 'sum', object: table, reads: 30_000 },
        { line: 20, function: 'visit', object: 'small 0', reads: 400 },
        { line: 21, function: 'visit', object: 'gone', reads: 600 },
      ],
      objects: [
        { name: table, line: 8, page: 0x6f000, pages: 10, stack: ['fill prog.c:8', 'main prog.c:30'] },
        { name: 'small 0', kind: 'global', page: 0x404, pages: 1 },
        { name: 'gone', page: 0x9f000, pages: 1 },
      ],
    });
  const difference = async () => {
    const shown = await heatmap();
    await shown.compare(before());
    await choose(shown, 'Run', 'Difference');
    await panel(shown)
      .getByText(/^Shown: |Shown: /)
      .first()
      .waitFor();
    return shown;
  };
  const chart = ({ page }: Dashboard) => page.getByLabel('Difference of two runs by allocation and progress').first();
  const readout = (shown: Dashboard) => panel(shown).locator('.readout:visible').innerText();

  test('lays allocations of both runs over each other, and says what its numbers are of', async () => {
    const shown = await difference();
    const words = await panel(shown).locator('.heat-legend:visible').innerText();
    expect(words).toContain('accesses per page and column, this run minus the run before');
    expect(words).toContain('A column is one of 20 equal parts of either run');
    // 80,000 + 100 of 80,303 accesses; 30,000 + 400 of 31,000.
    expect(words).toContain('Shown: 99.7 % of this run’s accesses and 98 % of those of the run before.');
    await chart(shown).focus();
    // Two epochs of 75 reads and 25 writes, after one of 150 reads.
    expect(await readout(shown)).toContain('accesses per page: 50 more, 200 after 150');
    expect(await readout(shown)).toContain('0 % to 5.0 % of either run');
    expect(await readout(shown)).toContain('pages 1–2 of 20, in the run before 1 of 10');
    await shown.page.keyboard.press('End');
    expect(await readout(shown)).toContain('95 % to 100 % of either run');
    // Ten rows further down the global: twice 2 reads of the 100, of which the first 20 epochs have 3 each, after 20.
    for (let i = 0; i < 10; i++) await shown.page.keyboard.press('ArrowDown');
    expect(await readout(shown)).toMatch(/^small 0 · accesses per page: 16 less, 4 after 20/);
    await choose(shown, 'Colour by', 'Reads');
    await chart(shown).focus();
    expect(await readout(shown)).toContain('reads per page: 150 in both runs');
  });

  test('shows parts closer, by keys and buttons, and goes back', async () => {
    // Each of 64 pages is read 10 times in each of 64 epochs, before 5 times.
    const runs = (reads: number) =>
      profileOf({
        ...{ file, sha256: '00', functions: { sum: 2 }, epochs: 64 },
        lines: [{ line: 4, function: 'sum', object: table, reads }],
        objects: [{ name: table, line: 8, page: 0x6f000, pages: 64, stack: ['fill prog.c:8', 'main prog.c:30'] }],
      });
    const shown = await heatmap({ profile: runs(64 * 64 * 10) });
    await shown.compare(runs(64 * 64 * 5));
    await choose(shown, 'Run', 'Difference');
    await chart(shown).focus();
    await expect.poll(() => readout(shown)).toContain('pages 1–4 of 64');
    for (let i = 0; i < 5; i++) await shown.page.keyboard.press('ArrowDown');
    expect(await readout(shown)).toContain('pages 21–24 of 64');
    // Twice closer about the cursor: of its four pages the third.
    await shown.page.keyboard.press('+');
    await expect.poll(() => readout(shown)).toContain('pages 23–24 of 64');
    await panel(shown).getByRole('button', { name: 'Zoom in' }).click();
    await chart(shown).focus();
    await expect.poll(() => readout(shown)).toContain('of 64, in the run before');
    await expect.poll(() => shown.queries.at(-1)?.options).toMatchObject({ part: 'difference', zoom: 2 });
    await expect.poll(() => readout(shown)).toMatch(/pages \d+ of 64/);
    expect(await readout(shown)).toContain('accesses per page: 5 more, 10 after 5');
    // A page a row and an epoch a column: there is nothing finer, and it is said.
    await shown.page.keyboard.press('+');
    await expect
      .poll(() => shown.page.locator('[aria-live=polite]').first().innerText())
      .toContain('nothing finer to see');
    // A click on an allocation, which every view is told of, leaves the part as it is.
    await shown.page.keyboard.press(' ');
    await expect.poll(() => shown.selection.focus?.kind).toBe('object');
    await shown.settled();
    expect(shown.queries.at(-1)?.options).toMatchObject({ part: 'difference', zoom: 2 });
    await shown.page.keyboard.press('Backspace');
    await expect.poll(() => shown.queries.at(-1)?.options).toMatchObject({ zoom: 1 });
    await shown.page.keyboard.press('0');
    await expect.poll(() => readout(shown)).toMatch(/pages \d+–\d+ of 64/);
    await expect.poll(() => shown.queries.at(-1)?.options).toMatchObject({ zoom: 0 });
    await chart(shown).hover({ position: { x: 300, y: 100 } });
    await shown.page.mouse.wheel(0, -100);
    await expect.poll(() => shown.queries.at(-1)?.options).toMatchObject({ zoom: 1 });
    await expectSound(shown, 'a part of the difference');
  });

  test('has a sign beside its colours, and goes to the source', async () => {
    const shown = await difference();
    // 50 more is the most that differs: charts.orange (#d18616).
    await expect.poll(async () => (await colorsIn(chart(shown))).get('209,134,22') ?? 0).toBeGreaterThan(10_000);
    // 14 or 16 less are two kinds of blue; the lines over them, which are not as straight as pixels, make more.
    const blue = [...(await colorsIn(chart(shown))).keys()].map(
      key => key.split(',').map(Number) as [number, number, number],
    );
    expect(blue.filter(([red, , blue]) => blue > red + 10).length).toBeGreaterThan(6);
    await chart(shown).click({ position: { x: 300, y: 20 } });
    await expect
      .poll(() => shown.sent.filter(message => message.kind === 'reveal'))
      .toEqual([{ kind: 'reveal', location: { file, line: 8 } }]);
    expect(shown.selection.focus).toEqual({ kind: 'object', object: 0 });
  });

  test('is also a table and a picture', async () => {
    const shown = await difference();
    await panel(shown).getByRole('button', { name: 'Save picture…' }).click();
    await shown.page.getByRole('menuitem', { name: 'Save picture on white…' }).click();
    const saved = () => shown.sent.find(message => message.kind === 'savePicture');
    await expect.poll(saved).toMatchObject({ name: 'heatmap-difference' });
    expect((saved() as { svg: string }).svg).toContain('>progress of either run, in accesses<');
    await panel(shown).getByRole('button', { name: 'Show as table' }).click();
    const rows = panel(shown).locator('.grid:visible .grid-body .grid-row');
    await expect.poll(() => rows.count()).toBe(2);
    // Eighths of 20 columns are 2 or 3 of them: 50 more a column; the global has 6 where it had 20.
    const cells = await rows.evaluateAll(found => found.map(row => [...row.children].map(cell => cell.textContent)));
    expect(cells[0]!.slice(1, 5)).toEqual(['20', '10', '+100', '+150']);
    expect(cells[1]!.slice(1, 5)).toEqual(['1', '1', '−28', '−42']);
    await expectSound(shown, 'table');
  });
});

test('saves a picture with its axes as text and its bins as an image', async () => {
  const shown = await heatmap();
  await panel(shown).getByRole('button', { name: 'Save picture…' }).click();
  await shown.page.getByRole('menuitem', { name: 'Save picture on white…' }).click();
  const saved = () => shown.sent.find(message => message.kind === 'savePicture');
  await expect.poll(saved).toMatchObject({ name: 'heatmap' });
  const { svg, pngBase64 } = saved() as { svg: string; pngBase64: string };
  expect(svg).toContain('>fill:8<');
  expect(svg).toContain('>modelled time; epochs of 2,008 accesses<');
  expect(svg).toMatch(/<image [^>]*href="data:image\/png;base64,/);
  expect(Buffer.from(pngBase64, 'base64').subarray(1, 4).toString()).toBe('PNG');
});

test('a recording that goes on is shown as it grows, and replaced by its profile', async () => {
  const shown = await heatmap({ profile: null });
  const heat = (columns: number) => ({
    ...{ columns, rows: 128, bytesPerRow: 65536, accessesPerColumn: 16384 },
    endNs: Array.from({ length: columns }, (_, i) => (i + 1) * 1e6),
    process: wire(new Uint32Array(128)),
    block: wire(Float64Array.from({ length: 128 }, (_, i) => 16 + i)),
    reads: wire(new Float32Array(128 * columns).fill(8)),
    writes: wire(new Float32Array(128 * columns)),
    accesses: columns * 16384,
    pages: 32,
  });
  await shown.post({ kind: 'liveHeat', heat: heat(3) });
  const legend = panel(shown).locator('.heat-legend');
  await expect.poll(() => legend.innerText()).toContain('recording: so far 49,152 accesses to 32 pages.');
  // The most that core sends.
  await shown.post({ kind: 'liveHeat', heat: heat(256) });
  await expect.poll(() => legend.innerText()).toContain('recording: so far 4,194,304 accesses');
  await map(shown).focus();
  expect(await panel(shown).locator('.readout').innerText()).toContain('8 reads, 0 writes');
  await shown.show(profile());
  await shown.post({ kind: 'progress', progress: null });
  await expect.poll(() => legend.innerText()).toContain('Whole run, exact counts.');
});
