/** Allocations, pages, flame graph, policies and curves as a user meets them: core's own answers, a real browser. */
import { describe, expect, test } from 'vitest';
import { withPlacement } from '../../core/attribution/placement.js';
import type { Profile } from '../../core/model/profile.js';
import { placeObjects } from '../../core/placement/place-objects.js';
import type { Dashboard, OpenOptions } from './harness.js';
import { expectSound, file, pages, panel, profile, table, textOf } from './shownPage.js';

const open = pages();

async function dashboard(tab: string, options: Partial<OpenOptions> = {}): Promise<Dashboard> {
  const shown = await open(options);
  await shown.tab(tab);
  return shown;
}

/** The run placed by core itself. */
function placed(): Profile {
  const run = profile();
  return withPlacement(run, placeObjects(run, run.options));
}

const rows = (shown: Dashboard) => panel(shown).locator('.grid-body .grid-row');
const header = (shown: Dashboard, name: string) => panel(shown).getByRole('columnheader', { name, exact: true });
const field = (shown: Dashboard, label: string) => panel(shown).locator(`input[placeholder^="${label}"]`);

describe('allocations', () => {
  test('ten thousand rows are a few elements, and rows come as they are scrolled to', async () => {
    const shown = await dashboard('Placement', { profile: profile(10_000) });
    const grid = shown.page.getByRole('grid', { name: 'Allocations' });
    expect(await grid.getAttribute('aria-rowcount')).toBe('10002');
    expect(await grid.getByRole('row').count()).toBeLessThan(40);
    await grid.getByRole('gridcell').first().focus();
    await shown.page.keyboard.press('Control+End');
    // The least of all: small 0, read 100 times.
    await grid.getByText('small 0', { exact: true }).waitFor();
    const focused = () =>
      shown.page.evaluate(() => document.activeElement?.parentElement?.getAttribute('aria-rowindex'));
    await expect.poll(focused).toBe('10002');
    expect(await grid.getByRole('row').count()).toBeLessThan(40);
  });

  test('a column sorts by key in core, and a filter says how many of all it leaves', async () => {
    const shown = await dashboard('Placement');
    const grid = shown.page.getByRole('grid', { name: 'Allocations' });
    const first = () => rows(shown).first().innerText();
    expect(await first()).toContain('malloc in fill');
    await grid.getByRole('gridcell').first().focus();
    await shown.page.keyboard.press('ArrowUp');
    await shown.page.keyboard.press('Enter');
    const name = header(shown, 'Allocation');
    await expect.poll(() => name.getAttribute('aria-sort')).toBe('ascending');
    await shown.page.keyboard.press('Enter');
    await expect.poll(() => name.getAttribute('aria-sort')).toBe('descending');
    await expect.poll(first).toContain('small 2');
    await field(shown, 'Filter').fill('main FILL');
    await panel(shown).getByText('1 of 4 allocations').waitFor();
    await expect.poll(first).toContain('malloc in fill');
  });

  test('a column sorts also when another view points at something before its rows are there', async () => {
    const shown = await dashboard('Placement');
    const grid = shown.page.getByRole('grid', { name: 'Allocations' });
    shown.hold = true;
    await header(shown, 'Allocation').click();
    await shown.select({ focus: { kind: 'object', object: 1 } });
    await expect.poll(() => shown.queries.length).toBeGreaterThanOrEqual(3);
    shown.hold = false;
    await expect.poll(() => header(shown, 'Allocation').getAttribute('aria-sort')).toBe('ascending');
    await expect.poll(() => grid.getByRole('row').nth(1).innerText()).toContain('malloc in fill');
  });

  test('a row that is chosen shows its whole stack and its users, at 300 px too, and every view is told', async () => {
    const shown = await dashboard('Placement', { width: 300 });
    const grid = shown.page.getByRole('grid', { name: 'Allocations' });
    expect(await grid.getByRole('columnheader').count()).toBeLessThan(5);
    await grid.getByRole('gridcell').first().focus();
    await panel(shown).getByText('60,000 reads, 20,000 writes').waitFor();
    const text = await textOf(shown);
    expect(text).toContain('main prog.c:30');
    expect(text).toContain('> 99 % of 80 k accesses in the whole run');
    expect(text).toMatch(/prog\.c:4 sum\s+60 k reads, 0 writes, 4\.0 k cache lines/);
    expect(shown.selection.focus).toEqual({ kind: 'object', object: 0 });
    await shown.page.keyboard.press('Enter');
    await expect.poll(() => shown.sent.at(-1)).toEqual({ kind: 'reveal', location: { file, line: 8 } });
  });

  test('an allocation chosen elsewhere is scrolled to', async () => {
    const shown = await dashboard('Placement', { profile: profile(1000) });
    // Row 0 is the table; small 999 has most of the others' accesses: small 400 is at place 1 + (999 - 400) = 600.
    const object = 600;
    await shown.select({ focus: { kind: 'object', object } });
    const chosen = panel(shown).locator('.grid-row[aria-selected=true]');
    await expect.poll(() => chosen.getAttribute('aria-rowindex')).toBe('602');
    await expect.poll(() => chosen.innerText()).toContain('small 400');
    expect(await chosen.isVisible()).toBe(true);
  });

  test('columns are chosen in a menu by keys, and are there again after a reload', async () => {
    const shown = await dashboard('Placement');
    expect(await header(shown, 'Write share').count()).toBe(0);
    await panel(shown).getByRole('button', { name: 'Columns' }).click();
    const choice = panel(shown).getByRole('menuitemcheckbox', { name: 'Write share' });
    expect(await choice.getAttribute('aria-checked')).toBe('false');
    await choice.focus();
    await shown.page.keyboard.press('Enter');
    expect(await choice.getAttribute('aria-checked')).toBe('true');
    // The menu stays open for the next, with the focus where it was.
    expect(await choice.evaluate(item => item === document.activeElement)).toBe(true);
    await shown.page.keyboard.press('Escape');
    await header(shown, 'Write share').waitFor();
    // 20,000 of 80,000.
    expect(await rows(shown).first().innerText()).toContain('25 %');
    const saved = await shown.savedState();
    await shown.page.close();
    const again = await dashboard('Placement', { saved });
    await header(again, 'Write share').waitFor();
  });

  test('selected rows and all rows are copied as tab-separated text with units', async () => {
    const shown = await dashboard('Placement', { profile: profile(250) });
    const copied = () =>
      shown.sent
        .findLast(message => message.kind === 'copy')
        ?.text.trimEnd()
        .split('\n');
    await panel(shown).getByRole('gridcell').first().focus();
    await shown.page.keyboard.press('Shift+ArrowDown');
    await shown.page.keyboard.press('Control+c');
    await expect.poll(() => copied()?.length).toBe(3);
    const [head, first, second] = copied()!.map(line => line.split('\t'));
    const column = head!.indexOf('Accesses (accesses in the whole run)');
    expect([first![0], first![column]]).toEqual([table, '80000']);
    expect([second![0], second![column]]).toEqual(['small 249', '349']);
    await panel(shown).getByRole('button', { name: 'Copy' }).click();
    await panel(shown).getByRole('menuitem', { name: 'Copy all rows' }).click();
    // The table, 250 small ones, and the header.
    await expect.poll(() => copied()?.length).toBe(252);
    expect(copied()!.at(-1)).toContain('small 0');
  });

  test('another policy is chosen for every view', async () => {
    const shown = await dashboard('Policies');
    await panel(shown)
      .getByRole('button', { name: /^select first-touch/ })
      .click();
    await expect.poll(() => shown.selection.policy).toBe('first-touch');
    await shown.tab('Placement');
    // The profile's first-touch puts everything into DRAM, and costs 1.7.
    expect(await textOf(shown)).toContain('1.70 × modelled run time');
    expect(await rows(shown).first().innerText()).toContain('DRAM');
  });
});

