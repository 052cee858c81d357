// SPDX-License-Identifier: MIT
// One list over live and past: rows from the stream at its end, older ones from the files at its beginning, both by id, so that
// there is no seam at which a record could be lost or shown twice.

import { ApiError, type Api } from './api.js';
import { firstReplay } from './early_stream.js';
import { LogStream, type Surroundings } from './log_stream.js';
import { withTerm } from './query.js';
import { makeRecord, type LogRecord } from './record.js';
import { isErrorRow, RowList } from './rows.js';
import { isNarrowed, noFilter, parametersOf, type Filter } from './view_state.js';

const pageLines = 500;
const contextLines = 150;
/** Strings of older records are cut to this: a row needs no more, and the details are asked for whole. */
const elide = '2000';
/** A search comes back after this long to tell how far it is. */
const scanMs = '400';
/** A frame has 16 ms; the rows have to be drawn as well. */
const frameBudgetMs = 7;
/** What a view begins with is shown at once, the newest of it being at its end. */
const firstBudgetMs = 50;
/** Nobody waits for a frame of a hidden tab, and browsers call it once a second. */
const hiddenBudgetMs = 250;

export type OlderState = 'idle' | 'loading' | 'end' | 'failed' | 'cleared';

export interface ViewListener {
  /**
   * Rows were added, changed or removed. `before` rows were added in front of the others (removed, if negative). `inFrame`: a
   * frame is being made, what is drawn now is in it.
   */
  rowsChanged(before: number, inFrame?: boolean): void;
  /** The stream was refused: perhaps the daemon wants its token. */
  refused?(): void;
  /** Something else that is told has changed. */
  changed(): void;
  /** Errors that nobody has seen yet. */
  unseenErrors(): void;
}

/** Calls `flush` when the next frame is drawn, or soon if no frames are drawn. */
export type Scheduler = (flush: () => void) => void;

export class LogView {
  readonly rows: RowList;
  readonly stream: LogStream;
  filter: Filter = { ...noFilter };
  /** The newest row is to be seen. */
  following = true;
  /** There are newer rows than the last one of the list, which it does not hold. */
  detached = false;
  /** Since the view began: records that came over the stream, errors among them. */
  received = 0;
  errors = 0;
  /** Came since the view last followed. */
  unseen = 0;
  unseenErrors = 0;
  older: OlderState = 'idle';
  olderError = '';
  /** A search into the past has come down to this id; it began at `searchedFrom`. */
  scannedTo = 0;
  searchedFrom = 0;
  /** Records told as lost, by the daemon's gaps. */
  lost = 0;
  lostAt = 0;
  /** What answers instead of a stream, such as a proxy's 502; '' while there is one, or if nothing does. */
  refusal = '';
  /** Records a second over the last seconds. */
  rate = 0;

  private queue: { id: number; text: string }[] = [];
  private readonly notices: { after: number; text: string }[] = [];
  private scheduled = false;
  private abort: AbortController | null = null;
  private asked: AbortController | null = null;
  private loadingNewer = false;
  private began = 0;
  /** Errors that peekAtErrors() has counted ahead of the stream. */
  private peeked = 0;
  /** Records up to this id have been counted: some come again when a list joins the live end. */
  private countedTo = 0;
  private explained = 0;
  private rateTimes: { at: number; received: number }[] = [];

  constructor(
    private readonly api: Api,
    private readonly around: Surroundings,
    private readonly schedule: Scheduler,
    private readonly on: ViewListener,
    rows = new RowList(),
  ) {
    this.rows = rows;
    this.stream = new LogStream(`${api.base}/stream`, around, {
      record: (id, text) => {
        this.queue.push({ id, text });
        this.wake();
      },
      gap: (from, to) => this.gap(from, to),
      refused: () => this.on.refused?.(),
      changed: () => {
        this.updateRate();
        if (this.peeked > 0 && this.stream.state !== 'hidden') {
          // They come over the stream now, and are counted there if nobody sees them.
          this.unseenErrors = Math.max(0, this.unseenErrors - this.peeked);
          this.peeked = 0;
          this.on.unseenErrors();
        }
        this.explainFailures();
        this.on.changed();
      },
    });
  }

