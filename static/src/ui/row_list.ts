// SPDX-License-Identifier: MIT
// The list on the page: of all rows only those in view are elements, and these are used again. Drawn at most once a frame.

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';

import type { TimeMode } from '../model/format.js';
import { fieldsOf } from '../model/record.js';
import type { Row, RowList } from '../model/rows.js';
import { visible } from '../model/visible.js';
import { cellsOf, type CellContext } from './row_cells.js';
import { columns } from './settings.js';

const floodIntervalMs = 100;
/** Rows that turn out lower than thought bring others into view, which are measured in turn: so often at most in a frame. */
const measuresAFrame = 4;
const aboutModels = new Set(['model', 'tokens', 'speed']);
/** Narrower lists do without these, so that something is left for the message. */
const leftOut: [number, Set<string>][] = [[980, new Set(['tokens', 'speed'])], [860, new Set(['model', 'level', 'type'])]];

export interface ListOptions {
  columns: string[];
  fields: string[];
  rowHeight: number;
  wrap: boolean;
  /** Two lines a row, laid out by the style sheet. */
  phone: boolean;
  time: TimeMode;
  words: string[];
}

export interface ListEvents {
  /** The user scrolled away from the newest row, or came back to it. */
  follow(following: boolean): void;
  nearStart(): void;
  nearEnd(): void;
  clicked(row: Row, event: MouseEvent, column: string): void;
  /** Which columns there are, from left to right. */
  columnsChanged(shown: string[]): void;
  /** The first rows that this list ever has are elements now. */
  firstRows(): void;
}

interface Item {
  element: HTMLElement;
  cells: Map<string, HTMLElement>;
  row: Row | null;
  second: unknown;
  drawnWith: number;
  ticks: boolean;
  /** Pixels from the beginning of the list. */
  start: number;
}

