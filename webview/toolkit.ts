/**
 * Controls with the editor's own look. The only importer of `@vscode/webview-ui-toolkit`, which is deprecated: a
 * successor replaces this file, and nobody else knows the elements' names.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { icon, setAttributes } from './dom.js';

export function registerControls(): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeDropdown(), vsCodeOption(), vsCodeTextField());
}

export interface ButtonOptions {
  readonly label: string;
  readonly icon: string;
  /** `icon`: a toolbar's button, its label a tooltip. */
  readonly appearance: 'primary' | 'secondary' | 'icon';
  readonly press: () => void;
}

export function button({ label, icon: name, appearance, press }: ButtonOptions): HTMLElement {
  const element = document.createElement('vscode-button');
  setAttributes(element, { appearance, title: appearance === 'icon' ? label : null, 'aria-label': label });
  const glyph = icon(name);
  if (appearance === 'icon') element.append(glyph);
  else {
    glyph.slot = 'start';
    element.append(glyph, label);
  }
  element.addEventListener('click', press);
  return element;
}

/** An icon button that stays pressed. */
export function toggle(options: Omit<ButtonOptions, 'appearance' | 'press'> & { change: (on: boolean) => void }) {
  let on = false;
  const element = button({ ...options, appearance: 'icon', press: () => options.change(!on) });
  const set = (value: boolean) => {
    on = value;
    setAttributes(element, { 'aria-pressed': String(value) });
    element.classList.toggle('pressed', value);
  };
  set(false);
  return { element, set };
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** The toolkit's element as far as it is used here. */
type ValueElement = HTMLElement & { value: string };

export interface Dropdown {
  readonly element: HTMLElement;
  set(value: string, choices?: readonly Choice[]): void;
}

export function dropdown(label: string, choices: readonly Choice[], change: (value: string) => void): Dropdown {
  const element = document.createElement('vscode-dropdown') as ValueElement;
  setAttributes(element, { 'aria-label': label, title: label });
  let shown = '';
  const fill = (options: readonly Choice[]) => {
    const key = JSON.stringify(options);
    if (key === shown) return;
    shown = key;
    element.replaceChildren(
      ...options.map(choice => {
        const option = document.createElement('vscode-option');
        setAttributes(option, { value: choice.value });
        option.textContent = choice.label;
        return option;
      }),
    );
  };
  fill(choices);
  element.addEventListener('change', () => change(element.value));
  // The list inside gets no name from the toolkit, and a screen reader would announce a nameless list.
  void customElements.whenDefined('vscode-dropdown').then(() =>
    requestAnimationFrame(() => {
      const list = element.shadowRoot?.querySelector('[role=listbox]');
      if (list) setAttributes(list, { 'aria-label': label });
    }),
  );
  return {
    element,
    set(value, options) {
      if (options) fill(options);
      // Options are upgraded in a microtask; a value set before would not be found among them.
      queueMicrotask(() => {
        element.value = value;
      });
    },
  };
}

/** The toolkit names every text field "Text field", whatever its label, whenever the field enters the page. */
function keepName(field: HTMLElement, label: string): void {
  const name = () => field.getAttribute('aria-label') !== label && setAttributes(field, { 'aria-label': label });
  new MutationObserver(name).observe(field, { attributeFilter: ['aria-label'] });
  name();
}

/** A field that tells what was typed when Enter is pressed. */
export function textField(label: string, enter: (text: string) => void) {
  const element = document.createElement('vscode-text-field') as ValueElement;
  setAttributes(element, { placeholder: label });
  keepName(element, label);
  element.addEventListener('keydown', ({ key }) => {
    if (key === 'Enter') enter(element.value);
  });
  return { element: element as HTMLElement, value: () => element.value };
}

/** A field that tells what is typed once the typing pauses. */
export function filterField(label: string, value: string, change: (text: string) => void): HTMLElement {
  const pauseMs = 150;
  const element = document.createElement('vscode-text-field') as ValueElement;
  setAttributes(element, { placeholder: label, value });
  keepName(element, label);
  const glyph = icon('filter');
  glyph.slot = 'start';
  element.append(glyph);
  let timer = 0;
  element.addEventListener('input', () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => change(element.value), pauseMs);
  });
  return element;
}
