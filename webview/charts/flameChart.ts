/**
 * A flame graph upside down (an icicle): callers above, what they call below, widths by weight.
 *
 * Mouse: pointing reads, a click zooms. Keys: arrows move, Enter zooms, Backspace zooms out, Ctrl+Enter goes to the
 * source. What a colour says also stands in the frame's words.
 */

import { word } from '../../core/model/words.js';
import type { FlameFacts, FlameFrame } from '../../core/protocol.js';
import { el } from '../dom.js';
import { percent } from '../format.js';
import * as l10n from '../l10n.js';
import type { FlameColor } from '../state.js';
import { boxAt, type FlameBox, type FlameLayout, flameLayout, matches, neighbour, searchWords } from './flameLayout.js';
import { type Frame, fitText, fontOf, Surface, themeValue } from './surface.js';

export interface FlameLook {
  readonly leftHeavy: boolean;
  readonly color: FlameColor;
  readonly search: string;
}

export interface FlameEvents {
  /** The frame under the cursor; `aloud` when it was moved by keys. */
  readonly pointed: (frame: number, aloud: boolean) => void;
  readonly zoom: (frame: number) => void;
  readonly zoomOut: () => void;
  readonly open: (frame: number) => void;
}

/** CSS pixels. */
export const flameRow = 20;
const fontSize = 11;
/** Narrower frames hold no word. */
const leastText = 28;
const stripe = 3;

export class FlameChart {
  readonly element = el('div', {
    class: 'flame-chart',
    role: 'application',
    tabindex: 0,
    'aria-roledescription': l10n.t('flame graph'),
    'aria-label': l10n.t('Frames by weight'),
    'aria-describedby': 'flame-help',
  });
  readonly #surface: Surface;
  readonly #events: FlameEvents;
  #facts: FlameFacts | null = null;
  #look: FlameLook = { leftHeavy: true, color: 'class', search: '' };
  #layout: FlameLayout | null = null;
  #cursor = 0;

