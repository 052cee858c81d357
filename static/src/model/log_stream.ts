// SPDX-License-Identifier: MIT
// The connection to the log: one EventSource after the other, and the id up to which everything has been seen.

import { takeEarly, type Holder } from './early_stream.js';

export type StreamState = 'connecting' | 'live' | 'reconnecting' | 'stopped' | 'hidden' | 'signed_out' | 'disconnected';

export interface EventLike {
  data: string;
  lastEventId: string;
}

/** The part of EventSource that is used. */
export interface SourceLike {
  readonly readyState: number;
  addEventListener(name: string, listener: (event: EventLike) => void): void;
  close(): void;
}

/** What the stream needs of the browser; tests have their own. */
export interface Surroundings {
  open(address: string): SourceLike;
  now(): number;
  /** Returns what clears it. */
  after(ms: number, call: () => void): () => void;
  every(ms: number, call: () => void): void;
  hidden(): boolean;
  onVisibility(call: () => void): void;
}

export interface StreamListener {
  record(id: number, text: string): void;
  /** Records from … to are no longer kept. */
  gap(from: number | null, to: number): void;
  /** The daemon, or a proxy before it, has answered with something else than a stream. */
  refused?(): void;
  /** `state`, `trouble` or another property has changed. */
  changed(): void;
}

const closed = 2;
/** The daemon sends a ping every 15 s; after this long without anything the connection is dead, whatever the browser thinks. */
const silenceLimit = 40_000;
/** A tab that nobody looks at gives its connection back after this: browsers allow six to one host. */
const hiddenLimit = 30_000;
/** A clock that ticks every second has stood still for this long: the machine slept, and its connections are gone. */
const sleepLimit = 20_000;
const firstBackoff = 1000;
const longestBackoff = 15_000;

/**
 * Tells each record once, ids strictly rising, whatever happens to the connection.
 *
 *   connecting    first attempt, nothing received yet
 *   live          connected
 *   reconnecting  connection lost, trying again
 *   stopped       the daemon said that it stops; trying again
 *   hidden        given back because nobody looks at the tab; goes on when somebody does
 *   signed_out    the daemon wants its token; not trying until somebody has signed in
 *   disconnected  by the user, or not started yet
 */
export class LogStream {
  state: StreamState = 'disconnected';
  /** Everything up to here has been seen; null before the first event that tells. */
  lastId: number | null = null;
  /** When something last came or the state last changed. */
  lastActivity: number;
  /** Why the daemon cannot store records at the moment; empty while it can. It goes on streaming. */
  trouble = '';
  /** The newest id of the log that the daemon has told. */
  newest = 0;
  /** Attempts that failed since the connection was last open. */
  failures = 0;

  private parameters = '';
  private begin = '';
  private source: SourceLike | null = null;
  private backoff = firstBackoff;
  private cancelRetry: () => void = () => undefined;
  private cancelHiding: () => void = () => undefined;
  private lastTick: number;

  constructor(private readonly address: string, private readonly around: Surroundings, private readonly on: StreamListener) {
    this.lastActivity = around.now();
    this.lastTick = around.now();
    around.every(1000, () => this.watch());
    around.onVisibility(() => this.visibilityChanged());
  }

  /**
   * Begins anew: `filter` are the daemon's parameters, `begin` where to start: "replay=200" or "after=ID". A stream that the
   * user has disconnected stays so until connect().
   */
  start(filter: string, begin: string): void {
    this.parameters = filter;
    this.begin = begin;
    this.lastId = /^after=\d+$/.test(begin) ? Number(begin.slice(6)) : null;
    this.newest = 0;
    if (this.off) return;
    this.startedBefore = true;
    this.connect();
  }
  private startedBefore = false;

  connect(): void {
    this.setState(this.lastId === null ? 'connecting' : this.state === 'live' ? 'live' : 'reconnecting');
    this.open();
    this.visibilityChanged();
  }

  disconnect(): void {
    this.close();
    this.cancelHiding();
    this.setState('disconnected');
  }

  /** Trying would be in vain. */
  signedOut(): void {
    this.close();
    this.cancelHiding();
    this.setState('signed_out');
  }

  get wanted(): boolean {
    return this.state !== 'disconnected' && this.state !== 'signed_out';
  }

  /** The user has disconnected it: start() does not open it. */
  get off(): boolean {
    return !this.wanted && this.startedBefore;
  }

  /** The log is well ahead of what has been received. */
  get behind(): boolean {
    return this.newest - (this.lastId ?? this.newest) > 1000;
  }

