// SPDX-License-Identifier: MIT
// The rows. Records come in at any rate and are put on the page once per animation frame; the page holds a bounded number.

import { localDate, prettyPrint, shortTime, visible } from './record.js';

/** Rows on the page; as many again may wait below a paused view, and as many be held back by the filters. */
const maxRows = 5000;
/** Characters of record text held in all: records may be megabytes each. */
const maxCharacters = 48e6;
/** Characters of one unfolded record shown at once. */
const maxUnfolded = 500000;
/** Milliseconds of one frame that may go into new rows. */
const frameBudget = 10;

// Class names never come from a record.
const levelClasses = ['level-trace', 'level-debug', 'level-info', 'level-warning', 'level-error', 'level-critical'];

/**
 * Three queues, each in the order of ids, are held: `rows` (on the page), `waiting` (match the filter, not yet on the page) and
 * `hidden` (do not match; they come back when the filter changes). A view that does not follow the newest record keeps
 * its rows as they are: nothing is removed under the reader's eyes.
 */
export class RecordList {
  /** `changed()` is called after the numbers below have changed. */
  constructor(scroller, parent, changed) {
    this.scroller = scroller;
    this.parent = parent;
    this.changed = changed;
    this.matches = () => true;
    this.following = true;
    this.rows = [];
    this.waiting = [];
    this.hidden = [];
    this.characters = 0;
    /** Records that had to go from here since the page was loaded or cleared. */
    this.removed = 0;
    /** The highest id among them. */
    this.removedTo = 0;
    /** Matching records that came while the view did not follow. */
    this.newer = 0;
    /** Some of `waiting` had to go: what is in `rows` does not join on to it. */
    this.waitingCut = false;
    /** The notice that tells of records missing between those kept, if there is one. */
    this.hole = null;
    this.frame = 0;
    this.current = null;  // the row that Tab reaches
    this.today = localDate();
    parent.addEventListener('click', (event) => this.#clicked(event));
    parent.addEventListener('keydown', (event) => this.#key(event));
  }

  get shown() {
    return this.rows.length;
  }

  add(record) {
    this.characters += record.text.length;
    if (this.matches(record)) {
      this.waiting.push(record);
      this.newer += this.following ? 0 : 1;
    } else {
      this.hidden.push(record);
    }
    this.#trim();
    this.#schedule();
  }

  /** A row that says why records are missing here. It goes with its neighbours, and is shown under every filter. */
  addNotice(text) {
    this.waiting.push({ notice: text, text: '', element: null, id: this.#newestId() });
    this.#schedule();
  }

  clear() {
    this.parent.replaceChildren();
    this.rows = [];
    this.waiting = [];
    this.hidden = [];
    this.characters = 0;
    this.removed = 0;
    this.removedTo = 0;
    this.newer = 0;
    this.waitingCut = false;
    this.current = null;
    this.#schedule();
  }

  /** Sorts what is held anew by another filter. */
  setFilter(matches) {
    this.matches = matches;
    this.#rebuild();
  }

  setFollowing(following) {
    this.following = following;
    if (following) {
      this.newer = 0;
    }
    this.#schedule();
  }

  /** Shows what waits and goes to the newest record, whether or not the view follows from there. */
  jumpToNewest() {
    this.newer = 0;
    this.#rebuild();
    this.#toBottom();
  }

  atBottom() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    return scrollTop + clientHeight >= scrollHeight - 4;
  }

  #newestId() {
    const last = (queue) => queue.at(-1)?.id ?? 0;
    return Math.max(last(this.rows), last(this.waiting), last(this.hidden));
  }

  #rebuild() {
    if (this.waitingCut) {
      this.#forget(this.rows.splice(0));
    }
    // The sort is stable: a notice stays behind the record with its id.
    const all = [...this.rows, ...this.waiting, ...this.hidden].filter((one) => one !== this.hole)
      .sort((a, b) => a.id - b.id);
    const older = all.findIndex((one) => one.id > this.removedTo);
    if (older !== 0 && all.slice(0, older < 0 ? all.length : older).some(this.matches)) {
      // Rows that one filter kept while another's went: not the whole story any more.
      this.hole = { notice: 'Above this line, some records are no longer held on this page.', text: '', id: this.removedTo };
      all.splice(older < 0 ? all.length : older, 0, this.hole);
    }
    this.parent.replaceChildren();
    this.rows = [];
    this.waiting = [];
    this.hidden = [];
    this.waitingCut = false;
    this.current = null;
    for (const record of all) {
      record.element = null;
      (record.notice || this.matches(record) ? this.waiting : this.hidden).push(record);
    }
    this.#trim(1);
    this.#render(Infinity);
  }

  // Cutting the front off an array costs its length: done only once it has grown by `slack`, a fixed share of the work.
  #trim(slack = 1.25) {
    this.#cut(this.hidden, maxRows, slack);
    if (this.#cut(this.waiting, maxRows, slack)) {
      this.waitingCut = true;
    }
    while (this.characters > maxCharacters) {
      const queue = [this.hidden, this.following ? this.rows : this.waiting, this.waiting, this.rows]
        .find((one) => one.length > 1) ?? [];
      if (queue.length === 0) {
        break;
      }
      if (queue === this.rows) {
        this.#removeRows(Math.ceil(queue.length / 8));
      } else {
        this.waitingCut ||= queue === this.waiting;
        this.#cut(queue, Math.floor(queue.length * 7 / 8), 1);
      }
    }
  }

