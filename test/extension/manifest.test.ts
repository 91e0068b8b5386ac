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
    const ours = keys.flatMap(when => when.match(/(?<!view == )pagelens\.\w+/g) ?? []);
    for (const key of ours) expect(Object.values<string>(contexts)).toContain(key);
  });

  test('views, editor and colours are those of the code', () => {
    expect(contributes.views.pagelens.map((view: { id: string }) => view.id)).toEqual(Object.values(views));
    expect(contributes.customEditors[0].viewType).toBe(profileEditor);
    expect(contributes.colors.map((color: { id: string }) => color.id)).toEqual(Object.values(colors));
  });

  test('gutter icons, which cannot use theme colours, have the defaults of the theme colours', () => {
    for (const [kind, id] of Object.entries(colors) as [keyof typeof colors, string][]) {
      const { defaults } = contributes.colors.find((color: { id: string }) => color.id === id);
      expect(iconColors.dark[kind]).toBe(defaults.dark);
      expect(iconColors.light[kind]).toBe(defaults.light);
    }
  });

  test.each(['dark', 'light', 'highContrast', 'highContrastLight'] as const)(
    'text in the colours of a %s theme can be read: a contrast of 4.5 or more',
    theme => {
      // Backgrounds of the default themes: Dark Modern, Light Modern, and the two high-contrast ones.
      const background = { dark: '#1f1f1f', light: '#ffffff', highContrast: '#000000', highContrastLight: '#ffffff' };
      for (const { id, defaults } of contributes.colors) {
        expect(contrast(defaults[theme], background[theme]), id).toBeGreaterThanOrEqual(4.5);
      }
    },
  );

  test('settings have an order and a description, and each is read by the code', () => {
    const settings = Object.entries(contributes.configuration.properties as Record<string, Record<string, unknown>>);
    settings.forEach(([id, setting], i) => {
      expect(setting.order, id).toBe(i + 1);
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
