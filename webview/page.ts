/**
 * The page around the views: tabs, progress of the run, and for each view its loading, error and empty state.
 *
 * A view is made when first shown. When the selection changes, the view in front loads again at once and the others
 * when they come to the front.
 */

import type { LiveHeat, ProfileProgress, Selection, ViewId } from '../core/protocol.js';
import { el, icon, setAttributes } from './dom.js';
import * as host from './host.js';
import * as l10n from './l10n.js';
import { onlyFocusChanged } from './selection.js';
import { SelectionStrip } from './selectionStrip.js';
import { type State, stateFrom } from './state.js';
import { button } from './toolkit.js';
import { NoProfile, type View, type ViewContext, type ViewKind } from './views/view.js';
import { views } from './views/views.js';

/** The extension greets with the selection at once if there is one; until then nothing shows, rather than a flash. */
const greetingMs = 300;

const ids = views.map(view => view.id);

/** Before the first profile, while a program is recorded. */
const nothingSelected: Selection = {
  profile: null,
  tracker: 'exact',
  tiers: '',
  tierChanges: [],
  policy: '',
  phase: null,
  window: null,
  focus: null,
  baseline: null,
};

interface Panel {
  readonly kind: ViewKind;
  readonly tab: HTMLElement;
  readonly element: HTMLElement;
  readonly content: HTMLElement;
  readonly message: HTMLElement;
  view: View | null;
  /** What was loaded is of an older selection, or nothing was. */
  stale: boolean;
  /** Number of the latest load: an earlier one that ends later says nothing. */
  load: number;
}

export class Page {
  #state: State = stateFrom(host.savedState(), ids);
  #selection: Selection | null = null;
  #recording: LiveHeat | null = null;
  readonly #panels: readonly Panel[];
  readonly #progress = progressBar();
  readonly #strip = new SelectionStrip(change => void this.#select(change));
  readonly #live = el('div', { class: 'visually-hidden', 'aria-live': 'polite' });

