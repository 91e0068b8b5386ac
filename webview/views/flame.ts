/** Flame view: accesses, traffic or bytes by call stack. */

import { word } from '../../core/model/words.js';
import type { FlameBy, FlameFacts, FlameFrame, FlameMeasure } from '../../core/protocol.js';
import { drawFlame, FlameChart, type FlameFill, flameColors, flameRow } from '../charts/flameChart.js';
import { flameLayout } from '../charts/flameLayout.js';
import { el } from '../dom.js';
import { bytes, compact, percent, readWriteSplit, whole } from '../format.js';
import { Grid, type GridColumn, rowsOf } from '../grid.js';
import * as l10n from '../l10n.js';
import { hotness, sourceLink } from '../parts.js';
import { type Picture, pictureButton } from '../picture.js';
import type { FlameChoice, FlameColor } from '../state.js';
import { button, dropdown, filterField, toggle } from '../toolkit.js';
import { windowText } from '../window.js';
import type { View, ViewContext, ViewKind } from './view.js';

export const flame: ViewKind = {
  id: 'flame',
  label: l10n.t('Flame graph'),
  icon: 'list-tree',
  create: context => new FlameView(context),
};

const help = l10n.t(
  'Point to read, click to zoom in. Keys: arrows move, Enter zooms in, Backspace zooms out, Ctrl+Enter goes to the source.',
);

const trees = [
  { value: 'calls', label: l10n.t('By call stack') },
  { value: 'code', label: l10n.t('By code') },
  { value: 'allocation', label: l10n.t('By allocating call') },
];
const orders = [
  { value: 'down', label: l10n.t('Callers first') },
  { value: 'up', label: l10n.t('Bottom-up') },
];
const sides = [
  { value: 'heavy', label: l10n.t('Widest first') },
  { value: 'name', label: l10n.t('By name') },
];
const colors = [
  { value: 'class', label: l10n.t('Hotness class') },
  { value: 'writes', label: l10n.t('Reads and writes') },
];
const measureLabels: Readonly<Record<FlameMeasure, string>> = {
  accesses: l10n.t('Accesses'),
  reads: l10n.t('Reads'),
  writes: l10n.t('Writes'),
  traffic: l10n.t('Traffic'),
  bytes: l10n.t('Bytes'),
};

/** What the colours say: of what, and each with its words. */
const keys: Readonly<
  Record<FlameColor, { readonly of: string; readonly words: readonly (readonly [kind: FlameFill, words: string])[] }>
> = {
  class: {
    of: l10n.t('Class of most of a frame’s accesses:'),
    words: [
      ['hot', l10n.t('hot')],
      ['warm', l10n.t('warm')],
      ['cold', l10n.t('cold')],
    ],
  },
  writes: {
    of: l10n.t('A frame’s accesses:'),
    words: [
      ['written', l10n.t('more than two thirds writes')],
      ['both', l10n.t('both')],
      ['read', l10n.t('more than two thirds reads')],
    ],
  },
};

