/**
 * Working set: distinct pages epoch by epoch, what entered and left, and the miss ratio that a memory's size would give.
 * The window of the selection is shaded; a drag over the epochs sets it.
 */

import type { Selection, ViewData, WorkingSetFacts } from '../../core/protocol.js';
import { type Axis, type Brushed, Chart, Plot, type PlotData } from '../charts/plot.js';
import { niceTicks, powerTicks } from '../charts/scale.js';
import type { Frame } from '../charts/surface.js';
import { el } from '../dom.js';
import { bytes, countTick, nanoseconds, percent, span, timeTick, whole } from '../format.js';
import { Grid, rowsOf } from '../grid.js';
import * as l10n from '../l10n.js';
import { section } from '../parts.js';
import { type Picture, pictureButton } from '../picture.js';
import { plainTable } from '../plainTable.js';
import { onlyFocusChanged } from '../selection.js';
import { button } from '../toolkit.js';
import { windowText } from '../window.js';
import { column, greatest, type Numbers } from '../wire.js';
import type { View, ViewContext, ViewKind } from './view.js';

export const workingSet: ViewKind = {
  id: 'workingSet',
  label: l10n.t('Working set'),
  icon: 'graph-line',
  create: context => new WorkingSetView(context),
};

/** Below this a miss ratio is drawn on the axis: the logarithm of none is nowhere. */
const leastRatio = 1e-6;

/** CSS pixels of a chart in a picture. */
const pictureHeight = 240;

