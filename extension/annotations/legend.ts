/** What the marks in the source mean: bars, classes, texts, denominators and the window, as one page of Markdown. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { LegendFacts } from '../../core/protocol.js';
import type { Core } from '../core.js';
import { barLevels, barShares, gutterIcon, type MarkKind } from './icons.js';
import { type MatchedFiles, matchedText } from './matchedFiles.js';

const scheme = 'pagelens-legend';

/** The page as a read-only document, drawn by the editor's own Markdown preview. */
export class Legend implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #uri = vscode.Uri.from({ scheme, path: `/${vscode.l10n.t('Pagelens legend')}.md` });
  readonly #subscriptions: vscode.Disposable[];

  constructor(
    readonly core: Core,
    readonly files: MatchedFiles,
  ) {
    const changed = () => this.#changed.fire(this.#uri);
    this.#subscriptions = [
      this.#changed,
      vscode.workspace.registerTextDocumentContentProvider(scheme, this),
      core.onAnnotations(({ uris }) => uris === null && changed()),
      files.onChange(changed),
      vscode.window.onDidChangeActiveColorTheme(changed),
    ];
  }

  async show(): Promise<void> {
    await vscode.commands.executeCommand('markdown.showPreview', this.#uri);
  }

  async provideTextDocumentContent(): Promise<string> {
    const facts = this.core.hasProfile ? await this.core.request('pagelens/legend', {}) : null;
    const files = this.files.report;
    return legendMarkdown(facts, files ? matchedText(files) : '', theme());
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}

function theme(): 'dark' | 'light' {
  const { kind } = vscode.window.activeColorTheme;
  return kind === vscode.ColorThemeKind.Light || kind === vscode.ColorThemeKind.HighContrastLight ? 'light' : 'dark';
}

/** @param facts null: no profile is open, and the marks are explained as they would be */
export function legendMarkdown(facts: LegendFacts | null, files: string, colors: 'dark' | 'light'): string {
  const counted = facts?.counted ?? vscode.l10n.t('accesses');
  const bar = (kind: MarkKind, level: (typeof barLevels)[number], alt: string) =>
    `![${alt}](${gutterIcon(kind, level, colors)})`;
  const shares = barLevels.toReversed().map(level => {
    const least = barShares[level - 1];
    const text =
      least === undefined
        ? vscode.l10n.t('less than {0}', step(barShares[0]))
        : vscode.l10n.t('{0} or more', step(least));
    return `| ${bar('hot', level, vscode.l10n.t('bar of height {0} of 5', level + 1))} | ${text} |`;
  });
  return [
    `# ${vscode.l10n.t('Marks in the source')}`,
    facts
      ? vscode.l10n.t('Shares are of all {0} of the run: {1}.', counted, facts.window)
      : vscode.l10n.t('No profile is open. With one, shares are of all accesses of its run.'),
    ...(facts?.note ? [`**${vscode.l10n.t('As a tracker sees it')}**: ${facts.note}.`] : []),
    ...(files ? [`${files}.`] : []),
    `## ${vscode.l10n.t('Height of a bar: share of the run')}`,
    `| | ${vscode.l10n.t("The line's share of the {0}", counted)} |\n| :-: | :-- |\n${shares.join('\n')}`,
    vscode.l10n.t('The scale is logarithmic: each height is about three times the one below.'),
    `## ${vscode.l10n.t('Width and colour of a bar: class')}`,
    `| | | |\n| :-: | :-- | :-- |\n${classRows(facts, bar).join('\n')}`,
    `## ${vscode.l10n.t('Texts')}`,
    ...textsOf(facts, counted).map(text => `- ${text}`),
  ].join('\n\n');
}

/** A bound, which is exact: `3 %`, `0.5 %`. */
function step(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

function classRows(
  facts: LegendFacts | null,
  bar: (kind: MarkKind, level: (typeof barLevels)[number], alt: string) => string,
): string[] {
  const hot = facts
    ? vscode.l10n.t('the fewest lines that together have {0} of all {1}', step(facts.hotShare), facts.counted)
    : vscode.l10n.t('the fewest lines that together have most of the accesses');
  const cold = facts
    ? vscode.l10n.t(
        'the lines that have the last {0}; they have no text and no mark in the scroll bar',
        step(facts.coldShare),
      )
    : vscode.l10n.t('the lines that have the last few; they have no text and no mark in the scroll bar');
  const rows: readonly (readonly [MarkKind, string, string])[] = [
    ['hot', vscode.l10n.t('hot'), hot],
    ['warm', vscode.l10n.t('warm'), vscode.l10n.t('those between')],
    ['cold', vscode.l10n.t('cold'), cold],
    [
      'stale',
      vscode.l10n.t('stale'),
      vscode.l10n.t('an outline: the line, or the file, changed since it was recorded; the hover says why'),
    ],
  ];
  return rows.map(([kind, name, meaning]) => `| ${bar(kind, 3, name)} | **${name}** | ${meaning} |`);
}

function textsOf(facts: LegendFacts | null, counted: string): string[] {
  const texts = [
    vscode.l10n.t(
      'Behind a line: its reads and writes, and their share of all {0}. k, M and G are thousand, million and thousand million.',
      counted,
    ),
    vscode.l10n.t(
      'Above a function: what its own lines did, wherever they were inlined; above an allocation: what was done to its memory. Then the split into reads and writes, the distinct pages touched, and the memory tier.',
    ),
    vscode.l10n.t('≤ before pages: several things are summed, and a page that two of them touch counts for each.'),
  ];
  if (facts?.policy)
    texts.push(vscode.l10n.t('The tier is where policy {0} puts most of the traffic; modelled.', facts.policy));
  if (facts?.baseline) {
    const name = path.basename(facts.baseline);
    texts.push(
      vscode.l10n.t('"was 38 %": the share in the run before ({0}), where the line can be followed to it.', name),
    );
  }
  return texts;
}
