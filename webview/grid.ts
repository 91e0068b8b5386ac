/**
 * A table of any length: an ARIA grid that holds only the rows in sight, in the editor's list colours.
 *
 * The toolkit's grid holds every row. Here rows are asked for in blocks as they come into sight; one cell takes part in
 * the tab order and arrows move it (roving focus), also into the header, where Enter sorts. Columns that do not fit are
 * left out by priority; whoever shows the grid shows the whole focused row elsewhere. Where rows can be copied, Shift
 * extends the selection, Ctrl+A selects all, and Ctrl+C gives them as tab-separated text with every column.
 */
import { fittingColumns, visibleRows } from './columns.js';
import { type Child, el, setAttributes } from './dom.js';
import type { Sorting } from './state.js';

export interface GridColumn<Row> {
  readonly id: string;
  readonly label: string;
  /** What the figure is, with unit and denominator: the header's tooltip. */
  readonly title: string;
  /** Least width in CSS pixels. */
  readonly width: number;
  /** Takes what is left over. */
  readonly flexible?: boolean;
  /** See ColumnSize. */
  readonly priority: number;
  readonly numeric?: boolean;
  readonly sortable?: boolean;
  cell(row: Row): Child;
  /** Tooltip of a cell. */
  hint?(row: Row): string;
  /** Unit of the copied figures: stands in their header. */
  readonly unit?: string;
  /** The cell for the clipboard: figures uncut and without separators. Columns without it are not copied. */
  text?(row: Row): string;
}

export interface GridOptions<Row> {
  readonly label: string;
  readonly columns: readonly GridColumn<Row>[];
  /** The user wants the rows in this order. */
  readonly sort?: (sorting: Sorting) => void;
  /** Enter or a double click on a row. */
  readonly activate?: (row: Row) => void;
  /** A row got the focus. */
  readonly focus?: (row: Row, index: number) => void;
  readonly failed?: (error: unknown) => void;
  /** Rows were copied: the text, and how many. */
  readonly copy?: (text: string, rows: number) => void;
}

export interface RowSource<Row> {
  readonly total: number;
  /** Rows from `from` on: at least one of those before `to`. */
  fetch(from: number, to: number): Promise<readonly Row[]> | readonly Row[];
}

/** CSS pixels; as in webview.css. */
const rowHeight = 24;
const beyond = 6;
const block = 100;

export class Grid<Row> {
  readonly element: HTMLElement;
  readonly #header: HTMLElement;
  readonly #body: HTMLElement;
  readonly #options: GridOptions<Row>;
  #columns: readonly GridColumn<Row>[];
  #shown: readonly GridColumn<Row>[] = [];
  #source: RowSource<Row> = { total: 0, fetch: () => [] };
  readonly #rows = new Map<number, Row>();
  readonly #asked = new Set<number>();
  readonly #drawn = new Map<number, HTMLElement>();
  #sorting: Sorting = { sort: '', descending: true };
  /** Focused cell: -1 is the header's row. */
  #row = 0;
  #column = 0;
  #selected = -1;
  /** Other end of the selected rows; the same row unless Shift was held. */
  #anchor = -1;
  #extending = false;
  /** The row that the view was last told of: one selected from elsewhere it was not told of. */
  #told = -1;
  /** All rows that it was told of since the rows were shown. */
  readonly #chosen = new Set<number>();

