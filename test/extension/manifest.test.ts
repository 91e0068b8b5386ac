/** What the manifest promises and what the code does, compared: ids, order, trust, colours. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { iconColors } from '../../extension/annotations/icons.js';
import { colors, commands, contexts, linkable, profileEditor, views } from '../../extension/ids.js';
import { localized as manifest } from '../helpers/manifest.js';

const root = path.resolve(__dirname, '../..');
const { contributes } = manifest;

const sources = readdirSync(path.join(root, 'extension'), { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
  .map(entry => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
  .join('\n');

/** Colours that charts are drawn in; the others are those of text. */
const charted: { id: string; defaults: Record<string, string> }[] = contributes.colors.filter((color: { id: string }) =>
  /^pagelens\.(heat|tier)\d$/.test(color.id),
);

describe('manifest', () => {
  test('commands are those of the code, all in one category, in the order of the design', () => {
    const listed = contributes.commands.map((entry: { command: string }) => entry.command);
    expect(listed).toEqual(Object.values(commands));
    expect(new Set(contributes.commands.map((entry: { category: string }) => entry.category))).toEqual(
      new Set(['Pagelens']),
    );
    expect(contributes.commands[0].title).toBe('Profile page accesses');
  });

  test('menus, links and welcome views name commands that exist', () => {
    const known = new Set<string>([...Object.values(commands), 'workbench.trust.manage']);
    const menus = Object.values(contributes.menus as Record<string, { command: string }[]>).flat();
    const linked = [...JSON.stringify(contributes.viewsWelcome).matchAll(/command:([\w.]+)/g)].map(match => match[1]!);
    for (const command of [...menus.map(entry => entry.command), ...linked, ...linkable])
      expect(known).toContain(command);
  });

  test('when clauses use the context keys that the code sets', () => {
    const used = JSON.stringify(contributes).match(/pagelens\.(hasProfile|running)\b/g) ?? [];
    for (const key of used) expect(Object.values<string>(contexts)).toContain(key);
    const keys = [...JSON.stringify(contributes).matchAll(/"(?:when|enablement)":"([^"]*)"/g)].map(match => match[1]!);
    const ours = keys.flatMap(when => when.match(/(?<!== )pagelens\.\w+/g) ?? []);
    for (const key of ours) expect(Object.values<string>(contexts)).toContain(key);
  });

  test('views, editor and colours are those of the code', () => {
    expect(contributes.views.pagelens.map((view: { id: string }) => view.id)).toEqual(Object.values(views));
    expect(contributes.customEditors[0].viewType).toBe(profileEditor);
    const ids = contributes.colors.map((color: { id: string }) => color.id);
    expect(ids.filter((id: string) => /Foreground$/.test(id))).toEqual(Object.values(colors));
  });

  test('colours of the dashboard are contributed, with the defaults that it falls back to', () => {
    const css = readFileSync(path.join(root, 'webview/webview.css'), 'utf8');
    const used = [...css.matchAll(/var\(--vscode-pagelens-((?:heat|tier)\d), (#[0-9a-f]{6})\)/g)];
    for (const { id, defaults } of charted) {
      const fallbacks = used.filter(([, name]) => id === `pagelens.${name}`).map(([, , color]) => color);
      // A high-contrast light theme has the light one's ramp.
      expect(new Set(fallbacks), id).toEqual(new Set(Object.values(defaults)));
    }
    expect(new Set(used.map(([, name]) => `pagelens.${name}`))).toEqual(new Set(charted.map(({ id }) => id)));
  });

  test('gutter icons, which cannot use theme colours, have the defaults of the theme colours', () => {
    for (const [kind, id] of Object.entries(colors) as [keyof typeof colors, string][]) {
      const { defaults } = contributes.colors.find((color: { id: string }) => color.id === id);
      expect(iconColors.dark[kind]).toBe(defaults.dark);
      expect(iconColors.light[kind]).toBe(defaults.light);
    }
  });

  /** Backgrounds of the default themes: Dark Modern, Light Modern, and the two high-contrast ones. */
  const background = { dark: '#1f1f1f', light: '#ffffff', highContrast: '#000000', highContrastLight: '#ffffff' };

  test.each(['dark', 'light', 'highContrast', 'highContrastLight'] as const)(
    'in a %s theme text can be read (a contrast of 4.5), marks of tiers can be seen (3), and heat is in order',
    theme => {
      const against = (color: string) => contrast(color, background[theme]);
      for (const { id, defaults } of contributes.colors) {
        if (id.endsWith('Foreground')) expect(against(defaults[theme]), id).toBeGreaterThanOrEqual(4.5);
        if (id.startsWith('pagelens.tier')) expect(against(defaults[theme]), id).toBeGreaterThanOrEqual(3);
      }
      const heat = charted
        .filter(({ id }) => id.startsWith('pagelens.heat'))
        .map(color => against(color.defaults[theme]!));
      expect(heat).toEqual(heat.toSorted((a, b) => a - b));
    },
  );

  test('settings have an order and a description, and each is read by the code', () => {
    const settings = Object.entries(contributes.configuration.properties as Record<string, Record<string, unknown>>);
    settings.forEach(([id, setting], i) => {
      expect(setting.order, id).toBeGreaterThan(i === 0 ? 0 : Number(settings[i - 1]![1].order));
      expect(String(setting.markdownDescription), id).toMatch(/\.$/);
      // The percentile goes to core, which reads the whole section.
      if (id !== 'pagelens.lensPercentile') expect(sources, id).toContain(`'${id.replace('pagelens.', '')}'`);
    });
  });

  test('whatever can make a program run is restricted in an untrusted workspace', () => {
    const { untrustedWorkspaces, virtualWorkspaces } = manifest.capabilities;
    expect(untrustedWorkspaces.supported).toBe('limited');
    expect(untrustedWorkspaces.restrictedConfigurations).toEqual(
      expect.arrayContaining(['pagelens.program', 'pagelens.arguments', 'pagelens.environment', 'pagelens.cflags']),
    );
    expect(virtualWorkspaces.supported).toBe(false);
    expect(manifest.extensionKind).toEqual(['workspace']);
  });

  test('the palette shows no command that cannot work, and names each at most once', () => {
    const palette = contributes.menus.commandPalette as { command: string; when: string }[];
    const when = new Map(palette.map(entry => [entry.command, entry.when]));
    expect(when.size).toBe(palette.length);
    for (const [command, clause] of when)
      expect(clause, command).toMatch(/^(false|.*\b(isWorkspaceTrusted|pagelens\.\w+).*)$/);
    // What needs a profile is disabled without one wherever it shows, and hidden in the palette.
    for (const { command, enablement } of contributes.commands as { command: string; enablement?: string }[]) {
      if (enablement?.includes('hasProfile')) expect(when.get(command), command).toContain('pagelens.hasProfile');
    }
  });

  test('menus for files also show in remote windows, where files have another scheme', () => {
    const clauses = Object.values(contributes.menus as Record<string, { when?: string }[]>).flat();
    for (const { when = '' } of clauses) expect(when).not.toMatch(/resourceScheme == file/);
  });

  test('texts that name a setting link to one that exists', () => {
    const linked = [...JSON.stringify(contributes).matchAll(/`#([\w.]+)#`/g)].map(match => match[1]!);
    expect(linked.length).toBeGreaterThan(0);
    for (const id of linked) expect(contributes.configuration.properties).toHaveProperty([id]);
  });

  test('icons exist, and the package has the size that the marketplace wants', () => {
    const icons = [manifest.icon, contributes.viewsContainers.activitybar[0].icon];
    for (const icon of icons) expect(existsSync(path.join(root, icon))).toBe(true);
    const png = readFileSync(path.join(root, manifest.icon));
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([128, 128]);
  });
});

/** WCAG 2 contrast ratio. */
function contrast(a: string, b: string): number {
  const luminance = (color: string) => {
    const [r, g, blue] = [1, 3, 5]
      .map(at => Number.parseInt(color.slice(at, at + 2), 16) / 255)
      .map(c => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * blue!;
  };
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}