  #cut(queue, limit, slack) {
    if (queue.length <= limit * slack) {
      return false;
    }
    this.#forget(queue.splice(0, queue.length - limit));
    return true;
  }

  #forget(records) {
    for (const record of records) {
      this.characters -= record.text.length;
      if (!record.notice) {
        this.removed += 1;
        this.removedTo = Math.max(this.removedTo, record.id);
      }
    }
  }

  #removeRows(count) {
    const gone = this.rows.splice(0, count);
    for (const record of gone) {
      record.element.remove();
      if (record.element === this.current) {
        this.current = null;
      }
    }
    this.#forget(gone);
  }

  #schedule() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.#render(frameBudget);
      if (this.#room() > 0 && this.waiting.length > 0) {
        this.#schedule();
      }
    });
  }

  /** How many waiting records may become rows now. */
  #room() {
    return this.following ? maxRows : maxRows - this.rows.length;
  }

  #render(budget) {
    const deadline = performance.now() + budget;
    this.today = localDate();
    if (this.following && this.#cut(this.waiting, maxRows, 1)) {
      this.waitingCut = true;
    }
    if (this.waitingCut && this.following) {
      // Records between the rows and what waits are gone: the rows are older than anything that may be shown.
      this.#removeRows(this.rows.length);
      this.waitingCut = false;
    }
    if (!this.waitingCut) {
      const count = Math.min(this.#room(), this.waiting.length);
      const fresh = document.createDocumentFragment();
      let made = 0;
      while (made < count) {
        const record = this.waiting[made];
        record.element = this.#makeRow(record);
        fresh.append(record.element);
        this.rows.push(record);
        made += 1;
        if (made % 50 === 0 && performance.now() > deadline) {
          break;
        }
      }
      this.waiting.splice(0, made);
      this.parent.append(fresh);
      if (this.rows.length > maxRows) {
        this.#removeRows(this.rows.length - maxRows);
      }
    }
    if (this.rows.length > 0 && this.current === null) {
      this.#makeCurrent(this.rows[0].element);
    }
    if (this.following) {
      this.#toBottom();
    }
    this.changed();
  }

  #toBottom() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #makeRow(record) {
    const item = document.createElement('div');
    item.setAttribute('role', 'listitem');
    if (record.notice) {
      item.className = 'notice';
      item.textContent = record.notice;
      return item;
    }
    const row = document.createElement('div');
    row.className = `row ${levelClasses[record.severity]}${record.isError ? ' is-error' : ''}`;
    row.setAttribute('role', 'button');
    row.setAttribute('aria-expanded', 'false');
    row.tabIndex = -1;
    appendCell(row, 'time', shortTime(record.timestamp, this.today)).title = visible(record.timestamp);
    appendCell(row, 'level', record.level || '–');
    appendCell(row, 'type', record.type);
    appendCell(row, 'call', record.method && record.target ? `${record.method} ${record.target}` : record.method || record.target);
    appendCell(row, 'status', record.status);
    appendCell(row, 'duration', record.duration);
    appendCell(row, 'message', record.message);
    item.append(row);
    item.className = 'item';
    item.record = record;
    return item;
  }

  #clicked(event) {
    const row = event.target.closest('.row');
    // A click that ends a selection is for copying.
    if (row && getSelection().isCollapsed) {
      this.#makeCurrent(row.parentElement);
      this.#toggle(row.parentElement);
    }
  }

  #toggle(item) {
    const row = item.firstElementChild;
    const unfold = item.childElementCount === 1;
    row.setAttribute('aria-expanded', String(unfold));
    item.classList.toggle('unfolded', unfold);
    if (!unfold) {
      item.lastElementChild.remove();
      return;
    }
    this.onUnfold?.();
    const details = document.createElement('div');
    details.className = 'details';
    const heading = document.createElement('p');
    heading.textContent = `record #${item.record.id}`;
    const whole = visible(prettyPrint(item.record.text), true);
    const text = document.createElement('pre');
    text.textContent = whole.slice(0, maxUnfolded);
    details.append(heading, text);
    if (whole.length > maxUnfolded) {
      const more = document.createElement('button');
      more.type = 'button';
      more.textContent = `Show all ${whole.length.toLocaleString('en-GB')} characters`;
      more.addEventListener('click', () => {
        text.textContent = whole;
        more.remove();
      });
      details.append(more);
    }
    item.append(details);
  }

  #makeCurrent(item) {
    const row = item.querySelector('.row');
    if (row) {
      this.current?.querySelector('.row')?.setAttribute('tabindex', '-1');
      this.current = item;
      row.tabIndex = 0;
    }
  }

  // Tab reaches one row; the arrow keys go from there, as in a list of files.
  #key(event) {
    const row = event.target.closest('.row');
    if (!row || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const item = row.parentElement;
    if (event.key === 'Enter' || event.key === ' ') {
      this.#toggle(item);
    } else {
      const next = {
        ArrowDown: () => neighbour(item, 'nextElementSibling'),
        ArrowUp: () => neighbour(item, 'previousElementSibling'),
        Home: () => this.parent.querySelector('.item'),
        End: () => neighbour(this.parent.lastElementChild, 'previousElementSibling', true),
      }[event.key]?.();
      if (!next) {
        return;
      }
      this.#makeCurrent(next);
      next.firstElementChild.focus();
    }
    event.preventDefault();
  }
}

/** The nearest record's element in a direction, notices left out; `item` itself counts if `inclusive`. */
function neighbour(item, direction, inclusive = false) {
  let next = inclusive ? item : item[direction];
  while (next && !next.record) {
    next = next[direction];
  }
  return next;
}

/** Empty cells are left out: the grid puts each class into its own column. */
function appendCell(row, name, text) {
  const span = document.createElement('span');
  span.className = name;
  span.textContent = visible(text);
  if (text) {
    row.append(span);
  }
  return span;
}