export class RowListView {
  private readonly virtualizer: Virtualizer<HTMLElement, HTMLElement>;
  private readonly items = new Map<number, Item>();
  private readonly pool: Item[] = [];
  private options: ListOptions;
  /** Grows with every change that all rows have to be drawn anew for. */
  private generation = 0;
  private frame = 0;
  private lastTop = 0;
  private selectedKey = -1;
  private following = true;
  /** Rows with a higher key are not shown; Infinity for all. */
  private frozenKey = Infinity;
  private sawModel = false;
  private width = 0;
  private pressed: { row: Row | undefined; column: string; x: number; y: number } | null = null;
  private drawn = false;
  /** Rows beside those in view that are elements too; none while the page has not been painted. */
  private overscan = 0;
  private height = 0;
  private lastDraw = 0;
  private drawnRows = 0;
  private measuring = false;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly canvas: HTMLElement,
    private readonly rows: RowList,
    options: ListOptions,
    private readonly on: ListEvents,
  ) {
    this.options = options;
    this.virtualizer = new Virtualizer<HTMLElement, HTMLElement>(this.virtualOptions());
    // measure() does, in the frame in which the rows move.
    this.virtualizer.shouldAdjustScrollPositionOnItemSizeChange = () => false;
    this.height = scroller.clientHeight;
    this.width = scroller.clientWidth;
    this.virtualizer._didMount();
    this.virtualizer._willUpdate();
    this.applyTemplate();
    scroller.addEventListener('scroll', () => this.scrolled(), { passive: true });
    scroller.addEventListener('wheel', (event) => {
      if (event.deltaY < 0 && scroller.scrollHeight > scroller.clientHeight) this.leave();
    }, { passive: true });
    canvas.addEventListener('pointerdown', (event) => {
      this.pressed = event.button === 0 ? { row: this.rowAt(event), column: columnAt(event), x: event.clientX, y: event.clientY } : null;
    });
    canvas.addEventListener('pointerup', (event) => this.released(event));
    canvas.addEventListener('pointercancel', () => { this.pressed = null; });
    // Without a pointer: what assistive technology and scripts do.
    canvas.addEventListener('click', (event) => {
      const row = event.detail === 0 ? this.rowAt(event) : undefined;
      if (row) this.on.clicked(row, event, columnAt(event));
    });
    new ResizeObserver(() => this.resized()).observe(scroller);
    // In-flight requests and ages tick.
    setInterval(() => {
      if ([...this.items.values()].some((item) => item.ticks)) this.redraw((item) => item.ticks);
    }, 500);
  }

  get count(): number {
    if (this.frozenKey === Infinity) return this.rows.rows.length;
    let low = 0;
    let high = this.rows.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.rows.rows[middle] as Row).key <= this.frozenKey) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  setOptions(options: ListOptions): void {
    const measuresAnew = options.rowHeight !== this.options.rowHeight || options.wrap !== this.options.wrap;
    this.options = options;
    this.generation += 1;
    this.applyTemplate();
    if (measuresAnew) this.virtualizer.measure();
    this.changed(0);
  }

  setFollowing(following: boolean, frozen: boolean): void {
    this.following = following;
    this.frozenKey = frozen ? (this.rows.rows[this.rows.rows.length - 1]?.key ?? -1) : Infinity;
    this.changed(0);
  }

  select(key: number): void {
    this.selectedKey = key;
    this.redraw(() => false);
  }

  /** Brings a row into view. */
  show(index: number, align: 'auto' | 'center' = 'auto'): void {
    this.sync();
    this.virtualizer.scrollToIndex(index, { align });
    this.lastTop = this.scroller.scrollTop;
    this.changed(0);
  }

  /** Rows have changed; `before` were added in front (removed, if negative): what is in view stays where it is. */
  changed(before: number): void {
    if (before !== 0 && !this.following) this.keepInView(before);
    // The first time there is something to draw it does not wait for a frame.
    if (!this.drawn && this.rows.rows.length === 0) return;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.drawInTime();
    });
  }

  // By the first row in view that is still there: rows may be of any height, and responses that were folded into older rows
  // are gone from between the others.
  private keepInView(before: number): void {
    const anchor = this.firstInView();
    this.sync();
    this.scrollBy(this.movedBy(anchor) ?? before * this.options.rowHeight);
  }

  /** The first row in view, if it is still in the list. */
  private firstInView(): Item | undefined {
    const top = this.scroller.scrollTop;
    const inView = [...this.items.values()].filter((item) => item.start + this.options.rowHeight > top).sort((a, b) => a.start - b.start);
    return inView.find((item) => item.row && this.rows.placeOf(item.row) >= 0);
  }

  /** How far a row has to go from where it was put last, in pixels. */
  private movedBy(item: Item | undefined): number | undefined {
    const start = item?.row ? this.virtualizer.measurementsCache[this.rows.placeOf(item.row)]?.start : undefined;
    return start === undefined || !item ? undefined : start - item.start;
  }

  private scrollBy(pixels: number): void {
    this.scroller.scrollTop = Math.max(0, this.scroller.scrollTop + pixels);
    this.lastTop = this.scroller.scrollTop;
  }

  /** As changed(0), in a frame that is being made. */
  drawNow(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.drawInTime();
  }

  /** Puts the list's elements into another one, with what is in view. */
  moveTo(place: HTMLElement): void {
    this.overscan = 6;
    place.append(this.scroller);
    this.applyTemplate();
    this.scroller.scrollTop = this.lastTop;
    this.resized();
  }

  // When each frame would replace all that is in view, nobody can read it: then ten times a second is enough, and the page
  // stays free for whoever uses it.
  private drawInTime(): void {
    const fresh = this.rows.rows.length + this.rows.removed - this.drawnRows;
    const flood = this.drawn && this.following && fresh * this.options.rowHeight > this.height;
    if (flood && performance.now() - this.lastDraw < floodIntervalMs) {
      this.frame ||= requestAnimationFrame(() => {
        this.frame = 0;
        this.drawInTime();
      });
      return;
    }
    this.draw();
  }

  atBottom(): boolean {
    return this.scroller.scrollTop + this.scroller.clientHeight >= this.scroller.scrollHeight - 4;
  }

  private virtualOptions(): ConstructorParameters<typeof Virtualizer<HTMLElement, HTMLElement>>[0] {
    return {
      count: this.count,
      getScrollElement: () => this.scroller,
      estimateSize: () => this.options.rowHeight,
      getItemKey: (index) => this.rows.rows[index]?.key ?? index,
      scrollToFn: elementScroll,
      observeElementRect,
      observeElementOffset,
      overscan: this.overscan,
      onChange: () => {
        if (!this.measuring) this.changed(0);
      },
    };
  }

  // The list's own idea of how many rows there are, and the height of all of them.
  private sync(): void {
    this.virtualizer.setOptions(this.virtualOptions());
    this.virtualizer._willUpdate();
    const height = `${this.virtualizer.getTotalSize()}px`;
    if (this.canvas.style.height !== height) this.canvas.style.height = height;
  }

  private draw(): void {
    this.lastDraw = performance.now();
    this.drawnRows = this.rows.rows.length + this.rows.removed;
    this.sync();
    this.place((item) => item.ticks);
    // What is wrapped is as high as the browser makes it, which it tells of elements only. Before anybody sees them, rows are
    // put where that leaves them.
    for (let i = 0; this.options.wrap && i < measuresAFrame && this.measure(); i += 1) this.place(() => false);
  }

  // Draws what is in view, or, following, the end.
  private place(outdated: (item: Item) => boolean): void {
    if (!this.following) {
      this.virtualizer.scrollOffset = this.scroller.scrollTop;
      this.redraw(outdated);
      return;
    }
    // Where the end will be, by arithmetic: reading it from the page would make the browser lay everything out twice. The
    // virtualizer's own scroll event comes a frame later, and by then hundreds of rows may have come.
    const end = Math.max(0, this.virtualizer.getTotalSize() - this.height);
    this.virtualizer.scrollOffset = end;
    this.redraw(outdated);
    this.scroller.scrollTop = end;
    this.lastTop = end;
  }

  // Takes the heights of the rows that are elements. True if one is another than thought; the first row in view stays there.
  private measure(): boolean {
    const anchor = this.firstInView();
    let changed = false;
    this.measuring = true;
    for (const item of this.items.values()) {
      const place = item.row ? this.rows.placeOf(item.row) : -1;
      const height = item.element.offsetHeight;
      if (place < 0 || height === this.virtualizer.measurementsCache[place]?.size) continue;
      this.virtualizer.resizeItem(place, height);
      changed = true;
    }
    this.measuring = false;
    if (!changed) return false;
    this.sync();
    if (!this.following) this.scrollBy(this.movedBy(anchor) ?? 0);
    return true;
  }

  private redraw(outdated: (item: Item) => boolean): void {
    const shown = this.virtualizer.getVirtualItems();
    const keep = new Set<number>();
    for (const one of shown) {
      const row = this.rows.rows[one.index];
      if (row) keep.add(row.key);
    }
    for (const [key, item] of this.items) {
      if (!keep.has(key)) {
        this.items.delete(key);
        this.pool.push(item);
      }
    }
    if (!this.sawModel && shown.some(({ index }) => tellsOfModel(this.rows.rows[index]))) {
      this.sawModel = true;
      this.generation += 1;
      this.applyTemplate();
    }
    const context: CellContext = { now: Date.now(), time: this.options.time, fields: this.options.fields, hasType: this.options.columns.includes('type') };
    const total = String(this.rows.rows.length);
    for (const { index, start } of shown) {
      const row = this.rows.rows[index];
      if (!row) continue;
      let item = this.items.get(row.key);
      if (!item) {
        item = this.pool.pop() ?? this.makeItem();
        this.items.set(row.key, item);
      }
      if (item.row !== row || item.second !== row.second || item.drawnWith !== this.generation || outdated(item)) {
        this.fill(item, row, context);
      }
      const element = item.element;
      item.start = start;
      element.style.transform = `translateY(${start}px)`;
      element.setAttribute('aria-posinset', String(index + 1));
      element.setAttribute('aria-setsize', total);
      const selected = String(row.key === this.selectedKey);
      if (element.getAttribute('aria-selected') !== selected) element.setAttribute('aria-selected', selected);
      element.dataset['index'] = String(index);
      element.id = `row-${index}`;
    }
    for (const item of this.pool) {
      if (item.row) {
        item.row = null;
        item.element.remove();
      }
    }
    if (shown.length > 0 && !this.drawn) {
      this.drawn = true;
      performance.mark('first-rows');
      this.on.firstRows();
    }
    const selected = this.items.get(this.selectedKey);
    if (selected) this.scroller.setAttribute('aria-activedescendant', selected.element.id);
    else this.scroller.removeAttribute('aria-activedescendant');
  }

  private makeItem(): Item {
    const element = document.createElement('div');
    element.setAttribute('role', 'option');
    return { element, cells: new Map(), row: null, second: null, drawnWith: -1, ticks: false, start: 0 };
  }

  private fill(item: Item, row: Row, context: CellContext): void {
    const { element } = item;
    const drawnWith = this.generation;
    if (item.drawnWith !== drawnWith) {
      element.replaceChildren();
      item.cells.clear();
      for (const id of this.shownColumns) {
        const cell = document.createElement('span');
        cell.className = `cell ${id.startsWith('field:') ? 'field' : id}`;
        cell.dataset['column'] = id;
        item.cells.set(id, cell);
        element.append(cell);
      }
    }
    const cells = cellsOf(row, context);
    if (element.className !== cells.className) element.className = cells.className;
    for (const [id, cell] of item.cells) {
      const text = cells.text[id] ?? '';
      if (id === 'message') this.fillMessage(cell, text, cells.aside);
      else setText(cell, text);
      if (id === 'time') cell.title = visible(cells.timestamp);
      else if (id === 'request' || id === 'model') cell.title = text;
      else if (id === 'duration') cell.style.backgroundSize = `${Math.round(Math.max(0, cells.share) * 100)}% 66%`;
    }
    item.row = row;
    item.second = row.second;
    item.drawnWith = drawnWith;
    item.ticks = cells.ticks;
    if (!element.isConnected) this.canvas.append(element);
  }

  private fillMessage(cell: HTMLElement, text: string, aside: string): void {
    const { words } = this.options;
    const [first, second] = cell.childNodes;
    if (words.length === 0 && aside === '' && !second) {
      setText(cell, text);
    } else if (words.length === 0 && first instanceof Text && second instanceof HTMLElement && cell.childNodes.length === 2) {
      first.nodeValue = text;
      setText(second, aside);
    } else {
      const less = document.createElement('span');
      less.className = 'aside';
      less.append(...marked(aside, words));
      cell.replaceChildren(...marked(text, words), ...(aside || words.length === 0 ? [less] : []));
    }
  }

  // Columns about the model appear with the first record that tells of one.
  private get shownColumns(): string[] {
    const narrow = leftOut.filter(([width]) => this.width > 0 && this.width < width && !this.options.phone);
    const known = this.options.columns.filter((id) => (this.sawModel || !aboutModels.has(id)) && !narrow.some(([, out]) => out.has(id)));
    return [...known, ...this.options.fields.map((field) => `field:${field}`)];
  }

  private resized(): void {
    const before = this.shownColumns.join();
    this.width = this.scroller.clientWidth;
    this.height = this.scroller.clientHeight;
    if (this.shownColumns.join() !== before) {
      this.generation += 1;
      this.applyTemplate();
    }
    this.changed(0);
  }

  private applyTemplate(): void {
    const tracks = this.shownColumns.map((id) => columns.find((column) => column.id === id)?.width ?? 'minmax(5em, 14em)');
    this.scroller.closest<HTMLElement>('.list')?.style.setProperty('--columns', tracks.join(' '));
    this.on.columnsChanged(this.shownColumns);
  }

  private scrolled(): void {
    const top = this.scroller.scrollTop;
    const up = top < this.lastTop - 1;
    this.lastTop = top;
    if (this.following && up && !this.atBottom()) this.leave();
    else if (!this.following && !up && this.frozenKey === Infinity && this.atBottom()) this.on.follow(true);
    const view = this.scroller.clientHeight;
    if (top < view && !this.following) this.on.nearStart();
    if (top + view * 2 > this.scroller.scrollHeight) this.on.nearEnd();
  }

  private leave(): void {
    if (this.following) this.on.follow(false);
    if (this.scroller.scrollTop < this.scroller.clientHeight) this.on.nearStart();
  }

  private rowAt(event: Event): Row | undefined {
    const element = (event.target as Element).closest<HTMLElement>('[data-index]');
    return element ? this.rows.rows[Number(element.dataset['index'])] : undefined;
  }

  // The row that the pointer went down on is meant: at thousands of records a second another one is there when it goes up,
  // and the browser then sees no click at all. One that has moved has selected text.
  private released(event: PointerEvent): void {
    const pressed = this.pressed;
    this.pressed = null;
    if (!pressed?.row || Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > 4) return;
    this.on.clicked(pressed.row, event, pressed.column);
  }
}

function tellsOfModel(row: Row | undefined): boolean {
  return row?.first != null && row.first.kind !== 'other' && (fieldsOf(row.first).model !== '' || (row.second !== null && fieldsOf(row.second).model !== ''));
}

function columnAt(event: Event): string {
  return (event.target as Element).closest<HTMLElement>('[data-column]')?.dataset['column'] ?? '';
}

/** Changes the text within its node: a new node would cost the browser a new box. */
function setText(element: Element, text: string): void {
  const node = element.firstChild;
  if (node instanceof Text && !node.nextSibling) {
    if (node.nodeValue !== text) node.nodeValue = text;
  } else if (node || text) {
    element.textContent = text;
  }
}

/** Text with the searched words marked. */
function marked(text: string, words: string[]): Node[] {
  if (words.length === 0) return [document.createTextNode(text)];
  const pattern = new RegExp(words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'), 'gi');
  const parts: Node[] = [];
  let at = 0;
  for (const found of text.matchAll(pattern)) {
    const mark = document.createElement('mark');
    mark.textContent = found[0];
    parts.push(document.createTextNode(text.slice(at, found.index)), mark);
    at = (found.index ?? 0) + found[0].length;
  }
  parts.push(document.createTextNode(text.slice(at)));
  return parts;
}
