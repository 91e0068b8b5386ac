/** The page as a user meets it: real views of core behind it, a real browser before it. */
import { describe, expect, test } from 'vitest';
import type { Profile } from '../../core/model/profile.js';
import { seenAs } from '../server/tracker.js';
import { expectSound, file, pages, panel, profile, textOf } from './shownPage.js';
import type { ThemeName } from './themes.js';

const tabs = ['Overview', 'Heatmap', 'Placement', 'Flame graph', 'Pages', 'Trackers', 'Policies', 'Working set'];
const dashboard = pages();

describe('the page', () => {
  test('without a profile it offers to make one, and asks core nothing', async () => {
    const shown = await dashboard({ profile: null });
    await shown.page.getByRole('button', { name: 'Profile page accesses' }).click();
    await shown.page.getByRole('button', { name: 'Open a profile or trace' }).click();
    await expect
      .poll(() => shown.sent.filter(message => message.kind === 'command'))
      .toEqual([
        { kind: 'command', command: 'pagelens.profile' },
        { kind: 'command', command: 'pagelens.open' },
      ]);
    expect(shown.queries).toEqual([]);
    await shown.show(profile());
    await panel(shown).getByText('Hottest lines').first().waitFor();
  });

  test('what core refuses is shown with the reason, and can be tried again', async () => {
    const shown = await dashboard();
    shown.refuse = 'the replay worker ended unexpectedly';
    await shown.tab('Policies');
    expect(await panel(shown).getByRole('alert').innerText()).toBe(
      'Policies could not be shown: the replay worker ended unexpectedly',
    );
    shown.refuse = null;
    await panel(shown).getByRole('button', { name: 'Try again' }).click();
    await panel(shown).getByText('static-optimal').waitFor();
  });

  test('tabs are moved through by keys, and the one in front is there again after a reload', async () => {
    const shown = await dashboard();
    await shown.page.getByRole('tab', { name: 'Overview' }).focus();
    await shown.page.keyboard.press('ArrowLeft');
    await shown.page.keyboard.press('ArrowLeft');
    const front = shown.page.getByRole('tab', { selected: true });
    expect(await front.getAttribute('title')).toBe('Policies');
    expect(await front.evaluate(tab => tab === document.activeElement)).toBe(true);
    const saved = await shown.savedState();
    await shown.page.close();
    const again = await dashboard({ saved });
    expect(await again.page.getByRole('tab', { selected: true }).getAttribute('title')).toBe('Policies');
  });

  test('in a narrow page the tab in front is wholly in sight, also when fonts come late and when it is made narrower', async () => {
    const shown = await dashboard({ width: 300, saved: { view: 'workingSet' } });
    const front = shown.page.getByRole('tab', { selected: true });
    const sight = () =>
      front.evaluate(tab => {
        const [a, b] = [tab, tab.parentElement!].map(element => element.getBoundingClientRect());
        return a!.width > 0 && a!.left >= b!.left - 1 && a!.right <= b!.right + 1;
      });
    await expect.poll(sight).toBe(true);
    await shown.page.setViewportSize({ width: 240, height: 800 });
    await expect.poll(sight).toBe(true);
  });

  test('progress of a run is shown with its words and can be cancelled', async () => {
    const shown = await dashboard();
    const progress = {
      stage: 'run',
      accesses: 1,
      accessesPerSecond: 1,
      pages: 1,
      message: 'recording · 1.2 G accesses',
    };
    await shown.post({ kind: 'progress', progress: { ...progress, stage: 'run', fraction: 0.25 } });
    const bar = shown.page.getByRole('progressbar');
    expect(await bar.getAttribute('aria-valuenow')).toBe('25');
    await shown.page.getByText('recording · 1.2 G accesses').waitFor();
    await shown.page.getByRole('button', { name: /^Cancel/ }).click();
    await expect.poll(() => shown.sent.at(-1)).toEqual({ kind: 'command', command: 'pagelens.cancel' });
    await shown.post({ kind: 'progress', progress: null });
    await bar.waitFor({ state: 'hidden' });
  });

  test('a program profiled again into the same file is shown anew', async () => {
    const shown = await dashboard();
    // 60,000 + 20,000 + 100 + 101 + 102 = 80,303.
    expect(await textOf(shown)).toContain('80 k');
    await shown.show(profile(200));
    // + sum of 103 .. 299 = 197 * 201 = 39,597: 119,900.
    await panel(shown).getByText('120 k', { exact: true }).waitFor();
  });
});