  constructor(root: HTMLElement) {
    this.#panels = views.map(kind => this.#panel(kind));
    const tabs = el('div', { role: 'tablist', class: 'tabs', 'aria-label': l10n.t('Views') });
    tabs.append(...this.#panels.map(panel => panel.tab));
    // Fonts come late, and a side panel has any width.
    const resized = new ResizeObserver(() => this.#revealTab());
    for (const element of [tabs, ...this.#panels.map(panel => panel.tab)]) resized.observe(element);
    tabs.addEventListener('keydown', event => this.#tabKey(event));
    root.append(
      el('header', {}, tabs, this.#strip.element, this.#progress.element),
      el('main', {}, ...this.#panels.map(panel => panel.element)),
      this.#live,
    );
    this.#mark(this.#state.view);
    // Nothing is asked for before a selection comes: asking would start core in a window where nobody profiles.
    setTimeout(() => {
      if (!this.#selection) this.#failed(this.#current(), new NoProfile());
    }, greetingMs);
  }

  /** Shows the selection, also one equal to the last: a program profiled again may be kept in the same file. */
  select(selection: Selection): void {
    const before = this.#selection;
    this.#selection = selection;
    if (before?.profile !== selection.profile) this.#strip.offer([]);
    this.#strip.show(selection);
    for (const panel of this.#panels) panel.stale = true;
    void this.#follow(before, selection);
  }

  /** Phases after what is looked at: finding them may take a moment in a large profile. */
  async #follow(before: Selection | null, selection: Selection): Promise<void> {
    await this.#load(this.#current());
    if (!onlyFocusChanged(before, selection)) await this.#offerPhases(selection);
  }

  async #offerPhases({ profile }: Selection): Promise<void> {
    // Without phases the page works; what is wrong with the profile, its views say.
    const phases = profile === null ? [] : await host.request('pagelens/phases', {}).catch(() => []);
    if (this.#selection?.profile === profile) this.#strip.offer(phases);
  }

  progress(progress: ProfileProgress | null): void {
    this.#progress.show(progress);
    if (progress !== null || !this.#recording) return;
    this.#recording = null;
    for (const panel of this.#panels) if (panel.kind.live) panel.stale = true;
    if (this.#current().kind.live) void this.#load(this.#current());
  }

  /** A recording goes on: the views that grow with it show it until it ends. */
  liveHeat(heat: LiveHeat): void {
    this.#selection ??= nothingSelected;
    this.#recording = heat;
    this.#showRecording(this.#current(), heat);
  }

  #showRecording(panel: Panel, heat: LiveHeat): void {
    if (!panel.kind.live) return;
    panel.view ??= this.#create(panel);
    panel.message.hidden = true;
    panel.content.hidden = false;
    panel.view.live?.(heat);
  }

  /** Brings a view to the front; one that this page does not have leaves it as it is. */
  show(id: ViewId): void {
    if (ids.includes(id)) this.#show(id);
  }

  async #select(change: Partial<Selection>): Promise<void> {
    try {
      await host.request('pagelens/select', change);
    } catch (error) {
      this.#failed(this.#current(), error);
    }
  }

  #current(): Panel {
    return this.#panels.find(panel => panel.kind.id === this.#state.view)!;
  }

  #panel(kind: ViewKind): Panel {
    const tab = el(
      'button',
      { type: 'button', role: 'tab', id: `tab-${kind.id}`, 'aria-controls': `panel-${kind.id}`, title: kind.label },
      icon(kind.icon),
      el('span', { class: 'tab-label' }, kind.label),
    );
    tab.addEventListener('click', () => this.#show(kind.id));
    const message = el('div', { class: 'message', hidden: true });
    const content = el('div', { class: 'content' });
    const element = el(
      'div',
      { role: 'tabpanel', id: `panel-${kind.id}`, class: `panel ${kind.id}`, 'aria-labelledby': `tab-${kind.id}` },
      message,
      content,
    );
    return { kind, tab, element, content, message, view: null, stale: true, load: 0 };
  }

  #show(id: ViewId): void {
    if (id === this.#state.view) return;
    this.#remember({ view: id });
    this.#mark(id);
    const panel = this.#current();
    if (this.#recording && panel.kind.live) this.#showRecording(panel, this.#recording);
    else if (!this.#selection) this.#failed(panel, new NoProfile());
    else if (panel.stale) void this.#load(panel);
  }

  #mark(id: ViewId): void {
    for (const { kind, tab, element } of this.#panels) {
      const front = kind.id === id;
      setAttributes(tab, { 'aria-selected': String(front), tabindex: front ? 0 : -1 });
      element.hidden = !front;
    }
    this.#revealTab();
  }

  /** Narrow, the strip of tabs scrolls, and only the tab in front has its words. */
  #revealTab(): void {
    this.#current().tab.scrollIntoView({ inline: 'nearest', block: 'nearest' });
  }

  #tabKey(event: KeyboardEvent): void {
    const at = ids.indexOf(this.#state.view);
    const to: Readonly<Record<string, number>> = {
      ArrowRight: (at + 1) % ids.length,
      ArrowLeft: (at + ids.length - 1) % ids.length,
      Home: 0,
      End: ids.length - 1,
    };
    const next = to[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.#show(ids[next]!);
    this.#panels[next]!.tab.focus();
  }

  #remember(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    host.saveState(this.#state);
  }

  async #load(panel: Panel): Promise<void> {
    const load = ++panel.load;
    panel.stale = false;
    if (this.#selection?.profile == null) {
      this.#failed(panel, new NoProfile());
      return;
    }
    panel.view ??= this.#create(panel);
    setAttributes(panel.element, { 'aria-busy': 'true' });
    try {
      await panel.view.load();
      if (load !== panel.load) return;
      panel.message.hidden = true;
      panel.content.hidden = false;
    } catch (error) {
      if (load === panel.load) this.#failed(panel, error);
    } finally {
      if (load === panel.load) setAttributes(panel.element, { 'aria-busy': null });
    }
  }

  #create(panel: Panel): View {
    const { kind } = panel;
    const context: ViewContext = {
      selection: () => this.#selection!,
      ask: async query => {
        const data = await host.request('pagelens/view', { view: kind.id, ...query });
        if (!data) throw new NoProfile();
        return data;
      },
      // The extension tells every page of the new selection, this one too.
      select: async change => void (await host.request('pagelens/select', change)),
      reveal: host.reveal,
      show: id => this.#show(id),
      run: host.runCommand,
      copy: host.copy,
      savePicture: host.savePicture,
      state: () => this.#state,
      remember: change => this.#remember(change),
      failed: error => this.#failed(panel, error),
      announce: text => {
        this.#live.textContent = text;
      },
    };
    const view = kind.create(context);
    panel.content.append(view.element);
    return view;
  }

  #failed(panel: Panel, error: unknown): void {
    panel.content.hidden = true;
    panel.message.hidden = false;
    panel.message.replaceChildren(...(error instanceof NoProfile ? nothingYet() : this.#broken(panel, error)));
  }

  #broken(panel: Panel, error: unknown): Node[] {
    const reason = error instanceof Error ? error.message : String(error);
    return [
      el(
        'p',
        { role: 'alert', class: 'error' },
        icon('error'),
        l10n.t('{0} could not be shown: {1}', panel.kind.label, reason),
      ),
      el('p', {}, l10n.t('Try again; if it stays so, the log holds the details.')),
      el(
        'div',
        { class: 'buttons' },
        button({
          label: l10n.t('Try again'),
          icon: 'refresh',
          appearance: 'primary',
          press: () => void this.#load(panel),
        }),
        button({
          label: l10n.t('Show log'),
          icon: 'output',
          appearance: 'secondary',
          press: () => host.runCommand('pagelens.showLog'),
        }),
      ),
    ];
  }
}

function nothingYet(): Node[] {
  return [
    el('h2', {}, l10n.t('No profile yet')),
    el(
      'p',
      {},
      l10n.t(
        'Profile a program to see which of its lines and allocations make which memory pages hot, whether they are read or written, and where those pages should live.',
      ),
    ),
    el(
      'div',
      { class: 'buttons' },
      button({
        label: l10n.t('Profile page accesses'),
        icon: 'play',
        appearance: 'primary',
        press: () => host.runCommand('pagelens.profile'),
      }),
      button({
        label: l10n.t('Profile the sample'),
        icon: 'beaker',
        appearance: 'secondary',
        press: () => host.runCommand('pagelens.profileSample'),
      }),
      button({
        label: l10n.t('Open a profile or trace'),
        icon: 'folder-opened',
        appearance: 'secondary',
        press: () => host.runCommand('pagelens.open'),
      }),
    ),
  ];
}

/** Progress of a run: what is done now, how far it is where that is known, and a way to stop it. */
function progressBar() {
  const words = el('span', { class: 'progress-words' });
  const bar = el(
    'div',
    { class: 'progress-bar', role: 'progressbar', 'aria-label': l10n.t('Progress of the run') },
    el('span'),
  );
  const cancel = button({
    label: l10n.t('Cancel; what was recorded until then is kept'),
    icon: 'debug-stop',
    appearance: 'icon',
    press: () => host.runCommand('pagelens.cancel'),
  });
  const element = el('div', { class: 'progress', hidden: true }, bar, words, cancel);
  return {
    element,
    show(progress: ProfileProgress | null): void {
      element.hidden = progress === null;
      if (!progress) return;
      words.textContent = progress.message;
      words.title = progress.message;
      bar.classList.toggle('unknown', progress.fraction === null);
      setAttributes(bar, {
        'aria-valuenow': progress.fraction === null ? null : Math.round(progress.fraction * 100),
        'aria-valuetext': progress.message,
      });
      bar.style.setProperty('--share', String(progress.fraction ?? 0));
    },
  };
}
