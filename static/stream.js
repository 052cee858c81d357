// SPDX-License-Identifier: MIT
// The connection to the log: one EventSource after the other, and the id up to which everything has been seen.
//
// The newest records and the live ones come over the same stream (replay=N first, then after=ID), in the order of their ids, so
// that there is no seam between history and live at which a record could be lost or shown twice.

const replayCount = 200;
/** The daemon sends a ping every 15 s; after this long without anything the connection is dead, whatever the browser thinks. */
const silenceLimit = 40000;
/** A tab that nobody looks at gives its connection back after this: browsers allow few to one host. */
const hiddenLimit = 30000;
const firstBackoff = 1000;
const longestBackoff = 15000;

/**
 * Calls `on.record(id, text)` for each record, once, ids strictly rising; `on.gap(from, to)` for ids that are no longer kept;
 * `on.state()` whenever `state` has changed:
 *   connecting    first attempt, nothing received yet
 *   live          connected
 *   reconnecting  connection lost, trying again
 *   stopped       the daemon said that it stops; trying again
 *   paused        given back because the tab is hidden; goes on when it is looked at
 *   disconnected  by the user
 */
export class LogStream {
  constructor(address, on) {
    this.address = address;
    this.on = on;
    this.state = 'disconnected';
    /** Everything up to here has been seen; null before the first event that tells. */
    this.lastId = null;
    /** When something last came or the state last changed, in Date.now()'s milliseconds. */
    this.lastActivity = Date.now();
    /** Why the daemon cannot store records at the moment; empty while it can. It goes on streaming. */
    this.trouble = '';
    /** The newest id of the log that the daemon has told. */
    this.newest = 0;
    /** Attempts that failed since the connection was last open. */
    this.failures = 0;
    this.source = null;
    this.retryTimer = 0;
    this.hiddenTimer = 0;
    this.backoff = firstBackoff;
    setInterval(() => this.#watch(), 1000);
    document.addEventListener('visibilitychange', () => this.#visibilityChanged());
  }

  connect() {
    this.#setState(this.lastId === null ? 'connecting' : 'reconnecting');
    this.#open();
    this.#visibilityChanged();
  }

  disconnect() {
    this.#close();
    this.#setState('disconnected');
  }

  get wanted() {
    return this.state !== 'disconnected';
  }

  /** The log is well ahead of what has been received. */
  get behind() {
    return this.newest - (this.lastId ?? this.newest) > 1000;
  }

  #open() {
    this.#close();
    const from = this.lastId === null ? `replay=${replayCount}` : `after=${this.lastId}`;
    const source = new EventSource(`${this.address}?${from}`);
    this.source = source;
    this.lastActivity = Date.now();
    source.onopen = () => {
      this.failures = 0;
      this.trouble = ''; // a stream is told again if storing fails
      this.#setState('live');
    };
    source.onmessage = (event) => this.#received(event);
    source.addEventListener('ping', (event) => this.#pinged(event));
    source.addEventListener('gap', (event) => this.#skipped(event));
    source.addEventListener('status', (event) => this.#told(event));
    source.addEventListener('bye', () => this.#setState('stopped'));
    source.onerror = () => this.#failed(source);
  }

  #close() {
    clearTimeout(this.retryTimer);
    this.source?.close();
    this.source = null;
  }

  #received(event) {
    this.#alive();
    const id = Number(event.lastEventId);
    if (this.#advance(id)) {
      this.on.record(id, event.data);
    }
  }

  #pinged(event) {
    this.#alive();
    // Its id is how far the daemon has looked for us: a place to resume from even while no record has come.
    this.#advance(Number(event.lastEventId));
    this.newest = numberIn(event.data, 'id') ?? 0;
    this.on.state();
  }

  #skipped(event) {
    this.#alive();
    const to = numberIn(event.data, 'to');
    if (to !== null && this.#advance(to)) {
      this.on.gap(numberIn(event.data, 'from'), to);
    }
  }

  #told(event) {
    this.#alive();
    try {
      const { storing, reason } = JSON.parse(event.data);
      this.trouble = storing === 'failing' ? String(reason) : '';
    } catch {
      return;
    }
    this.on.state();
  }

  #alive() {
    this.lastActivity = Date.now();
    this.backoff = firstBackoff;
  }

  /** Moves the cursor to `id`; false if that has been seen before. */
  #advance(id) {
    if (!Number.isSafeInteger(id) || id <= (this.lastId ?? 0)) {
      return false;
    }
    this.lastId = id;
    return true;
  }

  #failed(source) {
    if (source !== this.source) {
      return;
    }
    if (this.state === 'live') {
      this.#setState('reconnecting');
    } else {
      this.failures += 1;
    }
    // While it is CONNECTING, the browser tries again by itself and sends Last-Event-ID. It gives up for ever on any
    // answer but 200, such as a proxy's 502 while the daemon restarts.
    if (source.readyState === EventSource.CLOSED) {
      this.#retryLater();
    }
  }

  #retryLater() {
    this.#close();
    // Half of it by chance, so that many pages do not come back in step.
    const pause = this.backoff * (0.5 + Math.random() / 2);
    this.backoff = Math.min(this.backoff * 2, longestBackoff);
    this.retryTimer = setTimeout(() => this.#open(), pause);
  }

  #watch() {
    if (this.source && Date.now() - this.lastActivity > silenceLimit) {
      if (this.state === 'live') {
        this.#setState('reconnecting');
      }
      this.#open();
    }
    this.on.state();
  }

  #visibilityChanged() {
    clearTimeout(this.hiddenTimer);
    if (document.visibilityState === 'hidden') {
      this.hiddenTimer = setTimeout(() => this.#pause(), hiddenLimit);
    } else if (this.state === 'paused') {
      this.connect();
    }
  }

  #pause() {
    if (this.wanted) {
      this.#close();
      this.#setState('paused');
    }
  }

  #setState(state) {
    this.state = state;
    this.lastActivity = Date.now();
    this.on.state();
  }
}

function numberIn(json, field) {
  try {
    const value = JSON.parse(json)[field];
    return Number.isSafeInteger(value) ? value : null;
  } catch {
    return null;
  }
}