describe('overview', () => {
  test('figures have units and denominators, and the hottest line leads to its source', async () => {
    const shown = await dashboard();
    const text = await textOf(shown);
    // Reads 60,303 of 80,303; 23 pages of 4 KiB = 92 KiB; traffic 7,000 lines of 64 B = 437.5 KiB.
    expect(text).toContain('75 % read');
    expect(text).toMatch(/92 KiB\s+23 pages of 4 KiB, whole run/);
    expect(text).toMatch(/438 KiB\s+8\.7 % of accesses miss the caches, whole run/);
    const line = panel(shown).getByRole('button', { name: 'prog.c:4 sum' });
    await line.click();
    await expect.poll(() => shown.sent.at(-1)).toEqual({ kind: 'reveal', location: { file, line: 4 } });
    // 60,000 of 80,303 accesses.
    expect(await panel(shown).locator('.ranking li').first().innerText()).toContain('75 %');
  });
});

describe('trackers', () => {
  test('a score that a mechanism has not is a dash with the reason, and comes last in any order', async () => {
    const row = { recall: 0.5, f1: 0.5, rankCorrelation: null, workingSetError: 0, own: {}, warnings: [] };
    const rest = { vmExits: 3, overheadPercent: 0.05, periods: 4, pageReads: null, pageWrites: null };
    const short = 'too short: 4 periods of 1 s at time scale 1, 10 are wanted: --time-scale 3 would do';
    const trackers = [
      { id: 'pml', pagesReported: null, ...row, ...rest, precision: null },
      { id: 'exact', pagesReported: 23, ...row, ...rest, precision: 0.25 },
      { id: 'ept-ad-scan', pagesReported: 23, ...row, ...rest, precision: 0.75, memoryBytes: 1536, warnings: [short] },
    ];
    const shown = await dashboard({ profile: { ...profile(), trackers } });
    await shown.tab('Trackers');
    // What a mechanism needs of memory is part of its cost; an older profile did not say.
    const cards = shown.page.locator('.cards .details');
    expect(await cards.filter({ hasText: 'EPT A/D scan' }).innerText()).toMatch(/3 VM exits, 1\.5 KiB of memory/);
    expect(await cards.filter({ hasText: 'PML' }).innerText()).toMatch(/3 VM exits\n/);
    expect(await cards.filter({ hasText: 'EPT A/D scan' }).innerText()).toContain(short);
    expect(await cards.filter({ hasText: short }).count()).toBe(1);
    const header = shown.page.getByRole('columnheader', { name: 'Precision' });
    const column = () => shown.page.locator('.grid-body .grid-row > :nth-child(5)').allInnerTexts();
    await header.click();
    expect(await column()).toEqual(['0.750', '0.250', '—']);
    await header.click();
    expect(await column()).toEqual(['0.250', '0.750', '—']);
    const none = shown.page.locator('.grid-body .grid-row').last().locator(':scope > :nth-child(5)');
    expect(await none.getAttribute('title')).toContain('No value');
    expect(await textOf(shown)).toContain('4 (too short)');
  });

  test('Enter on a row shows everything as that tracker sees it, and the strip takes it back', async () => {
    const { pages } = profile();
    const written = seenAs(
      'pml',
      null,
      Array.from(pages.writes, writes => (writes > 0 ? 1 : 0)),
    );
    const shown = await dashboard({ profile: { ...profile(), trackers: [written, seenAs('idle', null, null)] } });
    await shown.tab('Trackers');
    // A mechanism without page identity cannot be chosen: the reason is said.
    await shown.page.getByRole('gridcell', { name: 'idle' }).focus();
    await shown.page.keyboard.press('Enter');
    await expect.poll(() => shown.page.locator('[aria-live=polite]').first().innerText()).toContain('names no pages');
    expect(shown.selection.tracker).toBe('exact');
    await shown.page.getByRole('gridcell', { name: 'PML' }).focus();
    await shown.page.keyboard.press('Enter');
    await expect.poll(() => shown.selection.tracker).toBe('pml');
    const strip = shown.page.getByRole('group', { name: 'What is shown' });
    await expect.poll(() => strip.innerText()).toContain('as pml sees it');
    await shown.tab('Overview');
    await expect.poll(() => textOf(shown)).toContain('PML readings');
    await strip.getByRole('button', { name: 'Show the exact counts again' }).click();
    await expect.poll(() => shown.selection.tracker).toBe('exact');
    await expect.poll(() => strip.isVisible()).toBe(false);
  });
});