class FlameView implements View {
  readonly element = el('div', { class: 'stack flame-view' });
  readonly #chart: FlameChart;
  readonly #table: Grid<TableRow>;
  readonly #by = dropdown(l10n.t('Frames'), trees, value => this.#choose({ by: value as FlameBy, path: [] }));
  readonly #measure = dropdown(l10n.t('Width'), [], value => this.#choose({ measure: value as FlameMeasure }));
  readonly #order = dropdown(l10n.t('Order of callers'), orders, value =>
    this.#choose({ bottomUp: value === 'up', path: [] }),
  );
  readonly #side = dropdown(l10n.t('Order of frames'), sides, value => this.#choose({ leftHeavy: value === 'heavy' }));
  readonly #color = dropdown(l10n.t('Colour'), colors, value => this.#choose({ color: value as FlameColor }));
  readonly #asTable = toggle({
    label: l10n.t('Show as table'),
    icon: 'table',
    change: table => this.#choose({ table }),
  });
  readonly #meaning = el('p', { class: 'note' });
  readonly #key = el('p', { class: 'note flame-key' });
  readonly #found = el('span', { class: 'note', role: 'status' });
  readonly #path = el('nav', { class: 'flame-path', 'aria-label': l10n.t('Zoomed to') });
  readonly #readout = el('div', { class: 'readout flame-readout' });
  #facts: FlameFacts | null = null;
  #cursor = 0;
  #question = 0;

  constructor(readonly context: ViewContext) {
    this.#chart = new FlameChart({
      pointed: (frame, aloud) => this.#pointed(frame, aloud),
      zoom: frame => this.#zoom(frame),
      zoomOut: () => this.#zoomOut(),
      open: frame => this.#open(frame),
    });
    this.#table = new Grid<TableRow>({
      label: l10n.t('Frames'),
      columns: tableColumns('accesses', false),
      activate: row => row.location && context.reveal(row.location),
    });
    const { search } = context.state().flame;
    this.element.append(
      el(
        'div',
        { class: 'toolbar' },
        this.#by.element,
        this.#measure.element,
        this.#order.element,
        this.#side.element,
        this.#color.element,
        el('span', { class: 'spring' }),
        button({
          label: l10n.t('Show all'),
          icon: 'screen-normal',
          appearance: 'icon',
          press: () => this.#choose({ path: [] }),
        }),
        this.#asTable.element,
        pictureButton(context, () => this.#picture()),
      ),
      el(
        'div',
        { class: 'toolbar' },
        filterField(l10n.t('Search frames'), search, text => this.#choose({ search: text })),
        this.#found,
      ),
      this.#meaning,
      this.#path,
      this.#chart.element,
      this.#table.element,
      this.#readout,
      this.#key,
      el('p', { class: 'visually-hidden', id: 'flame-help' }, help),
    );
  }

  async load(): Promise<void> {
    await this.#ask();
  }

  #choice(): FlameChoice {
    return this.context.state().flame;
  }

  #choose(change: Partial<FlameChoice>): void {
    const next = { ...this.#choice(), ...change };
    // Only allocations have bytes.
    const measure = next.by !== 'allocation' && next.measure === 'bytes' ? 'accesses' : next.measure;
    this.context.remember({ flame: { ...next, measure } });
    this.#ask().catch(error => this.context.failed(error));
  }

  /** An answer that was overtaken by another question says nothing. */
  async #ask(): Promise<void> {
    const question = ++this.#question;
    const { by, measure, bottomUp, search, path } = this.#choice();
    const data = await this.context.ask({ options: { by, measure, bottomUp, search, root: JSON.stringify(path) } });
    if (question === this.#question) this.#show(data.facts as FlameFacts);
  }

  #show(facts: FlameFacts): void {
    const choice = this.#choice();
    const before = this.#facts && namesTo(this.#facts, this.#cursor);
    this.#facts = facts;
    this.#cursor = before ? (frameOf(facts, before) ?? facts.root) : facts.root;
    this.#by.set(facts.by);
    const measures = (Object.keys(measureLabels) as FlameMeasure[]).filter(
      measure => facts.by === 'allocation' || measure !== 'bytes',
    );
    this.#measure.set(
      choice.measure,
      measures.map(value => ({ value, label: measureLabels[value] })),
    );
    this.#order.set(choice.bottomUp ? 'up' : 'down');
    this.#side.set(choice.leftHeavy ? 'heavy' : 'name');
    this.#color.set(choice.color);
    this.#asTable.set(choice.table);
    this.#meaning.textContent = meaningOf(facts, choice);
    this.#found.textContent = foundText(facts);
    this.#key.replaceChildren(...keyOf(choice.color));
    this.#showPath(facts);
    this.#chart.element.hidden = choice.table;
    this.#key.hidden = choice.table;
    this.#readout.hidden = choice.table;
    this.#table.element.hidden = !choice.table;
    if (choice.table) {
      this.#table.setColumns(tableColumns(facts.measure, facts.frames[0]?.before !== null));
      this.#table.show(rowsOf(tableRows(facts, choice.leftHeavy)));
    } else {
      this.#chart.show(facts, choice, this.#cursor);
      this.#pointed(this.#cursor, false);
    }
  }

  #showPath(facts: FlameFacts): void {
    const parts = facts.frames.slice(0, facts.root + 1).map((frame, i) => {
      if (i === facts.root) return el('strong', {}, frame.name);
      const link = el('button', { type: 'button', class: 'link' }, frame.name);
      link.addEventListener('click', () => this.#zoom(i));
      return link;
    });
    this.#path.hidden = facts.root === 0;
    this.#path.replaceChildren(...parts.flatMap((part, i) => (i === 0 ? [part] : [' › ', part])));
  }

  #pointed(frame: number, aloud: boolean): void {
    const facts = this.#facts;
    const shown = facts?.frames[frame];
    if (!facts || !shown) return;
    this.#cursor = frame;
    const text = sentenceOf(facts, frame);
    this.#readout.replaceChildren(
      el('div', {}, sourceLink(shown.name, shown.location, this.context.reveal)),
      el('div', { class: 'note' }, text),
    );
    if (aloud) this.context.announce(`${shown.name}: ${text}`);
  }

  #zoom(frame: number): void {
    const facts = this.#facts;
    const shown = facts?.frames[frame];
    if (!facts || !shown) return;
    // What was folded has no frames to zoom to: around it there is room for them.
    const to = shown.kind === 'rest' ? shown.parent : frame;
    this.#choose({ path: namesTo(facts, to) });
    if (shown.object !== null) {
      const focus = { kind: 'object', object: shown.object } as const;
      this.context.select({ focus }).catch(error => this.context.failed(error));
    }
  }

  #zoomOut(): void {
    const { path } = this.#choice();
    if (path.length > 0) this.#choose({ path: path.slice(0, -1) });
  }

  #open(frame: number): void {
    const location = this.#facts?.frames[frame]?.location;
    if (location) this.context.reveal(location);
    else this.context.announce(l10n.t('No source line is known.'));
  }

  #picture(): Picture | null {
    const facts = this.#facts;
    if (!facts) return null;
    const choice = this.#choice();
    const layout = flameLayout(facts.frames, facts.root, choice.leftHeavy);
    return {
      name: 'flame graph',
      width: this.#chart.element.clientWidth || 900,
      parts: [
        {
          title: `${measureLabels[facts.measure]} ${trees.find(({ value }) => value === facts.by)!.label.toLowerCase()}`,
          note: meaningOf(facts, choice),
          legend: keys[choice.color].words.map(([kind, name]) => ({
            name,
            color: flameColors[kind],
            dash: [],
            kind: 'bars',
          })),
          height: layout.rows.length * flameRow,
          draw: (frame, style) => drawFlame(frame, style, facts, layout, choice),
        },
      ],
    };
  }
}