describe('what if', () => {
  const slider = (shown: Dashboard, name: string) => panel(shown).getByRole('slider', { name, exact: true });

  test('a capacity is moved by keys: core places anew, and all is taken back with a button', async () => {
    const shown = await dashboard('Placement', { profile: placed() });
    const capacity = slider(shown, 'Capacity of DRAM');
    // 40 % of 23 pages of 4 KiB, as the set of tiers has it. DRAM is its fastest tier for a run that waits for latency.
    expect(await capacity.getAttribute('aria-valuetext')).toBe('36.8 KiB: 40 % of what is touched');
    await capacity.focus();
    await shown.page.keyboard.press('End');
    const all = 23 * 4096;
    await expect.poll(() => shown.selection.tierChanges).toEqual([{ tier: 'dram', capacityBytes: all }]);
    await expect.poll(() => capacity.getAttribute('aria-valuetext')).toBe('92 KiB: 100 % of what is touched');
    // The great allocation fits now; what has no traffic stays where it takes nobody's place.
    await panel(shown).getByText('80 KiB of 92 KiB used (87 %)').waitFor();
    expect(await textOf(shown)).toContain('What if: DRAM is taken to have 92 KiB, and to take 111 ns for a load');
    expect(await capacity.evaluate(input => input === document.activeElement)).toBe(true);
    await panel(shown).getByRole('button', { name: 'As they are' }).click();
    await expect.poll(() => capacity.getAttribute('aria-valuetext')).toBe('36.8 KiB: 40 % of what is touched');
    expect(shown.selection.tierChanges).toEqual([]);
  });

  test('a latency is moved by keys, in sixteenths of a doubling, and the strip says so', async () => {
    const shown = await dashboard('Placement', { profile: placed(), width: 300 });
    const latency = slider(shown, 'Latency of CXL');
    await latency.focus();
    for (let i = 0; i < 16; i++) await shown.page.keyboard.press('ArrowRight');
    await expect.poll(() => latency.getAttribute('aria-valuetext')).toBe('428 ns a load: 2 times its own');
    expect(shown.selection.tierChanges).toEqual([{ tier: 'cxl', latencyFactor: 2 }]);
    await shown.page.getByRole('button', { name: 'Place in the tiers as they are' }).click();
    await expect.poll(() => latency.getAttribute('aria-valuetext')).toBe('214 ns a load');
  });
});

