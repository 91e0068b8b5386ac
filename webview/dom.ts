/**
 * Elements in one expression. Text goes in as text nodes only, so nothing that a profile holds can become markup, and
 * no attribute `style` is ever set: the page's content security policy would refuse it.
 */

type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;
export type Child = Node | string | null;

/** `true` sets an attribute without a value; `false`, null and undefined leave it out. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

/** A codicon. Decoration: what it means stands beside it in words, or in the label of its button. */
export function icon(name: string): HTMLElement {
  return el('span', { class: `codicon codicon-${name}`, 'aria-hidden': 'true' });
}

const svgNamespace = 'http://www.w3.org/2000/svg';

export function svg(tag: string, attributes: Attributes, ...children: readonly Node[]): SVGElement {
  const element = document.createElementNS(svgNamespace, tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

/** A length of 0 to 1 for the style sheet, such as the filled share of a bar. */
export function setShare(element: HTMLElement, share: number): HTMLElement {
  element.style.setProperty('--share', String(Math.max(0, Math.min(1, share))));
  return element;
}