class WorkingSetView implements View {
  readonly element = el('div', { class: 'stack' });
  readonly #pages = new Plot(l10n.t('Distinct pages per epoch'), part => this.#brush(part));
  readonly #change = new Plot(l10n.t('Pages that entered and left the working set per epoch'), part =>
    this.#brush(part),
  );
  readonly #misses = new Plot(l10n.t('Miss ratio by size of memory'));
  readonly #epochNote = el('small', {});
  readonly #changeNote = el('small', {});
  readonly #window = el('span', { class: 'note', role: 'status' });
  readonly #wholeRun: HTMLElement;
  readonly #sizes = el('div', {});
  readonly #knee = el('p', { class: 'note' });
  readonly #table = epochTable();
  readonly #missTable = missTable();
  #facts: WorkingSetFacts | null = null;
  #set: Columns | null = null;
  /** The selection that is shown. */
  #shown: Selection | null = null;

  constructor(readonly context: ViewContext) {
    const heading = section(l10n.t('Pages per epoch'), '', this.#pages.element);
    heading.querySelector('small')!.replaceWith(this.#epochNote);
    const change = section(
      l10n.t('Entered and left'),
      '',
      this.#change.element,
      disclosure(l10n.t('Epochs as a table'), this.#table.element),
    );
    change.querySelector('small')!.replaceWith(this.#changeNote);
    this.#wholeRun = button({
      label: l10n.t('Show the whole run'),
      icon: 'screen-normal',
      appearance: 'icon',
      press: () => this.#brush(null),
    });
    this.element.append(
      el(
        'div',
        { class: 'toolbar' },
        this.#window,
        this.#wholeRun,
        el('span', { class: 'spring' }),
        pictureButton(context, () => this.#picture()),
      ),
      heading,
      change,
      section(
        l10n.t('LRU miss ratio'),
        l10n.t(
          'share of accesses whose page would not be among the most recently used ones; exact stack distances, whole run',
        ),
        this.#misses.element,
        this.#knee,
        this.#sizes,
        disclosure(l10n.t('Miss ratios as a table'), this.#missTable.element),
      ),
    );
  }

  async load(): Promise<void> {
    const selection = this.context.selection();
    const same = onlyFocusChanged(this.#shown, selection);
    this.#shown = selection;
    // Nothing here is of one page or line.
    if (same) return;
    const width = Math.round((this.element.clientWidth || 600) * devicePixelRatio);
    const data = await this.context.ask({ pixels: [width, 200] });
    const facts = data.facts as WorkingSetFacts;
    const set = setOf(data);
    const each = facts.epochsPerPoint > 1 ? l10n.t('; a point is the greatest of {0}', facts.epochsPerPoint) : '';
    this.#epochNote.textContent = l10n.t(
      '{0} of {1} accesses{2}',
      l10n.plural(facts.epochs, '{0} epoch', '{0} epochs'),
      whole(facts.epochAccesses),
      each,
    );
    const sum = facts.epochsPerPoint > 1 ? l10n.t('; a bar is the sum of {0} epochs', facts.epochsPerPoint) : '';
    this.#changeNote.textContent = l10n.t('pages touched now and not in the epoch before, and the reverse{0}', sum);
    this.#facts = facts;
    this.#set = set;
    this.#wholeRun.hidden = facts.window === null;
    this.#window.textContent = facts.window
      ? l10n.t('Window: {0} (shaded), in every view that knows counts by epoch', windowText(facts.window))
      : l10n.t('Window: the whole run. Drag over the epochs to choose a part of it for every view.');
    this.#pages.show(pagesPlot(facts, set));
    this.#change.show(changePlot(facts, set));
    this.#misses.show(missPlot(facts, set));
    this.#knee.textContent = kneeText(facts);
    this.#sizes.replaceChildren(sizesTable(facts));
    this.#table.show(rowsOf(Array.from(set.pages, (_, point) => ({ point, facts, set }))));
    this.#missTable.show(rowsOf(Array.from(set.missPages, (_, point) => ({ point, facts, set }))));
  }

  /** Whole epochs for every view, by an end of the axis or the other; null: the whole run. */
  #brush(part: Brushed | null): void {
    const facts = this.#facts;
    if (!facts) return;
    const window = part && wholeEpochs(part, facts.epochs);
    if (JSON.stringify(window) === JSON.stringify(facts.window)) return;
    this.context.select({ window }).catch(error => this.context.failed(error));
  }

  #picture(): Picture | null {
    const [facts, set] = [this.#facts, this.#set];
    if (!facts || !set) return null;
    const part = (title: string, note: string, data: PlotData) => ({
      title,
      note,
      legend: data.series,
      height: pictureHeight,
      draw: (frame: Frame, style: Element) => new Chart(frame, style, data).draw(),
    });
    const epochs = l10n.t(
      '{0} of {1} accesses; pages of {2}',
      l10n.plural(facts.epochs, '{0} epoch', '{0} epochs'),
      whole(facts.epochAccesses),
      bytes(facts.pageSize),
    );
    return {
      name: 'working set',
      width: this.element.clientWidth,
      parts: [
        part(l10n.t('Distinct pages per epoch'), epochs, pagesPlot(facts, set)),
        part(l10n.t('Pages that entered and left the working set'), epochs, changePlot(facts, set)),
        part(
          l10n.t('LRU miss ratio by size of memory'),
          l10n.t(
            'share of accesses whose page would not be among the most recently used ones; exact stack distances, whole run. {0}',
            kneeText(facts),
          ),
          missPlot(facts, set),
        ),
      ],
    };
  }
}

/** The epochs that a part of the axis touches, at least one. */
function wholeEpochs([from, to]: Brushed, epochs: number): [number, number] {
  const first = Math.max(0, Math.min(epochs - 1, Math.floor(from)));
  return [first, Math.min(epochs, Math.max(first + 1, Math.ceil(to)))];
}

function kneeText({ knee, pageSize }: WorkingSetFacts): string {
  if (!knee) return l10n.t('The curve has no knee: no size stands out.');
  return l10n.t(
    'Knee at {0}: {1} of accesses miss there, and more memory gains less and less. (Where the curve lies farthest below the line between its ends, sizes on a logarithmic axis.)',
    bytes(knee.pages * pageSize),
    ratioText(knee.missRatio),
  );
}

/** What each cache, TLB and tier would miss, were it managed as one LRU list of pages. */
function sizesTable({ machineMarks, pageSize }: WorkingSetFacts): HTMLElement {
  const rows = machineMarks.map(({ label, pages, missRatio }) => [
    label,
    bytes(pages * pageSize),
    ratioText(missRatio),
  ]);
  return plainTable([l10n.t('Size of'), l10n.t('Holds'), l10n.t('Accesses whose page would miss')], rows);
}

interface Columns {
  readonly endNs: Numbers;
  readonly pages: Numbers;
  readonly pagesRead: Numbers;
  readonly pagesWritten: Numbers;
  readonly entered: Numbers;
  readonly left: Numbers;
  readonly missPages: Numbers;
  readonly missRatio: Numbers;
  /** Of the run before; null: there is none, or its epochs are of another length. */
  readonly pagesBefore: Numbers | null;
  readonly missPagesBefore: Numbers | null;
  readonly missRatioBefore: Numbers | null;
}

function setOf({ columns }: ViewData): Columns {
  const of = (name: string) => column(columns[name]!);
  const orNone = (name: string) => (columns[name] ? column(columns[name]) : null);
  return {
    endNs: of('endNs'),
    pages: of('pages'),
    pagesRead: of('pagesRead'),
    pagesWritten: of('pagesWritten'),
    entered: of('entered'),
    left: of('left'),
    missPages: of('missPages'),
    missRatio: of('missRatio'),
    pagesBefore: orNone('pagesBefore'),
    missPagesBefore: orNone('missPagesBefore'),
    missRatioBefore: orNone('missRatioBefore'),
  };
}

/** `epochs 12–13, until 4.2 ms`. */
function when({ epochs, epochsPerPoint }: WorkingSetFacts, { endNs }: Columns, point: number): string {
  const from = point * epochsPerPoint;
  const to = Math.min(epochs, from + epochsPerPoint);
  return l10n.t('epoch{0} {1}, until {2}', to - from > 1 ? 's' : '', span(from, to), nanoseconds(endNs[point]!));
}

function epochAxis(facts: WorkingSetFacts, { endNs, pages }: Columns): Axis {
  const { epochsPerPoint } = facts;
  const timeAt = (epoch: number) =>
    epoch <= 0 ? 0 : endNs[Math.min(pages.length - 1, Math.ceil(epoch / epochsPerPoint) - 1)]!;
  return {
    from: 0,
    to: facts.epochs,
    logarithmic: false,
    title: l10n.t('modelled time at the end of the epoch'),
    ticks: most => niceTicks(0, facts.epochs, most, 1),
    label: epoch => timeTick(timeAt(epoch), timeAt(facts.epochs) / 100),
  };
}

function countAxis(from: number, to: number): Axis {
  return {
    from,
    to: Math.max(to, from + 1),
    logarithmic: false,
    title: 'pages',
    ticks: most => niceTicks(from, Math.max(to, from + 1), most, 1),
    label: value => countTick(Math.abs(value)),
  };
}

/** The middle of each point's epochs. */
const middles = ({ epochs, epochsPerPoint }: WorkingSetFacts, points: number) =>
  Float64Array.from(
    { length: points },
    (_, i) => (i * epochsPerPoint + Math.min(epochs, (i + 1) * epochsPerPoint)) / 2,
  );

function pagesPlot(facts: WorkingSetFacts, set: Columns): PlotData {
  return {
    points: middles(facts, set.pages.length),
    series: [
      { name: l10n.t('touched'), values: set.pages, color: '--series-1', dash: [], kind: 'area' },
      { name: l10n.t('read'), values: set.pagesRead, color: '--series-2', dash: [6, 3], kind: 'line' },
      { name: l10n.t('written'), values: set.pagesWritten, color: '--series-3', dash: [2, 2], kind: 'line' },
      ...(set.pagesBefore
        ? [
            {
              name: l10n.t('touched in the run before'),
              values: set.pagesBefore,
              color: '--note',
              dash: [8, 3, 2, 3],
              kind: 'line' as const,
            },
          ]
        : []),
    ],
    x: epochAxis(facts, set),
    y: countAxis(0, Math.max(greatest(set.pages), greatest(set.pagesBefore ?? [])) * 1.05),
    marks: [],
    shaded: facts.window,
    sentence: i =>
      l10n.t(
        '{0}: {1} touched ({2}), {3} read, {4} written',
        when(facts, set, i),
        l10n.plural(set.pages[i]!, '{0} page', '{0} pages'),
        bytes(set.pages[i]! * facts.pageSize),
        whole(set.pagesRead[i]!),
        whole(set.pagesWritten[i]!),
      ),
  };
}

function changePlot(facts: WorkingSetFacts, set: Columns): PlotData {
  const below = Float64Array.from(set.left, value => -value);
  return {
    points: middles(facts, set.pages.length),
    series: [
      { name: l10n.t('entered (up)'), values: set.entered, color: '--series-1', dash: [], kind: 'bars' },
      { name: l10n.t('left (down)'), values: below, color: '--series-3', dash: [], kind: 'bars' },
    ],
    x: epochAxis(facts, set),
    y: countAxis(-greatest(set.left) * 1.05, greatest(set.entered) * 1.05),
    marks: [],
    shaded: facts.window,
    sentence: i =>
      l10n.t('{0}: {1} entered, {2} left', when(facts, set, i), whole(set.entered[i]!), whole(set.left[i]!)),
  };
}

/** Dashes tell what kind of size a mark is. */
const markDashes = { cache: [6, 2], tlb: [1, 2], tier: [2, 3] } as const;
/** The axis goes on to sizes of the machine up to this many times the greatest that matters to the run. */
const beyond = 8;

function missPlot(facts: WorkingSetFacts, set: Columns): PlotData {
  const { missPages, missRatio, missPagesBefore, missRatioBefore } = set;
  const last = missPages.length - 1;
  const from = Math.max(1, missPages[0] ?? 1);
  const most = Math.max(2, missPages[last] ?? 2, missPagesBefore?.at(-1) ?? 2);
  const inReach = facts.machineMarks.filter(({ pages }) => pages >= from && pages <= most * beyond);
  const to = Math.max(most, ...inReach.map(({ pages }) => pages));
  const before = missPagesBefore && missRatioBefore;
  const all = [...missRatio, ...(missRatioBefore ?? [])];
  const positive = all.filter(ratio => ratio > 0).reduce((least, ratio) => Math.min(least, ratio), 1);
  const floor = Math.max(leastRatio, 10 ** Math.floor(Math.log10(positive) + 1e-9));
  const least = Math.min(0.1, floor);
  const { knee } = facts;
  return {
    points: missPages,
    series: [
      { name: l10n.t('miss ratio'), values: missRatio, color: '--series-1', dash: [], kind: 'line' },
      ...(before
        ? [
            {
              name: l10n.t('in the run before'),
              values: atPoints(missPages, missPagesBefore, before),
              color: '--note',
              dash: [8, 3, 2, 3],
              kind: 'line' as const,
            },
          ]
        : []),
    ],
    x: {
      from,
      to,
      logarithmic: true,
      title: l10n.t('memory for pages of {0}, logarithmic', bytes(facts.pageSize)),
      ticks: most => powerTicks(from, to, 2, most),
      label: value => bytes(value * facts.pageSize),
    },
    y: {
      from: least,
      to: 1,
      logarithmic: true,
      title: l10n.t('miss ratio'),
      ticks: most => powerTicks(least, 1, 10, most),
      label: ratioText,
    },
    marks: [
      ...(knee ? [{ at: knee.pages, label: l10n.t('knee {0}', bytes(knee.pages * facts.pageSize)), dash: [] }] : []),
      ...inReach.map(({ label, kind, pages }) => ({
        at: pages,
        label: `${label} ${bytes(pages * facts.pageSize)}`,
        dash: markDashes[kind],
      })),
    ],
    sentence: i => l10n.t('{0}: {1} of accesses miss', pagesText(missPages[i]!, facts), ratioText(missRatio[i]!)),
  };
}

/** Another curve at the sizes of this one: it falls in steps, so the last point at or below a size holds there. */
function atPoints(sizes: Numbers, pages: Numbers, ratios: Numbers): Float64Array {
  let at = -1;
  return Float64Array.from(sizes, size => {
    while (at + 1 < pages.length && pages[at + 1]! <= size) at++;
    return at < 0 ? 1 : ratios[at]!;
  });
}

const pagesText = (count: number, { pageSize }: WorkingSetFacts) =>
  `${l10n.plural(count, '{0} page', '{0} pages')} (${bytes(count * pageSize)})`;

/** Small shares matter here: `0.012 %`. */
function ratioText(ratio: number): string {
  if (ratio === 0 || ratio >= 0.001) return percent(ratio);
  return `${Number((ratio * 100).toPrecision(2))} %`;
}

interface Point {
  readonly point: number;
  readonly facts: WorkingSetFacts;
  readonly set: Columns;
}

function epochTable(): Grid<Point> {
  const figure = (
    id: 'pages' | 'pagesRead' | 'pagesWritten' | 'entered' | 'left',
    label: string,
    title: string,
    priority: number,
  ) => ({
    id,
    label,
    title,
    width: 72,
    priority,
    numeric: true,
    cell: ({ point, set }: Point) => whole(set[id][point]!),
  });
  return new Grid<Point>({
    label: l10n.t('Epochs'),
    columns: [
      {
        id: 'when',
        label: l10n.t('When'),
        title: l10n.t('Epochs, and modelled time at their end'),
        width: 130,
        flexible: true,
        priority: 0,
        cell: ({ point, facts, set }) => when(facts, set, point),
      },
      figure('pages', l10n.t('Touched'), l10n.t('Distinct pages touched'), 0),
      figure('pagesRead', l10n.t('Read'), l10n.t('Distinct pages read'), 1),
      figure('pagesWritten', l10n.t('Written'), l10n.t('Distinct pages written'), 2),
      figure('entered', l10n.t('Entered'), l10n.t('Pages touched now and not in the epoch before'), 3),
      figure('left', l10n.t('Left'), l10n.t('Pages touched in the epoch before and not now'), 4),
    ],
  });
}

function missTable(): Grid<Point> {
  return new Grid<Point>({
    label: l10n.t('Miss ratios'),
    columns: [
      {
        id: 'pages',
        label: l10n.t('Memory'),
        title: l10n.t('Pages that fit'),
        width: 150,
        flexible: true,
        priority: 0,
        cell: ({ point, facts, set }) => pagesText(set.missPages[point]!, facts),
      },
      {
        id: 'ratio',
        label: l10n.t('Miss ratio'),
        title: l10n.t('Share of accesses whose page is not among the most recently used ones'),
        width: 90,
        priority: 0,
        numeric: true,
        cell: ({ point, set }) => ratioText(set.missRatio[point]!),
      },
    ],
  });
}

function disclosure(summary: string, content: HTMLElement): HTMLElement {
  return el('details', {}, el('summary', {}, summary), content);
}