  // An EventSource does not tell what it was answered; another request is.
  private explainFailures(): void {
    const { failures } = this.stream;
    if (failures === this.explained) return;
    this.explained = failures;
    if (failures === 0) {
      this.refusal = '';
      return;
    }
    this.api.newestId().then(() => '', (error: unknown) => (error instanceof ApiError ? error.message : '')).then((refusal) => {
      if (this.stream.failures === 0 || refusal === this.refusal) return;
      this.refusal = refusal;
      this.on.changed();
    }, () => undefined);
  }

  /** Records that have come and are not rows yet. */
  get waiting(): number {
    return this.queue.length;
  }

  /**
   * Shows what matches `filter`: the newest, or if `around` is an id, what is near it. Throws an ApiError, and goes on
   * as before, if the daemon cannot read the filter.
   */
  async show(filter: Filter, around = 0): Promise<void> {
    const abort = new AbortController();
    // Of two that overlap the later one counts.
    this.asked?.abort();
    this.asked = abort;
    const parameters = parametersOf(filter);
    if (around > 0) {
      await this.showAround(filter, around, abort);
    } else if (isNarrowed(filter) || this.stream.off) {
      const [newest] = await Promise.all([
        this.api.newestId(abort.signal),
        // Says whether the filter can be read before anything that is shown goes away.
        this.api.recent(with_(parameters, { lines: '1', scan_ms: '1', elide: '16' }), abort.signal),
      ]);
      this.begin(filter, abort);
      this.searchedFrom = newest + 1;
      this.scannedTo = newest + 1;
      this.stream.start(parameters.toString(), `after=${newest}`);
      void this.loadOlder();
    } else {
      this.begin(filter, abort);
      this.stream.start('', firstReplay);
    }
    this.on.rowsChanged(0);
    this.on.changed();
  }

  private async showAround(filter: Filter, id: number, abort: AbortController): Promise<void> {
    const parameters = parametersOf(filter);
    const [newest, before, after] = await Promise.all([
      this.api.newestId(abort.signal),
      this.api.recent(with_(parameters, { before: String(id + 1), lines: String(contextLines), elide, scan_ms: '2000' }), abort.signal),
      this.api.recent(with_(parameters, { after: String(id), lines: String(contextLines), elide, scan_ms: '2000' }), abort.signal),
    ]);
    this.begin(filter, abort);
    for (const record of [...before.records, ...after.records]) this.rows.append(record);
    this.searchedFrom = newest + 1;
    this.scannedTo = before.scannedTo ?? before.records[0]?.id ?? id;
    if (this.scannedTo === 0) this.older = 'end';
    this.following = false;
    const reached = Math.max(id, after.records[after.records.length - 1]?.id ?? 0);
    this.detached = after.records.length >= contextLines;
    this.stream.start(parameters.toString(), `after=${this.detached ? newest : reached}`);
  }

  private begin(filter: Filter, abort: AbortController): void {
    this.abort?.abort();
    this.abort = abort;
    this.filter = { ...filter };
    this.queue = [];
    this.notices.length = 0;
    this.rows.clear();
    this.rateTimes = [];
    this.rate = 0;
    this.began = this.around.now();
    this.countedTo = 0;
    this.received = this.errors = this.unseen = this.unseenErrors = this.lost = 0;
    this.following = true;
    this.detached = false;
    this.loadingNewer = false;
    this.older = 'idle';
    this.scannedTo = this.searchedFrom = 0;
  }

  setFollowing(following: boolean): void {
    if (following && this.detached) {
      // Without an answer everything stays as it is; the button is still there.
      this.show(this.filter).catch(() => this.on.changed());
      return;
    }
    this.following = following;
    if (following) {
      this.unseen = 0;
      this.seen();
      if (this.rows.trimOldest() > 0) this.on.rowsChanged(0);
    }
    this.on.changed();
  }

