// SPDX-License-Identifier: MIT
// What the page does: keeps filter, list, selection and address together. Components call these actions and watch the stores.

import { Api, ApiError, type Session, type Stats } from '../model/api.js';
import { firstReplay } from '../model/early_stream.js';
import { browserSurroundings } from '../model/log_stream.js';
import { LogView } from '../model/log_view.js';
import { fieldTerm, invertTerm, withoutTerm, withTerm, wordsOf } from '../model/query.js';
import { fieldsOf } from '../model/record.js';
import { isErrorRow, type Row } from '../model/rows.js';
import { hashOf, isNarrowed, noFilter, parametersOf, sameFilter, stateFromHash, type Filter, type ViewState } from '../model/view_state.js';
import { Attention } from './attention.js';
import { RowListView } from './row_list.js';
import { loadSettings, type Settings } from './settings.js';
import { Store } from './store.js';
import { TabCensus } from './tab_census.js';

export interface Page {
  /** The filter box's error, and the place in q; '' if there is none. */
  filterError: string;
  filterErrorAt: number;
  filterErrorParameter: string;
  selected: Row | null;
  panelOpen: boolean;
  help: boolean;
  menu: boolean;
  /** Facets as a sheet, on small screens. */
  sheet: boolean;
  paused: boolean;
  shownColumns: string[];
  pinned: Row[];
  /** Said for a moment: "copied". */
  said: string;
  stats: Stats | null;
  statsError: string;
  statsBusy: boolean;
  /** Null: not asked yet. */
  session: Session | null;
}

const pinLimit = 12;
const phoneWidth = matchMedia('(max-width: 760px)');

export class Viewer {
  readonly api = new Api('logs', async (...given) => {
    const answer = await fetch(...given);
    if (answer.status === 401) this.wasSignedOut();
    return answer;
  });
  readonly settings: Store<Settings>;
  readonly address: Store<ViewState>;
  readonly page = new Store<Page>({
    filterError: '', filterErrorAt: -1, filterErrorParameter: '', selected: null, panelOpen: false, help: false, menu: false, sheet: false,
    paused: false, shownColumns: [], pinned: [], said: '', stats: null, statsError: '', statsBusy: false, session: null,
  });
  /** Counts up while something of the list has changed: what tells numbers watches this, and nothing larger does. */
  readonly ticks = new Store({ tick: 0 });
  readonly log: LogView;
  readonly census: TabCensus;
  readonly list: RowListView;
  private readonly attention = new Attention();
  private saidTimer = 0;
  private statsAbort = new AbortController();
  private statsTimer = 0;
  private tickTimer = 0;