describe('flame graph', () => {
  const chart = (shown: Dashboard) => shown.page.getByLabel('Frames by weight');
  const readout = async (shown: Dashboard) =>
    (await panel(shown).locator('.flame-readout').innerText()).replaceAll('\u00a0', ' ');

  test('keys move from frame to frame, zoom in and out, and go to the source', async () => {
    const shown = await dashboard('Flame graph');
    await chart(shown).focus();
    await shown.page.keyboard.press('ArrowDown');
    // 60,000 of 80,303 = 74.7 %.
    expect(await readout(shown)).toMatch(/^sum\n75 % of 80 k accesses \(60 k accesses\) · 100 % read, 0 % write/);
    await shown.page.keyboard.press('ArrowDown');
    expect(await readout(shown)).toMatch(/^prog\.c:4\n/);
    await shown.page.keyboard.press('Control+Enter');
    await expect.poll(() => shown.sent.at(-1)).toEqual({ kind: 'reveal', location: { file, line: 4 } });
    await shown.page.keyboard.press('Enter');
    const path = panel(shown).getByRole('navigation', { name: 'Zoomed to' });
    await expect.poll(async () => (await path.isVisible()) && path.innerText()).toBe('whole program › sum › prog.c:4');
    await shown.page.keyboard.press('Backspace');
    await expect.poll(() => path.innerText()).toBe('whole program › sum');
  });

  test('a search says how many frames it found and what they have, none counted twice', async () => {
    const shown = await dashboard('Flame graph');
    await field(shown, 'Search frames').fill('prog.c');
    // Three lines of small ones, two of the table, and below each of these two the allocation "malloc in fill (prog.c:8)":
    // all accesses, once.
    await panel(shown).getByText('7 frames found, with 100 % of the accesses').waitFor();
  });

  test('as a table it has every frame in the order of the picture', async () => {
    const shown = await dashboard('Flame graph');
    await panel(shown).getByRole('button', { name: 'Show as table' }).click();
    await rows(shown).nth(3).waitFor();
    const names = await rows(shown).locator(':scope > :first-child').allInnerTexts();
    const plain = names.map(name => name.replace(/level \d+:\s*/, '').trim());
    expect(plain.slice(0, 7)).toEqual(['whole program', 'sum', 'prog.c:4', table, 'fill', 'prog.c:9', table]);
  });
});