  /** Somebody looks at the newest rows. */
  seen(): void {
    if (this.unseenErrors === 0) return;
    this.unseenErrors = 0;
    this.on.unseenErrors();
  }

  /**
   * While the tab has given its stream back: asks how many errors have come since, so that its title can tell. The records
   * themselves come over the stream once somebody looks.
   */
  async peekAtErrors(): Promise<void> {
    const { stream } = this;
    if (stream.state !== 'hidden' || stream.lastId === null) return;
    const asked = with_(parametersOf({ ...this.filter, q: withTerm(this.filter.q, 'type:errors') }), {
      after: String(stream.lastId), lines: '1000', elide: '16', scan_ms: scanMs,
    });
    try {
      const { records } = await this.api.recent(asked);
      if (stream.state !== 'hidden' || records.length === this.peeked) return;
      this.unseenErrors += records.length - this.peeked;
      this.peeked = records.length;
      this.on.unseenErrors();
    } catch {
      // Asked again.
    }
  }

  /** Empties the page; the log itself stays as it is. */
  clear(): void {
    // What is under way would come back.
    this.abort?.abort();
    this.abort = new AbortController();
    const first = this.rows.firstKey;
    this.rows.clear();
    if (this.stream.lastId !== null) this.scannedTo = this.stream.lastId + 1;
    else if (Number.isFinite(first)) this.scannedTo = Math.floor(first);
    this.older = 'cleared';
    this.unseen = 0;
    this.lost = 0;
    this.following = true;
    this.detached = false;
    this.loadingNewer = false;
    this.seen();
    this.on.rowsChanged(0);
    this.on.changed();
  }

  /** Loads what is older than the first row. After clear() only if `asked`. */
  async loadOlder(asked = false): Promise<void> {
    if (this.older === 'loading' || this.older === 'end' || (this.older === 'cleared' && !asked)) return;
    const first = this.rows.rows.find((row) => row.first)?.first?.id;
    let before = this.scannedTo > 0 ? Math.min(this.scannedTo, first ?? Infinity) : (first ?? 0);
    if (before === 0) {
      if (this.stream.lastId === null) return; // nothing known yet
      before = this.stream.lastId + 1;
    }
    if (this.searchedFrom === 0) this.searchedFrom = before;
    const { abort } = this;
    if (!abort) return; // nothing shown yet
    this.older = 'loading';
    this.on.changed();
    try {
      let missing = pageLines;
      while (missing > 0) {
        const page = await this.api.recent(
          with_(parametersOf(this.filter), { before: String(before), lines: String(missing), elide, scan_ms: scanMs }), abort.signal);
        if (abort.signal.aborted) return;
        missing -= page.records.length;
        this.addOlder(page.records);
        before = page.scannedTo ?? page.records[0]?.id ?? 0;
        this.scannedTo = before;
        this.on.changed();
        if (before <= 1) {
          this.older = 'end';
          this.on.changed();
          return;
        }
        // A search that has filled most of a page has filled the view: what is older is read when somebody scrolls there.
        if (missing < pageLines - 100 && this.filter.q !== '') break;
      }
      this.older = 'idle';
    } catch (error) {
      if (abort.signal.aborted) return;
      this.older = 'failed';
      this.olderError = String((error as Error).message);
    }
    this.on.changed();
  }

  private addOlder(records: LogRecord[]): void {
    if (records.length === 0) return;
    const before = this.rows.rows.length;
    this.rows.prepend(records);
    const added = this.rows.rows.length - before;
    if (this.rows.full && !this.following && this.rows.trimNewest() > 0) this.detached = true;
    this.on.rowsChanged(added);
  }