  constructor(options: GridOptions<Row>) {
    this.#options = options;
    this.#columns = options.columns;
    this.#header = el('div', { role: 'row', class: 'grid-row grid-header', 'aria-rowindex': 1 });
    this.#body = el('div', { role: 'rowgroup', class: 'grid-body' });
    this.element = el(
      'div',
      {
        role: 'grid',
        class: 'grid',
        'aria-label': options.label,
        'aria-readonly': 'true',
        'aria-multiselectable': options.copy ? 'true' : null,
      },
      el('div', { role: 'rowgroup', class: 'grid-head' }, this.#header),
      this.#body,
    );
    this.element.addEventListener('scroll', () => this.#draw(), { passive: true });
    this.element.addEventListener('keydown', event => this.#key(event));
    this.element.addEventListener('mousedown', event => {
      this.#extending = event.shiftKey && options.copy !== undefined;
    });
    this.element.addEventListener('focusin', event => this.#focused(event));
    this.element.addEventListener('dblclick', event => this.#activate(this.#rowOf(event.target)));
    new ResizeObserver(() => this.#layout()).observe(this.element);
  }

  /** Replaces the rows; the focus stays at its place as far as there is one. */
  show(source: RowSource<Row>, sorting: Sorting = this.#sorting): void {
    this.#source = source;
    this.#sorting = sorting;
    this.#rows.clear();
    this.#asked.clear();
    this.#row = Math.min(this.#row, source.total - 1);
    this.#selected = this.#anchor = this.#told = -1;
    this.#chosen.clear();
    setAttributes(this.element, { 'aria-rowcount': source.total + 1 });
    this.#body.style.setProperty('height', `${source.total * rowHeight}px`);
    this.element.style.setProperty('--rows', String(source.total));
    this.#redraw();
  }

  /** Other columns, for a table whose columns are data. */
  setColumns(columns: readonly GridColumn<Row>[]): void {
    this.#columns = columns;
    this.#shown = [];
    this.#layout();
  }

  /** Selects a row that was chosen elsewhere, and shows it; the focus and its events stay where they are. */
  select(index: number): void {
    if (index < 0 || index >= this.#source.total || index === this.#selected) return;
    // The late echo of a choice made here, from which the user has moved on.
    if (this.element.contains(document.activeElement) && this.#chosen.has(index)) return;
    this.#selected = this.#anchor = index;
    // The header keeps the focus: its key may be pressed again.
    if (this.#row >= 0 || !this.element.contains(document.activeElement)) this.#row = index;
    const top = index * rowHeight;
    const { scrollTop, clientHeight } = this.element;
    const hidden = top < scrollTop || top + 2 * rowHeight > scrollTop + clientHeight;
    if (hidden) this.element.scrollTop = Math.max(0, top - Math.floor(clientHeight / 2));
    this.#redraw();
  }

  /** The selected rows, or the row with the focus. */
  copySelected(): Promise<void> {
    const [from, to] = this.#selection();
    return this.#copy(from, to);
  }

  copyAll(): Promise<void> {
    return this.#copy(0, this.#source.total);
  }

  #selection(): [number, number] {
    if (this.#selected < 0) return [Math.max(0, this.#row), Math.max(0, this.#row) + 1];
    return [Math.min(this.#selected, this.#anchor), Math.max(this.#selected, this.#anchor) + 1];
  }

  #isSelected(index: number): boolean {
    if (this.#selected < 0) return false;
    const [from, to] = this.#selection();
    return index >= from && index < to;
  }

  async #copy(from: number, to: number): Promise<void> {
    const source = this.#source;
    const columns = this.#columns.filter(column => column.text);
    const lines = [columns.map(({ label, unit }) => (unit ? `${label} (${unit})` : label))];
    try {
      // A block may give fewer rows than it was asked for.
      for (let at = from; at < Math.min(to, source.total); ) {
        const rows = await source.fetch(at, Math.min(at + block, to));
        if (rows.length === 0) break;
        for (const row of rows.slice(0, to - at)) lines.push(columns.map(column => column.text!(row)));
        at += rows.length;
      }
    } catch (error) {
      this.#options.failed?.(error);
      return;
    }
    const text = lines.map(cells => cells.map(cell => cell.replaceAll(/[\t\r\n]+/g, ' ')).join('\t')).join('\n');
    this.#options.copy?.(`${text}\n`, lines.length - 1);
  }

  scrollToTop(): void {
    this.element.scrollTop = 0;
    // The header keeps the focus when its key sorted: it may be pressed again.
    if (this.#row > 0) this.#row = 0;
  }

  #layout(): void {
    const width = this.element.clientWidth;
    if (width === 0) return;
    const shown = fittingColumns(this.#columns, width - 8).map(i => this.#columns[i]!);
    const same = shown.length === this.#shown.length && shown.every((column, i) => column === this.#shown[i]);
    if (same) {
      this.#draw();
      return;
    }
    this.#shown = shown;
    this.#column = Math.min(this.#column, shown.length - 1);
    const tracks = shown.map(({ width, flexible }) => (flexible ? `minmax(${width}px, 1fr)` : `${width}px`));
    this.element.style.setProperty('--tracks', tracks.join(' '));
    setAttributes(this.element, { 'aria-colcount': this.#columns.length });
    this.#redraw();
  }

  #redraw(): void {
    // Elements that go take the focus with them: it is given to their successor.
    const hadFocus = this.#body.contains(document.activeElement) || this.#header.contains(document.activeElement);
    for (const row of this.#drawn.values()) row.remove();
    this.#drawn.clear();
    this.#header.replaceChildren(...this.#shown.map((column, i) => this.#headerCell(column, i)));
    this.#draw();
    if (hadFocus) this.#focusCell();
  }

  #headerCell(column: GridColumn<Row>, index: number): HTMLElement {
    const { sort, descending } = this.#sorting;
    const sorted = column.id === sort;
    const cell = el('div', {
      role: 'columnheader',
      class: `grid-cell${column.numeric ? ' numeric' : ''}${column.sortable ? ' sortable' : ''}`,
      'aria-colindex': this.#columns.indexOf(column) + 1,
      'aria-sort': column.sortable ? (sorted ? (descending ? 'descending' : 'ascending') : 'none') : null,
      title: column.title,
      tabindex: this.#row === -1 && this.#column === index ? 0 : -1,
    });
    cell.append(el('span', { class: 'grid-text' }, column.label));
    if (sorted) {
      cell.append(
        el('span', { class: `codicon codicon-${descending ? 'arrow-down' : 'arrow-up'}`, 'aria-hidden': 'true' }),
      );
    }
    if (column.sortable) cell.addEventListener('click', () => this.#sortBy(column));
    return cell;
  }

  #sortBy(column: GridColumn<Row>): void {
    const { sort, descending } = this.#sorting;
    // Figures are wanted from the greatest down, names from A on; a second time turns it round.
    const wanted = column.id === sort ? !descending : column.numeric === true;
    this.#options.sort?.({ sort: column.id, descending: wanted });
  }

  #draw(): void {
    if (this.#shown.length === 0) return;
    const { scrollTop, clientHeight } = this.element;
    const [from, to] = visibleRows(scrollTop, clientHeight, rowHeight, this.#source.total, beyond);
    for (const [index, row] of this.#drawn) {
      // The focused row stays, so that the focus does: arrows continue from it.
      if ((index < from || index >= to) && index !== this.#row) {
        row.remove();
        this.#drawn.delete(index);
      }
    }
    for (let index = from; index < to; index++) this.#drawRow(index);
    if (this.#row >= 0) this.#drawRow(this.#row);
    this.#ask(from, to);
  }

  #drawRow(index: number): void {
    if (this.#drawn.has(index) || index >= this.#source.total) return;
    const row = el('div', {
      role: 'row',
      class: `grid-row${this.#isSelected(index) ? ' selected' : ''}${index % 2 ? ' odd' : ''}`,
      'aria-rowindex': index + 2,
      'aria-selected': this.#isSelected(index) ? 'true' : null,
    });
    row.style.setProperty('top', `${index * rowHeight}px`);
    row.dataset.index = String(index);
    const data = this.#rows.get(index);
    this.#shown.forEach((column, i) => {
      const cell = el('div', {
        role: 'gridcell',
        class: `grid-cell${column.numeric ? ' numeric' : ''}`,
        'aria-colindex': this.#columns.indexOf(column) + 1,
        tabindex: this.#row === index && this.#column === i ? 0 : -1,
      });
      if (data !== undefined) fillCell(cell, column, data);
      row.append(cell);
    });
    this.#drawn.set(index, row);
    // In the order of the rows, which is that of a screen reader.
    const next = [...this.#drawn.keys()].filter(other => other > index).sort((a, b) => a - b)[0];
    this.#body.insertBefore(row, next === undefined ? null : this.#drawn.get(next)!);
  }

  /** Asks for the blocks in sight that are not there yet. */
  #ask(from: number, to: number): void {
    const source = this.#source;
    for (let start = Math.floor(from / block) * block; start < to; start += block) {
      if (this.#asked.has(start)) continue;
      this.#asked.add(start);
      const answer = source.fetch(start, Math.min(start + block, source.total));
      if (answer instanceof Promise) {
        answer.then(
          rows => source === this.#source && this.#arrived(start, rows),
          error => {
            this.#asked.delete(start);
            this.#options.failed?.(error);
          },
        );
      } else this.#arrived(start, answer);
    }
  }

  #arrived(start: number, rows: readonly Row[]): void {
    rows.forEach((data, i) => {
      const index = start + i;
      this.#rows.set(index, data);
      const row = this.#drawn.get(index);
      if (!row) return;
      this.#shown.forEach((column, c) => {
        fillCell(row.children[c] as HTMLElement, column, data);
      });
    });
  }

  #key(event: KeyboardEvent): void {
    const last = this.#source.total - 1;
    const screen = Math.max(1, Math.floor(this.element.clientHeight / rowHeight) - 2);
    const end = this.#shown.length - 1;
    const whole = event.ctrlKey || event.metaKey;
    const moves: Readonly<Record<string, () => [number, number]>> = {
      ArrowDown: () => [this.#row + 1, this.#column],
      ArrowUp: () => [this.#row - 1, this.#column],
      ArrowRight: () => [this.#row, this.#column + 1],
      ArrowLeft: () => [this.#row, this.#column - 1],
      Home: () => [whole ? 0 : this.#row, 0],
      End: () => [whole ? last : this.#row, end],
      PageDown: () => [this.#row + screen, this.#column],
      PageUp: () => [Math.max(0, this.#row - screen), this.#column],
    };
    if (event.key === 'Enter' || event.key === ' ') {
      const column = this.#shown[this.#column];
      if (this.#row === -1) {
        if (column?.sortable) this.#sortBy(column);
      } else this.#activate(this.#row);
      event.preventDefault();
      return;
    }
    if (this.#options.copy && whole && (event.key === 'c' || event.key === 'a')) {
      if (event.key === 'c') void this.copySelected();
      else this.#selectAll();
      event.preventDefault();
      return;
    }
    const move = moves[event.key];
    if (!move) return;
    this.#extending = event.shiftKey && this.#options.copy !== undefined;
    const [row, column] = move();
    this.#row = Math.max(-1, Math.min(row, last));
    this.#column = Math.max(0, Math.min(column, end));
    this.#focusCell();
    event.preventDefault();
  }

  #focusCell(): void {
    if (this.#row >= 0) {
      const top = this.#row * rowHeight;
      const room = this.element.clientHeight - rowHeight;
      if (top < this.element.scrollTop) this.element.scrollTop = top;
      else if (top + rowHeight > this.element.scrollTop + room) this.element.scrollTop = top + rowHeight - room;
      this.#draw();
    }
    const row = this.#row === -1 ? this.#header : this.#drawn.get(this.#row);
    (row?.children[this.#column] as HTMLElement | undefined)?.focus({ preventScroll: true });
  }

  /** By key or by mouse: the cell is the one of the tab order, and its row the selected one. */
  #focused({ target }: FocusEvent): void {
    const cell = (target as HTMLElement).closest('.grid-cell');
    const row = cell?.parentElement;
    if (!cell || !row) return;
    for (const old of this.element.querySelectorAll('.grid-cell[tabindex="0"]')) setAttributes(old, { tabindex: -1 });
    setAttributes(cell, { tabindex: 0 });
    this.#column = [...row.children].indexOf(cell);
    this.#row = row === this.#header ? -1 : Number(row.dataset.index);
    const extending = this.#extending && this.#anchor >= 0;
    this.#extending = false;
    const alone = extending || this.#anchor === this.#selected;
    if (this.#row < 0 || (this.#row === this.#told && this.#row === this.#selected && alone)) return;
    this.#told = this.#row;
    this.#chosen.add(this.#row);
    this.#selected = this.#row;
    if (!extending) this.#anchor = this.#row;
    this.#markSelected();
    const data = this.#rows.get(this.#row);
    if (data !== undefined) this.#options.focus?.(data, this.#row);
  }

  #selectAll(): void {
    if (this.#source.total === 0) return;
    this.#anchor = 0;
    this.#selected = this.#source.total - 1;
    this.#markSelected();
  }

  #markSelected(): void {
    for (const [index, row] of this.#drawn) {
      const selected = this.#isSelected(index);
      row.classList.toggle('selected', selected);
      setAttributes(row, { 'aria-selected': selected ? 'true' : null });
    }
  }

  #rowOf(target: EventTarget | null): number {
    const index = (target as HTMLElement | null)?.closest<HTMLElement>('.grid-body .grid-row')?.dataset.index;
    return index === undefined ? -1 : Number(index);
  }

  #activate(index: number): void {
    const data = this.#rows.get(index);
    if (data !== undefined) this.#options.activate?.(data);
  }
}

function fillCell<Row>(cell: HTMLElement, column: GridColumn<Row>, row: Row): void {
  const content = column.cell(row);
  cell.replaceChildren(content instanceof Node ? content : el('span', { class: 'grid-text' }, content ?? ''));
  const hint = column.hint?.(row);
  if (hint) cell.title = hint;
}

/** Rows that are all here. */
export function rowsOf<Row>(rows: readonly Row[]): RowSource<Row> {
  return { total: rows.length, fetch: (from, to) => rows.slice(from, to) };
}

/** Sorts by a field; rows without a value come last, whatever the direction. */
export function sortedBy<Row>(
  rows: readonly Row[],
  value: (row: Row) => number | string | null,
  descending: boolean,
): Row[] {
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return x < y ? -sign : x > y ? sign : 0;
  });
}