/** Names from below the whole program's frame to this one. */
function namesTo({ frames }: FlameFacts, frame: number): string[] {
  const names: string[] = [];
  for (let at = frame; at > 0; at = frames[at]!.parent) names.unshift(frames[at]!.name);
  return names;
}

function frameOf({ frames }: FlameFacts, names: readonly string[]): number | null {
  let at = 0;
  for (const name of names) {
    const next = frames.findIndex(frame => frame.parent === at && frame.name === name);
    if (next < 0) return null;
    at = next;
  }
  return at;
}

const amount = (value: number, { measure, counted }: FlameFacts) => {
  const unit = word(counted);
  if (measure === 'bytes') return bytes(value);
  if (measure === 'traffic') return l10n.t('{0} cache lines', compact(value));
  return measure === 'accesses' ? `${compact(value)} ${unit}` : `${compact(value)} ${word(measure)}`;
};

/** What a width is, of what, and when; and what the frames are. */
/** What stands below what. */
const frameMeanings: Readonly<Record<FlameBy, { readonly down: string; readonly up: string }>> = {
  calls: {
    down: l10n.t(
      'Frames: callers from the outermost, the function, the functions inlined into it, the line, the allocation that the line uses. A call that recursion comes back to stands once.',
    ),
    up: l10n.t(
      'Frames: the innermost function, below it its callers. A call that recursion comes back to stands once.',
    ),
  },
  code: {
    down: l10n.t(
      'Frames: a function, the functions inlined into it, the line, the allocation that the line uses. Calls that the compiler kept are not part of it.',
    ),
    up: l10n.t(
      'Frames: the innermost function, below it the functions that it was inlined into. Calls that the compiler kept are not part of it.',
    ),
  },
  allocation: {
    down: l10n.t(
      'Frames: the call stack of the allocating call, then the allocation; accesses to what was allocated there, whoever made them.',
    ),
    up: l10n.t(
      'Frames: the allocating function, below it its callers; accesses to what was allocated there, whoever made them.',
    ),
  },
};