  private open(): void {
    this.close();
    const begin = this.lastId === null ? this.begin : `after=${this.lastId}`;
    const source = this.around.open(`${this.address}?${begin}${this.parameters ? `&${this.parameters}` : ''}`);
    this.source = source;
    this.lastActivity = this.around.now();
    // What an earlier source has still under way is not heard any more.
    const listen = (name: string, call: (event: EventLike) => void): void =>
      source.addEventListener(name, (event) => {
        if (source === this.source) call(event);
      });
    listen('open', () => {
      this.failures = 0;
      this.trouble = ''; // a stream is told again if storing fails
      this.setState('live');
    });
    listen('message', (event) => this.received(event));
    listen('ping', (event) => this.pinged(event));
    listen('gap', (event) => this.skipped(event));
    listen('status', (event) => this.told(event));
    listen('bye', (event) => this.ended(event));
    listen('error', () => this.failed(source));
  }

  private close(): void {
    this.cancelRetry();
    this.source?.close();
    this.source = null;
  }

  private received(event: EventLike): void {
    this.alive();
    const id = Number(event.lastEventId);
    if (this.advance(id)) this.on.record(id, event.data);
  }

  private pinged(event: EventLike): void {
    this.alive();
    // Its id is how far the daemon has looked for us: a place to resume from even while no record has come.
    this.advance(Number(event.lastEventId));
    this.newest = numberIn(event.data, 'id') ?? 0;
    this.on.changed();
  }

  private skipped(event: EventLike): void {
    this.alive();
    const to = numberIn(event.data, 'to');
    if (to !== null && this.advance(to)) this.on.gap(numberIn(event.data, 'from'), to);
  }

  private told(event: EventLike): void {
    this.alive();
    try {
      const { storing, reason } = JSON.parse(event.data) as { storing?: unknown; reason?: unknown };
      this.trouble = storing === 'failing' ? String(reason) : '';
    } catch {
      return;
    }
    this.on.changed();
  }

  private ended(event: EventLike): void {
    // With a reason it is this page's right that has ended, not the daemon.
    if (event.data.includes('"reason":"signed out"')) this.signedOut();
    else this.setState('stopped');
  }

  private alive(): void {
    this.lastActivity = this.around.now();
    this.backoff = firstBackoff;
  }

  /** Moves the cursor; false if that has been seen before. */
  private advance(id: number): boolean {
    if (!Number.isSafeInteger(id) || id <= (this.lastId ?? 0)) return false;
    this.lastId = id;
    return true;
  }

  private failed(source: SourceLike): void {
    if (this.state === 'live') this.setState('reconnecting');
    else this.failures += 1;
    // While it is CONNECTING, the browser tries again by itself and sends Last-Event-ID. It gives up for ever on any answer but
    // 200, such as a proxy's 502 while the daemon restarts.
    if (source.readyState === closed) {
      this.retryLater();
      this.on.refused?.();
    } else {
      this.on.changed();
    }
  }

  private retryLater(): void {
    this.close();
    const wait = this.backoff;
    this.backoff = Math.min(this.backoff * 2, longestBackoff);
    this.cancelRetry = this.around.after(wait, () => this.open());
    this.on.changed();
  }

  private watch(): void {
    const now = this.around.now();
    const slept = now - this.lastTick > sleepLimit;
    this.lastTick = now;
    if (!this.wanted || this.state === 'hidden') return;
    const silent = now - this.lastActivity;
    if (this.source && (slept || silent > silenceLimit)) {
      if (this.state === 'live') this.setState('reconnecting');
      this.open();
    } else if (slept) {
      this.open();
    }
    this.on.changed();
  }

  private visibilityChanged(): void {
    this.cancelHiding();
    if (!this.wanted) return;
    if (this.around.hidden()) {
      this.cancelHiding = this.around.after(hiddenLimit, () => {
        this.close();
        this.setState('hidden');
      });
    } else if (this.state === 'hidden') {
      this.connect();
    }
  }

  private setState(state: StreamState): void {
    if (this.state !== state) {
      this.state = state;
      this.lastActivity = this.around.now();
    }
    this.on.changed();
  }
}

function numberIn(data: string, key: string): number | null {
  try {
    const value = (JSON.parse(data) as Record<string, unknown>)[key];
    return typeof value === 'number' ? value : null;
  } catch {
    return null;
  }
}

/** The real thing. */
export function browserSurroundings(): Surroundings {
  return {
    open: (address) => takeEarly(window as Holder, address) ?? (new EventSource(address) as unknown as SourceLike),
    now: () => Date.now(),
    after: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
    every: (ms, call) => void setInterval(call, ms),
    hidden: () => document.visibilityState === 'hidden',
    onVisibility: (call) => document.addEventListener('visibilitychange', call),
  };
}
