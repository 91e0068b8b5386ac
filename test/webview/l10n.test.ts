/**
 * Every view of a real profile in a language that is none: letters of translated texts are turned into others, so that
 * what still has plain letters was not translated, unless it is data. Core's sentences are part of the views.
 */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { speak } from '../../core/model/l10n.js';
import type { Profile } from '../../core/model/profile.js';
import { replayOptions } from '../../core/options.js';
import { replay } from '../../core/replay.js';
import { trackerLabel } from '../../core/server/seen.js';
import { collect } from '../../l10n/collect.mjs';
import type { Dashboard } from './harness.js';
import { pages, panel } from './shownPage.js';

const open = pages();
let profile: Profile;
let bundle: Record<string, string>;

/** Full-width letters, which no profile has; places for parts stay. */
function foreign(text: string): string {
  return text.replaceAll(/[A-Za-z]/g, letter => String.fromCharCode(letter.charCodeAt(0) + 0xfee0));
}

beforeAll(async () => {
  const trace = path.resolve(__dirname, '../../core/sample/raytracer.pltrace');
  profile = await replay(trace, replayOptions({}), {});
  bundle = Object.fromEntries(Object.keys(await collect()).map(text => [text, foreign(text)]));
  // Core answers from this process, the page from its own.
  speak('de', bundle);
});
afterAll(() => speak('en', {}));

/** Texts in sight of the view in front and of what is around it, and texts for a screen reader. */
function texts({ page }: Dashboard): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const element = node instanceof Element ? node : node.parentElement!;
      if (element.closest('script, style, [hidden]')) continue;
      if (node instanceof Text) found.push(node.data);
      else
        for (const name of ['aria-label', 'aria-valuetext', 'aria-roledescription', 'title', 'placeholder']) {
          const value = element.getAttribute(name);
          if (value) found.push(value);
        }
    }
    return [...new Set(found)];
  });
}

/** What a profile holds as text: names, paths, ids. */
function dataOf({ files, functions, objects, program, options, placement, trackers, translation }: Profile): string[] {
  const found = new Set<string>([
    ...[...files.map(({ path }) => path), program.path, '/profiles/test.pagelens', '/profiles/before.pagelens'],
    ...[...functions.name, ...objects.name, ...objects.stack.flat(), ...program.arguments],
    ...[options.machine, options.tiers, ...options.policies, ...placement.policies.map(({ id }) => id)],
    ...[placement.oracle.id, ...placement.tiers.flatMap(({ id, name }) => [id, name])],
    ...trackers.flatMap(({ id }) => [id, trackerLabel(id)]),
    ...translation.map(({ mode }) => mode),
  ]);
  for (const text of [...found]) found.add(text.split('/').pop()!);
  // An allocation's short name, as narrow pages have it.
  for (const name of [...found]) {
    const site = /^\S+ in (.+) \([^()]*(:\d+)\)$/.exec(name);
    if (site) found.add(site[1]!).add(site[1]! + site[2]!);
  }
  return [...found].filter(text => text.length > 1).sort((a, b) => b.length - a.length);
}

/** Options of trackers, such as `pebs.loadPeriod`. */
const optionNames = /\b[a-z-]+\.[a-z]+[A-Z]\w+/g;
/** Units, and names that are the same in every language. */
const same =
  /\b(KiB|MiB|GiB|TiB|B|ns|ms|µs|s|k|M|G|T|F1|PML|EPT|LRU|TLB|VM|WS|DRAM|HBM|CXL|L1|L2|L3|LLC|STLB|dTLB|0x[0-9a-f]+|e[-+]?\d+)\b/g;

function untranslated(seen: readonly string[], data: readonly string[]): string[] {
  return seen.filter(text => {
    let rest = text.replaceAll(optionNames, ' ');
    for (const part of data) rest = rest.replaceAll(part, ' ');
    return /[A-Za-z]{2,}/.test(rest.replaceAll(same, ' '));
  });
}

const expectTranslated = (shown: Dashboard) =>
  expect.poll(async () => untranslated(await texts(shown), dataOf(profile)), { timeout: 5000 }).toEqual([]);

const views = ['Overview', 'Heatmap', 'Placement', 'Flame graph', 'Pages', 'Trackers', 'Policies', 'Working set'];
const german = () => ({ language: 'de', bundle });

describe('in another language', () => {
  test.each(views)('%s has no text that was not translated', async view => {
    const shown = await open({ profile, words: german() });
    await shown.tab(foreign(view));
    await expectTranslated(shown);
    // The same beside another run.
    await shown.compare(profile);
    await shown.settled();
    await expectTranslated(shown);
  });

  test('a page without a profile has none, either', async () => {
    const shown = await open({ profile: null, words: german() });
    expect(untranslated(await texts(shown), [])).toEqual([]);
  });

  test('numbers have the signs of the language, and counts its forms', async () => {
    const forms = { '{0} page': '{0} lap', '{0} pages': '{0} lapot', '{0} pages#few': '{0} lapy' };
    const shown = await open({ words: { language: 'pl', bundle: { ...bundle, ...forms } } });
    await shown.tab(foreign('Overview'));
    // 20 pages of the great allocation and 3 others: in Polish numbers that end in 2 to 4 have a form of their own.
    await expect.poll(() => panel(shown).innerText()).toContain('23 lapy');
    // 100 of 80,303 accesses.
    await expect.poll(() => panel(shown).innerText()).toContain('0,1 %');
  });
});