  /** The list is drawn into the two elements; `firstRows` is called once, when it has rows. */
  constructor(scroller: HTMLElement, canvas: HTMLElement, firstRows: () => void) {
    this.address = new Store(stateFromHash(location.hash));
    let list: RowListView | null = null;
    // The first rows do not wait for a frame: the next one shows them.
    let schedule = (flush: () => void): void => void setTimeout(flush);
    this.log = new LogView(this.api, browserSurroundings(), (flush) => schedule(flush), {
      rowsChanged: (before, inFrame = false) => {
        if (inFrame) list?.drawNow();
        else list?.changed(before);
        this.tickSoon();
      },
      changed: () => this.tickSoon(),
      unseenErrors: () => this.showAttention(),
      refused: () => void this.learnSession(),
    });
    // Asked first of all: the answer comes while the rest is made.
    const shown = this.log.show(this.filter, this.address.value.id);
    this.settings = loadSettings();
    this.log.rows.setFolding(this.settings.value.fold);
    this.list = list = new RowListView(scroller, canvas, this.log.rows, this.listOptions(), {
      // The end of a list that is cut off from the live end is not the newest record: what follows is loaded there.
      follow: (following) => { if (!following || !this.log.detached) this.follow(following); },
      nearStart: () => void this.log.loadOlder(),
      nearEnd: () => void this.log.loadNewer(),
      clicked: (row, event, column) => this.rowClicked(row, event, column),
      columnsChanged: (columns) => this.page.set({ shownColumns: columns }),
      firstRows: () => {
        schedule = scheduleFrame;
        firstRows();
      },
    });
    void this.begin(shown);
    // What has come already is in the first frame.
    queueMicrotask(() => {
      if (this.log.waiting > 0) this.log.flush();
    });
    setInterval(() => void (this.log.stream.state !== 'signed_out' && this.log.peekAtErrors()), 30_000);
    this.census = new TabCensus(() => this.log.stream.wanted && this.log.stream.state !== 'hidden');
    addEventListener('hashchange', () => void this.addressChanged());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible' && this.log.following) this.log.seen();
      this.statsSoon(0);
    });
    this.settings.watch(() => this.settingsChanged());
    phoneWidth.addEventListener('change', () => this.list.setOptions(this.listOptions()));
  }

  private async begin(shown: Promise<void>): Promise<void> {
    const { id } = this.address.value;
    try {
      await shown;
      if (id > 0) {
        this.list.setFollowing(false, false);
        this.openRecord(id);
      }
    } catch (error) {
      this.showFilterError(error);
      // What can be shown is better than nothing.
      if (error instanceof ApiError && error.status < 500) await this.log.show({ ...noFilter }, 0).catch(() => undefined);
      else this.log.stream.start(parametersOf(this.filter).toString(), firstReplay);
    }
    // The rows first: drawing the first chart takes as long as they do.
    this.statsSoon(400);
  }

  // --- filter -------------------------------------------------------------------------------------------------------

  get filter(): Filter {
    const { q, level, type, since, until } = this.address.value;
    return { q, level, type, since, until };
  }

  /** Changes the filter; the list begins anew, and the address follows. */
  async setFilter(change: Partial<Filter>): Promise<void> {
    const filter = { ...this.filter, ...change };
    this.updateAddress({ ...filter, id: 0 });
    await this.applyFilter(filter);
  }

  include(term: string): void {
    void this.setFilter({ q: withTerm(this.filter.q, term) });
  }

  exclude(term: string): void {
    void this.setFilter({ q: withoutTerm(this.filter.q, term) });
  }

  invert(term: string): void {
    void this.setFilter({ q: invertTerm(this.filter.q, term) });
  }

  private async applyFilter(filter: Filter): Promise<void> {
    try {
      await this.log.show(filter);
      this.page.set({ filterError: '', filterErrorAt: -1, filterErrorParameter: '', selected: null, panelOpen: false, paused: false });
      this.list.setOptions(this.listOptions());
      this.list.setFollowing(true, false);
      this.statsSoon(0);
    } catch (error) {
      this.showFilterError(error);
    }
  }

  private showFilterError(error: unknown): void {
    if ((error as Error).name === 'AbortError') return;
    if (error instanceof ApiError && error.status === 401) {
      // What was asked for is in the address: it is shown after signing in.
      this.signIn();
      return;
    }
    if (error instanceof ApiError) {
      this.page.set({ filterError: error.message, filterErrorAt: error.parameter === 'q' ? error.at : -1, filterErrorParameter: error.parameter });
    } else {
      this.page.set({ filterError: 'The daemon cannot be asked at the moment; the filter is not applied yet.', filterErrorAt: -1, filterErrorParameter: '' });
    }
  }

  // --- address ------------------------------------------------------------------------------------------------------

  updateAddress(change: Partial<ViewState>): void {
    this.address.set(change);
    const hash = hashOf(this.address.value);
    if (hash !== location.hash) history.replaceState(null, '', hash || location.pathname + location.search);
  }

  private async addressChanged(): Promise<void> {
    const next = stateFromHash(location.hash);
    const before = this.filter;
    const { id } = this.address.value;
    this.address.set(next);
    if (next.id > 0 && next.id !== id) {
      await this.inContext(next.id, this.filter);
    } else if (!sameFilter(before, this.filter)) {
      await this.applyFilter(this.filter);
    }
    this.statsSoon(0);
  }

  linkTo(id: number): string {
    return new URL(hashOf({ ...this.address.value, ...noFilter, id }), location.href).toString();
  }

  setView(view: ViewState['view']): void {
    this.updateAddress({ view });
    this.statsSoon(0);
    if (view === 'records') requestAnimationFrame(() => this.list.changed(0));
  }

  setHours(hours: number): void {
    this.updateAddress({ hours });
    this.statsSoon(0);
  }

  // --- list ---------------------------------------------------------------------------------------------------------

  follow(following: boolean, frozen = false): void {
    this.log.setFollowing(following);
    this.page.set({ paused: frozen && !following });
    this.list.setFollowing(this.log.following || (following && this.log.detached), frozen && !following);
    this.showAttention();
  }

  toggleFollow(): void {
    this.follow(!this.log.following);
  }

  /** Stops the list where it is, also at its end; what comes is counted. */
  togglePause(): void {
    this.follow(!this.log.following, this.log.following);
  }

  clear(): void {
    this.log.clear();
    this.close();
    this.follow(true);
  }

  toggleConnection(): void {
    const stream = this.log.stream;
    if (stream.state === 'signed_out') this.signIn();
    else if (stream.wanted) stream.disconnect();
    else stream.connect();
  }

  // --- session ------------------------------------------------------------------------------------------------------

  /** Asks whether this browser is signed in, or has to be. */
  async learnSession(): Promise<void> {
    try {
      const session = await this.api.session();
      this.page.set({ session });
      if (session.required && !session.signed_in) this.wasSignedOut();
    } catch {
      // The daemon is away; whether it asks for a token is told when it is back.
    }
  }

  /** Whoever reads what is here goes on reading; a page that shows nothing yet goes to the sign-in by itself. */
  private wasSignedOut(): void {
    const { stream, rows } = this.log;
    if (stream.state === 'signed_out') return;
    stream.signedOut();
    if (rows.rows.length === 0) this.signIn();
  }

  /** Comes back to this address, with its filter and record. */
  signIn(): void {
    const next = location.search ? `?next=${encodeURIComponent(`/api/v1/logs${location.search}`)}` : '';
    location.assign(`${this.api.base}/sign-in${next}${location.hash}`);
  }

  async signOut(): Promise<void> {
    try {
      await this.api.signOut();
    } catch {
      this.say('the daemon cannot be asked at the moment; you are still signed in');
      return;
    }
    this.log.stream.signedOut();
    this.signIn();
  }

  // --- selection and details ----------------------------------------------------------------------------------------

  get selectedIndex(): number {
    const row = this.page.value.selected;
    return row ? this.log.rows.indexOf(Math.floor(row.key)) : -1;
  }

  select(index: number, open = this.page.value.panelOpen): void {
    const row = this.log.rows.rows[index];
    if (!row) return;
    if (this.log.following) this.follow(false);
    this.list.select(row.key);
    this.list.show(index);
    this.page.set({ selected: row, panelOpen: open && row.first !== null });
    if (open) this.updateAddress({ id: row.first?.id ?? 0 });
  }

  /** Moves the selection; at the ends it stays. */
  step(by: number): void {
    const last = this.list.count - 1;
    const from = this.selectedIndex;
    if (last < 0) return;
    this.select(from < 0 ? last : Math.max(0, Math.min(last, from + by)));
    if (from + by < 0) void this.log.loadOlder();
  }

  stepToError(direction: 1 | -1): void {
    const from = this.selectedIndex < 0 ? (direction > 0 ? -1 : this.log.rows.rows.length) : this.selectedIndex;
    const found = this.log.rows.search(from, direction, isErrorRow);
    if (found >= 0) this.select(found);
    else this.say(`no ${direction > 0 ? 'later' : 'earlier'} error in this list`);
  }

  close(): void {
    this.page.set({ panelOpen: false });
    this.updateAddress({ id: 0 });
  }

  open(row: Row): void {
    const index = this.log.rows.indexOf(Math.floor(row.key));
    if (index >= 0) this.select(index, true);
    else if (row.first) void this.inContext(row.first.id);
  }

  /** Shows what is near a record in time, whatever the filter was, with its details open. */
  async inContext(id: number, filter: Filter = { ...noFilter }): Promise<void> {
    try {
      await this.log.show(filter, id);
    } catch (error) {
      this.showFilterError(error);
      return;
    }
    this.updateAddress({ ...filter, id, view: 'records' });
    this.page.set({ filterError: '', filterErrorAt: -1, filterErrorParameter: '', paused: false });
    this.list.setOptions(this.listOptions());
    this.list.setFollowing(false, false);
    this.openRecord(id);
    this.statsSoon(0);
  }

  private openRecord(id: number): void {
    const index = this.log.rows.indexOf(id);
    if (index < 0) {
      this.say(`record #${id} is not in the log any more`);
      return;
    }
    this.select(index, true);
    this.list.show(index, 'center');
  }

  togglePin(): void {
    const row = this.page.value.selected;
    if (row) this.pin(row);
  }

  pin(row: Row): void {
    const { pinned } = this.page.value;
    const others = pinned.filter((one) => one.key !== row.key);
    this.page.set({ pinned: others.length < pinned.length ? others : [...pinned, row].slice(-pinLimit) });
  }

  private rowClicked(row: Row, event: MouseEvent, column: string): void {
    const index = this.log.rows.indexOf(Math.floor(row.key));
    if (event.altKey && row.first) {
      const term = filterTermOf(row, column);
      if (term) this.include(event.shiftKey ? `-${term}` : term);
      return;
    }
    if (index >= 0) this.select(index, true);
  }

  // --- told -----------------------------------------------------------------------------------------------------------

  say(text: string): void {
    this.page.set({ said: text });
    clearTimeout(this.saidTimer);
    this.saidTimer = window.setTimeout(() => this.page.set({ said: '' }), 2500);
  }

  async copy(given: string | Promise<string>, what: string): Promise<void> {
    try {
      const text = await given;
      await navigator.clipboard.writeText(text).then(() => this.say(`${what} copied`), () => this.say('the browser does not allow copying here'));
    } catch {
      this.say('not copied: the daemon cannot be asked at the moment');
    }
  }

  private showAttention(): void {
    this.attention.show(this.log.unseenErrors, this.log.stream.state === 'live' || this.log.stream.state === 'hidden');
  }

  // Numbers are drawn a few times a second, not with every record.
  private tickSoon(): void {
    if (this.tickTimer) return;
    this.tickTimer = window.setTimeout(() => {
      this.tickTimer = 0;
      this.ticks.set({ tick: this.ticks.value.tick + 1 });
      this.showAttention();
    }, 200);
  }

  private settingsChanged(): void {
    this.log.rows.setFolding(this.settings.value.fold);
    this.list.setOptions(this.listOptions());
    this.statsSoon(0);
  }

  private listOptions() {
    const { columns, fields, density, wrap, time } = this.settings.value;
    const phone = phoneWidth.matches;
    return {
      columns, fields, wrap, phone, time, words: wordsOf(this.filter.q),
      rowHeight: phone ? 44 : density === 'compact' ? 24 : 32,
    };
  }

  // --- numbers ------------------------------------------------------------------------------------------------------

  /** Asks for histogram, facets and what the plots need; then again after a while, as long as somebody looks. */
  statsSoon(wait: number): void {
    clearTimeout(this.statsTimer);
    this.statsTimer = window.setTimeout(() => void this.loadStats(), wait);
  }

  private async loadStats(): Promise<void> {
    const { facets, histogram } = this.settings.value;
    const { view, hours } = this.address.value;
    if (document.visibilityState === 'hidden' || this.log.stream.state === 'signed_out' || (view === 'records' && !facets && !histogram)) return;
    this.statsAbort.abort();
    const abort = new AbortController();
    this.statsAbort = abort;
    const parameters = parametersOf(this.filter);
    parameters.set('hours', String(hours));
    parameters.set('buckets', view === 'plots' ? '120' : '90');
    parameters.set('facets', 'level,type,endpoint,method,status,model');
    parameters.set('response_times', '0');
    const began = performance.now();
    this.page.set({ statsBusy: true });
    try {
      const stats = await this.api.stats(parameters, abort.signal);
      this.page.set({ stats, statsError: '', statsBusy: false });
    } catch (error) {
      if (abort.signal.aborted) return;
      this.page.set({ statsBusy: false, statsError: error instanceof ApiError ? error.message : 'the daemon does not answer' });
    }
    // A log that takes long to add up is not asked all the time.
    this.statsSoon(Math.max(5000, (performance.now() - began) * 20));
  }

  get narrowed(): boolean {
    return isNarrowed(this.filter);
  }
}

/** The filter term that a cell of a row stands for; '' if there is none. */
export function filterTermOf(row: Row, column: string): string {
  if (!row.first) return '';
  const asked = fieldsOf(row.first);
  const outcome = row.second ? fieldsOf(row.second) : asked;
  switch (column) {
    case 'level': return `level:${(outcome.level || 'INFO').toLowerCase()}`;
    case 'type': return asked.type && fieldTerm('type', asked.type);
    case 'request': return asked.target && fieldTerm(asked.target.includes('://') ? 'url' : 'endpoint', asked.target);
    case 'status': return outcome.status && `status:${outcome.status}`;
    case 'model': return (outcome.model || asked.model) && fieldTerm('model', outcome.model || asked.model);
    default: return '';
  }
}

// Frames are not drawn while the tab is hidden; what comes then is taken in all the same.
function scheduleFrame(flush: () => void): void {
  if (document.visibilityState === 'hidden') setTimeout(flush, 500);
  else requestAnimationFrame(flush);
}