describe('pages', () => {
  test('a page is chosen in the table, told to every view, and shown with all that is known of it', async () => {
    const shown = await dashboard('Pages');
    const grid = shown.page.getByRole('grid', { name: 'Pages' });
    expect(await grid.getAttribute('aria-rowcount')).toBe('24');
    await grid.getByRole('gridcell').first().focus();
    // 60,000 and 20,000 evenly over 20 pages. Pages 0 to 2 are the small ones.
    await panel(shown).getByText('4,000 (75 % read, 25 % write), rank 1 of 23 pages; exact, whole run').waitFor();
    expect(shown.selection.focus).toEqual({ kind: 'page', page: 3 });
    const text = await textOf(shown);
    expect(text).toContain('32 of 64 (50 %), whole run');
    expect(text).toMatch(/prog\.c:4 sum\s+60 k\s+0\s+4\.0 k/);
    expect(text).toMatch(/static-optimal\s+recommended, selected\s+HBM/);
    const history = shown.page.getByRole('slider', { name: 'Accesses to the page over time' });
    await history.focus();
    // 3,000 and 1,000 over 40 epochs of 1 ms.
    expect(await history.getAttribute('aria-valuetext')).toContain('epoch 0, until 1.0 ms: 75 reads, 25 writes');
  });

  test('an address leads to its page, one in between to the nearest, and nonsense says so', async () => {
    const shown = await dashboard('Pages');
    const address = field(shown, 'Address');
    await address.fill('0x7f001fff');
    await address.press('Enter');
    // The second page of the table: the fifth of all.
    await expect.poll(() => shown.selection.focus).toEqual({ kind: 'page', page: 4 });
    await address.fill('7f0ffffff');
    await address.press('Enter');
    await panel(shown).getByText('lies in no touched page; the nearest one is shown').waitFor();
    await address.fill('somewhere');
    await address.press('Enter');
    await panel(shown).getByText('somewhere: no address; write it in hexadecimal').waitFor();
  });
});

describe('working set', () => {
  test('the cursor tells each epoch, and the tables tell all', async () => {
    const shown = await dashboard('Working set');
    const chart = shown.page.getByRole('slider', { name: 'Distinct pages per epoch' });
    await chart.focus();
    await shown.page.keyboard.press('End');
    // Epoch i of 40 touches i + 1 pages and reads i of them, in 1 ms.
    expect(await chart.getAttribute('aria-valuetext')).toBe(
      'epoch 39, until 40 ms: 40 pages touched (160 KiB), 39 read, 1 written',
    );
    const misses = shown.page.getByRole('slider', { name: 'Miss ratio by size of memory' });
    await misses.focus();
    await shown.page.keyboard.press('ArrowRight');
    expect(await misses.getAttribute('aria-valuetext')).toBe('2 pages (8 KiB): 25 % of accesses miss');
    await shown.page.getByText('Epochs as a table').click();
    const grid = shown.page.getByRole('grid', { name: 'Epochs' });
    expect(await grid.getAttribute('aria-rowcount')).toBe('41');
    await grid.getByText('epoch 0, until 1.0 ms').waitFor();
  });

  test('a drag over the epochs, or Shift with arrows, chooses the window for every view; Escape ends it', async () => {
    const shown = await dashboard('Working set');
    const chart = shown.page.getByRole('slider', { name: 'Distinct pages per epoch' });
    const box = (await chart.boundingBox())!;
    const right = box.x + box.width - 10;
    await shown.page.mouse.move(right, box.y + 80);
    await shown.page.mouse.down();
    await shown.page.mouse.move(right - 20, box.y + 80);
    await shown.page.mouse.up();
    await expect.poll(() => shown.selection.window).toEqual([39, 40]);
    await panel(shown).getByText('Window: epoch 39 (shaded)').waitFor();
    await chart.focus();
    await shown.page.keyboard.press('Escape');
    await expect.poll(() => shown.selection.window).toBeNull();
    await shown.page.keyboard.press('Home');
    await shown.page.keyboard.press('Shift+ArrowRight');
    await shown.page.keyboard.press('Shift+ArrowRight');
    await expect.poll(() => shown.selection.window).toEqual([0, 3]);
  });
});