  constructor(events: FlameEvents) {
    this.#events = events;
    this.#surface = new Surface(this.element, frame => this.#draw(frame));
    this.element.addEventListener('pointermove', event => this.#hover(event));
    this.element.addEventListener('click', event => this.#click(event));
    this.element.addEventListener('keydown', event => this.#key(event));
    this.element.addEventListener('focus', () => this.#point(this.#cursor, false));
    this.element.addEventListener('blur', () => this.#surface.redraw());
  }

  /** @param cursor frame that has the cursor at first */
  show(facts: FlameFacts, look: FlameLook, cursor: number): void {
    this.#facts = facts;
    this.#look = look;
    this.#layout = flameLayout(facts.frames, facts.root, look.leftHeavy);
    this.#cursor = cursor;
    this.element.style.setProperty('height', `${this.#layout.rows.length * flameRow + 1}px`);
    this.#surface.redraw();
  }

  #point(frame: number, aloud: boolean): void {
    if (!this.#facts) return;
    this.#cursor = frame;
    this.#events.pointed(frame, aloud);
    this.#surface.redraw();
  }

  #at({ offsetX, offsetY }: MouseEvent): FlameBox | null {
    const { frame } = this.#surface;
    return frame && this.#layout && boxAt(this.#layout, Math.floor(offsetY / flameRow), offsetX / frame.width);
  }

  #hover(event: PointerEvent): void {
    const box = this.#at(event);
    if (box && box.frame !== this.#cursor) this.#point(box.frame, false);
  }

  #click(event: MouseEvent): void {
    const box = this.#at(event);
    if (!box) return;
    this.#point(box.frame, false);
    this.#events.zoom(box.frame);
  }

  #key(event: KeyboardEvent): void {
    if (!this.#facts || !this.#layout || event.altKey || event.metaKey) return;
    const next = neighbour(this.#layout, this.#facts.frames, this.#cursor, event.key);
    if (next !== null) {
      this.#point(next, true);
      this.#reveal(next);
    } else if (event.key === 'Enter' && event.ctrlKey) this.#events.open(this.#cursor);
    else if (event.key === 'Enter') this.#events.zoom(this.#cursor);
    else if (event.key === 'Backspace') this.#events.zoomOut();
    else if (!event.key.startsWith('Arrow')) return;
    event.preventDefault();
  }

  /** Deep stacks are higher than the window. */
  #reveal(frame: number): void {
    const depth = this.#layout?.boxes[frame]?.depth ?? 0;
    const scroller = this.element.closest('main');
    if (!scroller) return;
    const top = this.element.getBoundingClientRect().top - scroller.getBoundingClientRect().top + depth * flameRow;
    if (top < 0) scroller.scrollTop += top;
    else if (top + flameRow > scroller.clientHeight) scroller.scrollTop += top + flameRow - scroller.clientHeight;
  }

  #draw(frame: Frame): void {
    if (!this.#facts || !this.#layout) return;
    drawFlame(frame, this.element, this.#facts, this.#layout, this.#look);
    const box = this.#layout.boxes[this.#cursor];
    if (!box || document.activeElement !== this.element) return;
    const { context, width } = frame;
    context.strokeStyle = themeValue(this.element, '--focus');
    context.lineWidth = 2;
    const from = box.from * width;
    context.strokeRect(from + 1, box.depth * flameRow + 1, Math.max(3, (box.to - box.from) * width - 2), flameRow - 2);
  }
}

/** Every frame that is wide enough to be seen; on the screen, or in a picture. */
export function drawFlame(
  { context, width, ratio }: Frame,
  style: Element,
  { frames }: FlameFacts,
  layout: FlameLayout,
  { color, search }: FlameLook,
): void {
  const words = searchWords(search);
  const total = frames[0]?.weight ?? 0;
  const ink = themeValue(style, '--foreground');
  const ground = themeValue(style, '--plot-background');
  const colors = new Map(Object.entries(flameColors).map(([kind, name]) => [kind, themeValue(style, name)]));
  context.font = fontOf(style, fontSize);
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.lineWidth = 1;
  for (const row of layout.rows) {
    for (const box of row) {
      const frame = frames[box.frame]!;
      const [x, y] = [box.from * width, box.depth * flameRow];
      const wide = (box.to - box.from) * width;
      if (wide < 1 / ratio) continue;
      const kind = kindOf(frame, color);
      const dim = words.length > 0 && !matches(frame.name, words);
      const fill = colors.get(kind)!;
      context.fillStyle = fill;
      context.globalAlpha = dim ? 0.12 : opacities[kind];
      context.fillRect(x, y, wide, flameRow - 1);
      context.globalAlpha = dim ? 0.3 : 1;
      if (wide > 3 * stripe) drawStripe(context, kind, x, y, fill);
      context.globalAlpha = 1;
      context.strokeStyle = ground;
      context.strokeRect(x + 0.5, y - 0.5, Math.max(0.5, wide - 1), flameRow);
      if (wide < leastText) continue;
      context.globalAlpha = dim ? 0.6 : 1;
      context.fillStyle = ink;
      const text = fitText(context, frame.name, wide - 12, wide > 160 ? ` · ${tailOf(frame, total, color)}` : '');
      context.fillText(text, x + 7, y + flameRow / 2);
      context.globalAlpha = 1;
    }
  }
}

/** What the colour says, in words, behind the share. */
function tailOf(frame: FlameFrame, total: number, color: FlameColor): string {
  const share = percent(total > 0 ? frame.weight / total : 0);
  const accesses = frame.reads + frame.writes;
  if (frame.kind === 'all' || accesses === 0) return share;
  return color === 'class'
    ? `${share} · ${word(frame.hotness)}`
    : l10n.t('{0} · {1} write', share, percent(frame.writes / accesses));
}

export type FlameFill = 'hot' | 'warm' | 'cold' | 'read' | 'both' | 'written' | 'none';

/** Variables of webview.css. */
export const flameColors: Readonly<Record<FlameFill, string>> = {
  hot: '--hot',
  warm: '--warm',
  cold: '--cold',
  read: '--series-1',
  both: '--series-2',
  written: '--series-3',
  none: '--note',
};

/** Text stands on it: the editor's colours are too strong for that. */
const opacities: Readonly<Record<FlameFill, number>> = {
  hot: 0.4,
  warm: 0.3,
  cold: 0.2,
  read: 0.4,
  both: 0.3,
  written: 0.4,
  none: 0.2,
};

/** More than two thirds of the accesses make a frame one that is mostly read, or mostly written. */
const mostly = 2 / 3;

function kindOf({ kind, reads, writes, hotness }: FlameFrame, color: FlameColor): FlameFill {
  const accesses = reads + writes;
  if (kind === 'all' || kind === 'rest' || accesses === 0) return 'none';
  if (color === 'class') return hotness === 'hot' || hotness === 'warm' || hotness === 'cold' ? hotness : 'none';
  if (writes / accesses > mostly) return 'written';
  return reads / accesses > mostly ? 'read' : 'both';
}

/** The left edge tells the same as the colour: whole for the first of each three, broken for the second, none for the third. */
function drawStripe(context: Frame['context'], kind: FlameFill, x: number, y: number, color: string): void {
  context.fillStyle = color;
  if (kind === 'hot' || kind === 'written') context.fillRect(x + 1, y, stripe, flameRow - 1);
  if (kind === 'warm' || kind === 'both') {
    context.fillRect(x + 1, y + 2, stripe, 6);
    context.fillRect(x + 1, y + 11, stripe, 6);
  }
}