function meaningOf(facts: FlameFacts, { by: wanted, bottomUp }: FlameChoice): string {
  const { by, measure, frames } = facts;
  const unit = word(facts.counted);
  const total = amount(frames[0]?.weight ?? 0, facts);
  const when = windowText(facts.window);
  const what: Readonly<Record<FlameMeasure, string>> = {
    accesses: unit,
    reads: l10n.t('{0}, reads only', unit),
    writes: l10n.t('{0}, writes only', unit),
    traffic: l10n.t('cache lines of 64 bytes that miss the modelled last-level cache, both directions'),
    bytes: l10n.t(
      'the peak of the bytes alive of each allocation; the peaks need not be at one time, so their sum may be more than was ever alive',
    ),
  };
  const stacks = frameMeanings[by][bottomUp ? 'up' : 'down'];
  const missing =
    wanted === 'calls' && by !== wanted ? l10n.t(' This recording knows no calls, so frames are by code.') : '';
  return l10n.t(
    'Width: {0}, of {1} in {2}, with all that lies below. {3}{4}',
    what[measure],
    total,
    when,
    stacks,
    missing,
  );
}

function foundText(facts: FlameFacts): string {
  const { matched, frames } = facts;
  if (!matched) return '';
  const share = percent(frames[0]!.weight > 0 ? matched.weight / frames[0]!.weight : 0);
  return matched.frames === 0
    ? l10n.t('No frame found.')
    : l10n.t(
        '{0} found, with {1} of the {2}',
        l10n.plural(matched.frames, '{0} frame', '{0} frames'),
        share,
        measureLabels[facts.measure].toLowerCase(),
      );
}

function keyOf(color: FlameColor): HTMLElement[] {
  const { of, words } = keys[color];
  return [
    el('span', {}, of),
    ...words.map(([kind, word]) =>
      el('span', {}, el('span', { class: `flame-swatch ${kind}`, 'aria-hidden': 'true' }), word),
    ),
  ];
}

/** Weight with its share, what is its own, the split and the class. */
function sentenceOf(facts: FlameFacts, at: number): string {
  const { frames, measure } = facts;
  const { weight, reads, writes, traffic, hotness: name, before } = frames[at]!;
  const total = frames[0]!.weight;
  const own = ownOf(facts, at);
  const parts = [
    l10n.t('{0} of {1} ({2})', percent(total > 0 ? weight / total : 0), amount(total, facts), amount(weight, facts)),
    before === null ? '' : l10n.t('was {0}', percent(before)),
    own > 0 && own < weight ? l10n.t('{0} its own', percent(own / total)) : '',
    reads + writes > 0 ? readWriteSplit(reads, writes) : l10n.t('no accesses'),
    measure === 'traffic' ? '' : l10n.t('{0} cache lines of traffic', compact(traffic)),
    word(name),
  ];
  return parts.filter(Boolean).join(' · ');
}