  /** Of a detached list: loads what is newer than the last row, up to where the stream goes on. */
  async loadNewer(): Promise<void> {
    if (!this.detached || this.loadingNewer) return;
    const rows = this.rows.rows;
    const last = rows[rows.length - 1];
    if (!last) return;
    this.loadingNewer = true;
    const { abort } = this;
    if (!abort) return; // nothing shown yet
    try {
      const from = Math.max(last.first?.id ?? 0, last.second?.id ?? 0, Math.floor(last.key), this.newestShown());
      const page = await this.api.recent(
        with_(parametersOf(this.filter), { after: String(from), lines: String(pageLines), elide, scan_ms: scanMs }), abort.signal);
      if (abort.signal.aborted) return;
      for (const record of page.records) this.rows.append(record);
      const removed = this.rows.trimOldest();
      if (removed > 0) this.older = 'idle';
      this.on.rowsChanged(-removed);
      const reached = page.scannedTo ?? page.records[page.records.length - 1]?.id ?? from;
      if (page.records.length < pageLines) {
        // The rest comes over the stream, from exactly here.
        this.detached = false;
        this.queue = [];
        this.stream.start(parametersOf(this.filter).toString(), `after=${reached}`);
      }
    } catch {
      // Asked again at the next scroll.
    } finally {
      if (this.abort === abort) this.loadingNewer = false;
      this.on.changed();
    }
  }

  // A folded response may be newer than all rows behind its own.
  private newestShown(): number {
    const rows = this.rows.rows;
    let newest = 0;
    for (let i = rows.length - 1; i >= Math.max(0, rows.length - 2000); i -= 1) {
      newest = Math.max(newest, rows[i]?.second?.id ?? 0, rows[i]?.first?.id ?? 0);
    }
    return newest;
  }

  private gap(from: number | null, to: number): void {
    const count = from === null ? 0 : to - from + 1;
    this.lost += count;
    this.lostAt = this.around.now();
    this.notices.push({
      after: to,
      text: from === null ? `Records up to #${to} are no longer kept.` : `Records #${from}–#${to} were removed before they could be shown.`,
    });
    this.wake();
  }

  private wake(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  /** Makes rows of what has come, for as long as a frame allows. */
  flush(budget = this.around.hidden() ? hiddenBudgetMs : this.received === 0 ? firstBudgetMs : frameBudgetMs): void {
    const deadline = performance.now() + budget;
    const errorsBefore = this.unseenErrors;
    const attended = this.following && !this.around.hidden();
    let done = 0;
    while (done < this.queue.length) {
      const { id, text } = this.queue[done] as { id: number; text: string };
      this.addNotices(id);
      const record = makeRecord(id, text);
      if (id > this.countedTo) {
        this.countedTo = id;
        this.received += 1;
        if (record.isError) {
          this.errors += 1;
          if (!attended) this.unseenErrors += 1;
        }
        if (!this.following) this.unseen += 1;
      }
      if (!this.detached) {
        if (this.rows.full) {
          if (this.following) this.rows.trimOldest();
          else this.detached = true;
        }
        if (!this.detached) this.rows.append(record);
      }
      done += 1;
      if (done % 32 === 0 && performance.now() > deadline) break;
    }
    this.queue = done === this.queue.length ? [] : this.queue.slice(done);
    if (this.queue.length === 0) this.addNotices(Infinity);
    else this.wake();
    this.on.rowsChanged(0, true);
    if (this.unseenErrors !== errorsBefore) this.on.unseenErrors();
  }

  private addNotices(before: number): void {
    while (this.notices.length > 0 && (this.notices[0] as { after: number }).after < before) {
      const { after, text } = this.notices.shift() as { after: number; text: string };
      if (!this.detached) this.rows.appendNotice(after, text);
    }
  }

  private updateRate(): void {
    const now = this.around.now();
    // What a view begins with has come at other times.
    if (now - this.began < 2500) return;
    const times = this.rateTimes;
    times.push({ at: now, received: this.received });
    while (times.length > 2 && now - (times[0] as { at: number }).at > 5000) times.shift();
    const first = times[0] as { at: number; received: number };
    this.rate = now > first.at ? ((this.received - first.received) * 1000) / (now - first.at) : 0;
  }
}

export { isErrorRow };

function with_(parameters: URLSearchParams, more: Record<string, string>): URLSearchParams {
  const all = new URLSearchParams(parameters);
  for (const [key, value] of Object.entries(more)) all.set(key, value);
  return all;
}
