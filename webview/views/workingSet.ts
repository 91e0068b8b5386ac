/** Working set: distinct pages epoch by epoch, what entered and left, and the miss ratio that a tier's size would give. */
import type { ViewData, WorkingSetFacts } from '../../core/protocol.js';
import { type Axis, Plot, type PlotData } from '../charts/plot.js';
import { niceTicks, powerTicks } from '../charts/scale.js';
import { el } from '../dom.js';
import { bytes, counted, countTick, nanoseconds, percent, span, timeTick, whole } from '../format.js';
import { Grid, rowsOf } from '../grid.js';
import { section } from '../parts.js';
import { column, greatest, type Numbers } from '../wire.js';
import type { View, ViewContext, ViewKind } from './view.js';

export const workingSet: ViewKind = {
  id: 'workingSet',
  label: 'Working set',
  icon: 'graph-line',
  create: context => new WorkingSetView(context),
};

/** Below this a miss ratio is drawn on the axis: the logarithm of none is nowhere. */
const leastRatio = 1e-6;

class WorkingSetView implements View {
  readonly element = el('div', { class: 'stack' });
  readonly #pages = new Plot('Distinct pages per epoch');
  readonly #change = new Plot('Pages that entered and left the working set per epoch');
  readonly #misses = new Plot('Miss ratio by size of memory');
  readonly #epochNote = el('small', {});
  readonly #table = epochTable();
  readonly #missTable = missTable();