describe('phases', () => {
  /** 40 epochs: in the first 10 the table is written, in the others read; the small allocations are read throughout. */
  const phased = () => {
    const whole = profile();
    // Sites: the two lines of the table, and one for each small allocation.
    const siteTimes = {
      epochsPerBin: 10,
      start: Uint32Array.of(0, 1, 2, 3, 7),
      site: Uint32Array.of(1, 0, 0, 0, 2, 3, 4),
      accesses: Float64Array.of(20_000, 20_000, 20_000, 20_000, 100, 101, 102),
      trafficReads: Float64Array.of(0, 2000, 1000, 1000, 0, 0, 0),
      trafficWrites: Float64Array.of(3000, 0, 0, 0, 0, 0, 0),
    };
    // The working set is small in the first phase.
    const epochs = { ...whole.epochs, pages: whole.epochs.pages.map((_, epoch) => (epoch < 10 ? 5 : 23)) };
    return { ...whole, siteTimes, epochs };
  };

  test('one is chosen by keys, narrows every view, and the strip takes it back', async () => {
    const shown = await dashboard({ profile: phased() });
    const picker = shown.page.getByRole('combobox', { name: 'Phase of the run' });
    await picker.focus();
    await shown.page.keyboard.press('Enter');
    const options = shown.page.getByRole('option');
    await expect
      .poll(() => options.allInnerTexts())
      .toEqual(['Whole run, 2 phases', '1: fill · 25 % of accesses', '2: sum · 75 % of accesses']);
    await shown.page.keyboard.press('ArrowDown');
    await shown.page.keyboard.press('Enter');
    await expect.poll(() => shown.selection).toMatchObject({ phase: '1', window: [0, 10] });
    const strip = shown.page.getByRole('group', { name: 'What is shown' });
    await expect.poll(() => strip.innerText()).toContain('phase 1, epochs 0–9');
    await shown.settled();
    // Line 9 alone; of 20,000 accesses.
    const hottest = panel(shown).getByText('prog.c:9 fill');
    await hottest.waitFor();
    await expectSound(shown, 'a phase');
    const heights = (await panel(shown).locator('.sparkline polyline').first().getAttribute('points'))!
      .split(' ')
      .map(point => Number(point.split(',')[1]));
    // In the box of 32, and the peak of the whole run at its top.
    expect([Math.min(...heights), Math.max(...heights) <= 32]).toEqual([1, true]);
    await strip.getByRole('button', { name: 'Show the whole run again' }).click();
    await expect.poll(() => shown.selection).toMatchObject({ phase: null, window: null });
    await expect.poll(() => picker.getAttribute('current-value')).toBe('');
  });

  test('those that the program names come first, by their names', async () => {
    const column = (...values: number[]) => Float64Array.from(values);
    const named: Profile = {
      ...phased(),
      regions: {
        count: 2,
        kind: ['phase', 'region'],
        name: ['set-up', 'turn'],
        times: column(1, 2),
        reads: column(0, 4000),
        writes: column(20_000, 0),
        pages: column(23, 5),
        trafficReads: column(0, 0),
        trafficWrites: column(3000, 0),
        stretches: [
          { row: 0, from: 0, to: 10, accesses: 20_000 },
          { row: 1, from: 10, to: 11, accesses: 2000 },
          { row: 1, from: 12, to: 13, accesses: 2000 },
          // Too short for anybody to look at.
          { row: 1, from: 14, to: 15, accesses: 100 },
        ],
      },
    };
    const shown = await dashboard({ profile: named });
    const picker = shown.page.getByRole('combobox', { name: 'Phase of the run' });
    await picker.focus();
    await shown.page.keyboard.press('Enter');
    await expect
      .poll(() => shown.page.getByRole('option').allInnerTexts())
      .toEqual([
        'Whole run, 5 phases',
        'set-up · 25 % of accesses',
        'turn, 1 of 2 · 2.5 % of accesses',
        'turn, 2 of 2 · 2.5 % of accesses',
        '1: fill · 25 % of accesses',
        '2: sum · 75 % of accesses',
      ]);
    await shown.page.keyboard.press('ArrowDown');
    await shown.page.keyboard.press('Enter');
    await expect.poll(() => shown.selection).toMatchObject({ phase: 'phase-1-1', window: [0, 10] });
    const strip = shown.page.getByRole('group', { name: 'What is shown' });
    await expect.poll(() => strip.innerText()).toContain('phase set-up, epochs 0–9');
    await expectSound(shown, 'a named phase');
  });

  test('there is nothing to choose in a run of one phase', async () => {
    const shown = await dashboard();
    await shown.show(phased());
    const picker = shown.page.getByRole('combobox', { name: 'Phase of the run' });
    await picker.waitFor();
    await shown.show(profile());
    await expect.poll(() => picker.isVisible()).toBe(false);
  });
});

describe('everybody can use it', () => {
  const looks: [ThemeName, number][] = [
    ['dark', 300],
    ['light', 1100],
    ['highContrast', 300],
  ];
  test.each(looks)(
    'in %s at %i px no view has a serious finding of axe, nor scrolls sideways',
    async (theme, width) => {
      const shown = await dashboard({ theme, width });
      for (const tab of tabs) {
        await shown.tab(tab);
        await expectSound(shown, tab);
      }
    },
  );
});