describe('pictures', () => {
  test.each(['Working set', 'Flame graph', 'Policies', 'Heatmap'])(
    'of %s are saved as SVG with real text and as PNG, in the theme or on white',
    async tab => {
      const shown = await dashboard(tab);
      const saved = async (item: RegExp, count: number) => {
        await panel(shown).getByRole('button', { name: 'Save picture…' }).click();
        await panel(shown).getByRole('menuitem', { name: item }).click();
        const pictures = () => shown.sent.filter(message => message.kind === 'savePicture');
        await expect.poll(() => pictures().length).toBe(count);
        return pictures().at(-1)!;
      };
      const dark = await saved(/theme/, 1);
      const white = await saved(/white/, 2);
      expect(dark.svg).not.toBe(white.svg);
      for (const { svg, pngBase64 } of [dark, white]) {
        const parsed = await shown.page.evaluate(text => {
          const picture = new DOMParser().parseFromString(text, 'image/svg+xml');
          return {
            error: picture.querySelector('parsererror')?.textContent ?? null,
            texts: picture.querySelectorAll('text').length,
            ground: picture.querySelector('rect')?.getAttribute('fill') ?? null,
            scripts: picture.querySelectorAll('script, foreignObject, [style], [class]').length,
            // No colour was left for another program to resolve.
            unresolved: /var\(|NaN/.test(text),
          };
        }, svg);
        expect(parsed).toMatchObject({ error: null, scripts: 0, unresolved: false });
        expect(parsed.texts).toBeGreaterThan(3);
        expect(parsed.ground).toBe(svg === white.svg ? '#ffffff' : '#1f1f1f');
        const png = Buffer.from(pngBase64, 'base64');
        // The signature, and twice the width of the SVG in the header chunk.
        expect(png.subarray(1, 4).toString()).toBe('PNG');
        const [, width] = /<svg[^>]* width="(\d+)"/.exec(svg)!;
        expect(png.readUInt32BE(16)).toBe(2 * Number(width));
      }
    },
  );
});

describe('everybody can use them', () => {
  const looks = [
    ['dark', 300],
    ['light', 1100],
    ['highContrast', 300],
  ] as const;
  test.each(looks)(
    'in %s at %i px: details, tables, menus and charts have no serious finding of axe, nor scroll sideways',
    async (theme, width) => {
      const shown = await dashboard('Placement', { theme, width });
      await panel(shown).getByRole('gridcell').first().click();
      await panel(shown).getByText('Allocated by').waitFor();
      await expectSound(shown, 'allocation');
      await panel(shown).getByRole('button', { name: 'Columns' }).click();
      await expectSound(shown, 'columns');
      await shown.page.keyboard.press('Escape');
      await shown.tab('Pages');
      await panel(shown).getByRole('gridcell').nth(1).click();
      await panel(shown).getByText('Who uses it').waitFor();
      await expectSound(shown, 'page');
      await shown.tab('Flame graph');
      await expectSound(shown, 'flame graph');
      await panel(shown).getByRole('button', { name: 'Show as table' }).click();
      await rows(shown).first().waitFor();
      await expectSound(shown, 'flame table');
      await shown.tab('Working set');
      await shown.select({ window: [3, 9] });
      await panel(shown).getByText('Window: epochs 3 to 8').waitFor();
      await expectSound(shown, 'working set');
    },
  );
});