  constructor(readonly context: ViewContext) {
    const heading = section('Pages per epoch', '', this.#pages.element);
    heading.querySelector('small')!.replaceWith(this.#epochNote);
    this.element.append(
      heading,
      section(
        'Entered and left',
        'pages touched now and not in the epoch before, and the reverse',
        this.#change.element,
        disclosure('Epochs as a table', this.#table.element),
      ),
      section(
        'LRU miss ratio',
        'share of accesses whose page would not be among the most recently used ones; exact stack distances, whole run',
        this.#misses.element,
        disclosure('Miss ratios as a table', this.#missTable.element),
      ),
    );
  }

  async load(): Promise<void> {
    const width = Math.round((this.element.clientWidth || 600) * devicePixelRatio);
    const data = await this.context.ask({ pixels: [width, 200] });
    const facts = data.facts as WorkingSetFacts;
    const set = setOf(data);
    const each = facts.epochsPerPoint > 1 ? `; a point is the greatest of ${facts.epochsPerPoint}` : '';
    this.#epochNote.textContent = `${counted(facts.epochs, 'epoch')} of ${whole(facts.epochAccesses)} accesses${each}`;
    this.#pages.show(pagesPlot(facts, set));
    this.#change.show(changePlot(facts, set));
    this.#misses.show(missPlot(facts, set));
    this.#table.show(rowsOf(Array.from(set.pages, (_, point) => ({ point, facts, set }))));
    this.#missTable.show(rowsOf(Array.from(set.missPages, (_, point) => ({ point, facts, set }))));
  }
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
}

function setOf({ columns }: ViewData): Columns {
  const of = (name: keyof Columns) => column(columns[name]!);
  return {
    endNs: of('endNs'),
    pages: of('pages'),
    pagesRead: of('pagesRead'),
    pagesWritten: of('pagesWritten'),
    entered: of('entered'),
    left: of('left'),
    missPages: of('missPages'),
    missRatio: of('missRatio'),
  };
}

/** `epochs 12–13, until 4.2 ms`. */
function when({ epochs, epochsPerPoint }: WorkingSetFacts, { endNs }: Columns, point: number): string {
  const from = point * epochsPerPoint;
  const to = Math.min(epochs, from + epochsPerPoint);
  return `epoch${to - from > 1 ? 's' : ''} ${span(from, to)}, until ${nanoseconds(endNs[point]!)}`;
}

function epochAxis(facts: WorkingSetFacts, { endNs, pages }: Columns): Axis {
  const { epochsPerPoint } = facts;
  const timeAt = (epoch: number) =>
    epoch <= 0 ? 0 : endNs[Math.min(pages.length - 1, Math.ceil(epoch / epochsPerPoint) - 1)]!;
  return {
    from: 0,
    to: facts.epochs,
    logarithmic: false,
    title: 'modelled time at the end of the epoch',
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
      { name: 'touched', values: set.pages, color: '--series-1', dash: [], kind: 'area' },
      { name: 'read', values: set.pagesRead, color: '--series-2', dash: [6, 3], kind: 'line' },
      { name: 'written', values: set.pagesWritten, color: '--series-3', dash: [2, 2], kind: 'line' },
    ],
    x: epochAxis(facts, set),
    y: countAxis(0, greatest(set.pages) * 1.05),
    marks: [],
    sentence: i =>
      `${when(facts, set, i)}: ${counted(set.pages[i]!, 'page')} touched (${bytes(set.pages[i]! * facts.pageSize)}), ${whole(set.pagesRead[i]!)} read, ${whole(set.pagesWritten[i]!)} written`,
  };
}

function changePlot(facts: WorkingSetFacts, set: Columns): PlotData {
  const below = Float64Array.from(set.left, value => -value);
  return {
    points: middles(facts, set.pages.length),
    series: [
      { name: 'entered (up)', values: set.entered, color: '--series-1', dash: [], kind: 'bars' },
      { name: 'left (down)', values: below, color: '--series-3', dash: [], kind: 'bars' },
    ],
    x: epochAxis(facts, set),
    y: countAxis(-greatest(set.left) * 1.05, greatest(set.entered) * 1.05),
    marks: [],
    sentence: i => `${when(facts, set, i)}: ${whole(set.entered[i]!)} entered, ${whole(set.left[i]!)} left`,
  };
}

function missPlot(facts: WorkingSetFacts, { missPages, missRatio }: Columns): PlotData {
  const last = missPages.length - 1;
  const [from, to] = [Math.max(1, missPages[0] ?? 1), Math.max(2, missPages[last] ?? 2)];
  const positive = Array.from(missRatio)
    .filter(ratio => ratio > 0)
    .reduce((least, ratio) => Math.min(least, ratio), 1);
  const floor = Math.max(leastRatio, 10 ** Math.floor(Math.log10(positive) + 1e-9));
  const least = Math.min(0.1, floor);
  return {
    points: missPages,
    series: [{ name: 'miss ratio', values: missRatio, color: '--series-1', dash: [], kind: 'line' }],
    x: {
      from,
      to,
      logarithmic: true,
      title: `memory for pages of ${bytes(facts.pageSize)}, logarithmic`,
      ticks: most => powerTicks(from, to, 2, most),
      label: value => bytes(value * facts.pageSize),
    },
    y: {
      from: least,
      to: 1,
      logarithmic: true,
      title: 'miss ratio',
      ticks: most => powerTicks(least, 1, 10, most),
      label: ratioText,
    },
    marks: facts.machineMarks
      .filter(({ pages }) => pages >= from && pages <= to)
      .map(({ label, pages }) => ({ at: pages, label: `${label} ${bytes(pages * facts.pageSize)}` })),
    sentence: i => `${pagesText(missPages[i]!, facts)}: ${ratioText(missRatio[i]!)} of accesses miss`,
  };
}

const pagesText = (count: number, { pageSize }: WorkingSetFacts) =>
  `${counted(count, 'page')} (${bytes(count * pageSize)})`;

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
  const figure = (id: keyof Columns, label: string, title: string, priority: number) => ({
    id,
    label,
    title,
    width: 72,
    priority,
    numeric: true,
    cell: ({ point, set }: Point) => whole(set[id][point]!),
  });
  return new Grid<Point>({
    label: 'Epochs',
    columns: [
      {
        id: 'when',
        label: 'When',
        title: 'Epochs, and modelled time at their end',
        width: 130,
        flexible: true,
        priority: 0,
        cell: ({ point, facts, set }) => when(facts, set, point),
      },
      figure('pages', 'Touched', 'Distinct pages touched', 0),
      figure('pagesRead', 'Read', 'Distinct pages read', 1),
      figure('pagesWritten', 'Written', 'Distinct pages written', 2),
      figure('entered', 'Entered', 'Pages touched now and not in the epoch before', 3),
      figure('left', 'Left', 'Pages touched in the epoch before and not now', 4),
    ],
  });
}

function missTable(): Grid<Point> {
  return new Grid<Point>({
    label: 'Miss ratios',
    columns: [
      {
        id: 'pages',
        label: 'Memory',
        title: 'Pages that fit',
        width: 150,
        flexible: true,
        priority: 0,
        cell: ({ point, facts, set }) => pagesText(set.missPages[point]!, facts),
      },
      {
        id: 'ratio',
        label: 'Miss ratio',
        title: 'Share of accesses whose page is not among the most recently used ones',
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
