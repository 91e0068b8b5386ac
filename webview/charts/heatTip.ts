/** What lies under the pointer, beside it; a screen reader hears it elsewhere. */
import { el } from '../dom.js';

export class HeatTip {
  readonly #host: HTMLElement;
  readonly #box = el('div', { class: 'heat-tip', hidden: true, 'aria-hidden': 'true' });

  constructor(host: HTMLElement) {
    this.#host = host;
    host.append(this.#box);
  }

  /** @param lines null: nothing is told */
  show({ offsetX, offsetY }: PointerEvent, lines: readonly string[] | null): void {
    this.#box.hidden = lines === null;
    if (!lines) return;
    this.#box.replaceChildren(...lines.map(text => el('div', {}, text)));
    const { clientWidth, clientHeight } = this.#host;
    const { offsetWidth, offsetHeight } = this.#box;
    // Beside the pointer where there is room, never under it.
    const x = offsetX + 14 + offsetWidth > clientWidth ? Math.max(0, offsetX - 14 - offsetWidth) : offsetX + 14;
    const y = offsetY + 14 + offsetHeight > clientHeight ? Math.max(0, offsetY - 14 - offsetHeight) : offsetY + 14;
    this.#box.style.setProperty('transform', `translate(${x}px, ${y}px)`);
  }

  hide(): void {
    this.#box.hidden = true;
  }
}