/** What no frame below it has. */
function ownOf({ frames }: FlameFacts, at: number): number {
  const below = frames.reduce((sum, frame) => sum + (frame.parent === at ? frame.weight : 0), 0);
  return Math.max(0, frames[at]!.weight - below);
}

interface TableRow extends FlameFrame {
  readonly depth: number;
  readonly own: number;
  readonly total: number;
}

/** In the order of the picture, a frame before what lies below it. */
function tableRows(facts: FlameFacts, leftHeavy: boolean): TableRow[] {
  const { frames, root } = facts;
  const { children, boxes } = flameLayout(frames, root, leftHeavy);
  const own = frames.map(frame => frame.weight);
  for (const { parent, weight } of frames) if (parent >= 0) own[parent]! -= weight;
  const rows: TableRow[] = [];
  const visit = (at: number) => {
    const { depth } = boxes[at]!;
    // A caller of the root holds more than is shown of it.
    rows.push({ ...frames[at]!, depth, own: at < root ? 0 : Math.max(0, own[at]!), total: frames[0]!.weight });
    for (const child of children[at]!) if (boxes[child]) visit(child);
  };
  if (frames.length > 0) visit(0);
  return rows;
}

function tableColumns(measure: FlameMeasure, compared: boolean): GridColumn<TableRow>[] {
  const figure = (value: number) => (measure === 'bytes' ? bytes(value) : compact(value));
  const label = measureLabels[measure];
  const columns: GridColumn<TableRow>[] = [
    {
      id: 'frame',
      label: l10n.t('Frame'),
      title: l10n.t('Frames as in the picture; each level is indented'),
      width: 140,
      flexible: true,
      priority: 0,
      cell: row => {
        const cell = el(
          'span',
          { class: 'grid-text indented' },
          el('span', { class: 'visually-hidden' }, l10n.t('level {0}: ', row.depth)),
          row.name,
        );
        cell.style.setProperty('--depth', String(Math.min(row.depth, 12)));
        return cell;
      },
      hint: row => row.name,
      text: row => `${'  '.repeat(row.depth)}${row.name}`,
    },
    {
      id: 'share',
      label: l10n.t('Share'),
      title: l10n.t('Share of all {0}, with what lies below', label.toLowerCase()),
      width: 66,
      priority: 0,
      numeric: true,
      cell: row => percent(row.total > 0 ? row.weight / row.total : 0),
      text: row => String(row.total > 0 ? row.weight / row.total : 0),
    },
    {
      id: 'before',
      label: l10n.t('Was'),
      title: l10n.t('Share that the frame with the same callers had in the run compared with'),
      width: 66,
      priority: 2,
      numeric: true,
      cell: row => (row.before === null ? '' : percent(row.before)),
      text: row => String(row.before ?? ''),
    },
    {
      id: 'weight',
      label,
      title: l10n.t('{0}, with what lies below', label),
      width: 84,
      priority: 1,
      numeric: true,
      cell: row => figure(row.weight),
      hint: row => whole(row.weight),
      text: row => String(row.weight),
    },
    {
      id: 'own',
      label: l10n.t('Own'),
      title: l10n.t('{0} that no frame below has', label),
      width: 76,
      priority: 3,
      numeric: true,
      cell: row => figure(row.own),
      hint: row => whole(row.own),
      text: row => String(row.own),
    },
    {
      id: 'writes',
      label: l10n.t('Writes'),
      title: l10n.t('Share of writes in its accesses'),
      width: 66,
      priority: 4,
      numeric: true,
      cell: row => percent(row.reads + row.writes > 0 ? row.writes / (row.reads + row.writes) : 0),
      text: row => String(row.writes),
    },
    {
      id: 'class',
      label: l10n.t('Class'),
      title: l10n.t('Class of most of its accesses'),
      width: 74,
      priority: 2,
      cell: row => (row.hotness ? hotness(row.hotness) : '—'),
      text: row => row.hotness,
    },
  ];
  return compared ? columns : columns.filter(({ id }) => id !== 'before');
}
