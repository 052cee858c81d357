// SPDX-License-Identifier: MIT
// A browser for the state logic: a clock that is set by hand, sources that say what a test makes them say.

import type { EventLike, SourceLike, Surroundings } from '../../static/src/model/log_stream.js';

export class FakeSource implements SourceLike {
  readyState = 0;
  private readonly listeners = new Map<string, ((event: EventLike) => void)[]>();

  constructor(readonly address: string) {}

  addEventListener(name: string, listener: (event: EventLike) => void): void {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }

  removeEventListener(name: string, listener: (event: EventLike) => void): void {
    this.listeners.set(name, (this.listeners.get(name) ?? []).filter((one) => one !== listener));
  }

  close(): void {
    this.readyState = 2;
  }

  say(name: string, data: unknown = {}, id: number | '' = ''): void {
    if (name === 'open') this.readyState = 1;
    for (const listener of this.listeners.get(name) ?? []) {
      listener({ data: typeof data === 'string' ? data : JSON.stringify(data), lastEventId: String(id) });
    }
  }

  /** The browser tries again by itself. */
  drop(): void {
    this.readyState = 0;
    this.say('error');
  }

  /** It has given up, as on any answer but 200. */
  giveUp(): void {
    this.readyState = 2;
    this.say('error');
  }
}

export class FakeBrowser implements Surroundings {
  time = 1_000_000;
  sources: FakeSource[] = [];
  isHidden = false;
  private timers: { at: number; call: () => void }[] = [];
  private tickers: { every: number; next: number; call: () => void }[] = [];
  private visibility: (() => void)[] = [];

  open(address: string): FakeSource {
    const source = new FakeSource(address);
    this.sources.push(source);
    return source;
  }

  now(): number {
    return this.time;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.time + ms, call };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  }

  every(ms: number, call: () => void): void {
    this.tickers.push({ every: ms, next: this.time + ms, call });
  }

  hidden(): boolean {
    return this.isHidden;
  }

  onVisibility(call: () => void): void {
    this.visibility.push(call);
  }

  look(visible: boolean): void {
    this.isHidden = !visible;
    for (const call of this.visibility) call();
  }

  /** Time goes by, second for second. */
  pass(ms: number): void {
    const end = this.time + ms;
    while (this.time < end) {
      this.time = Math.min(end, this.time + 1000);
      this.run();
    }
  }

  /** Time goes by while nothing runs. */
  sleep(ms: number): void {
    this.time += ms;
    for (const ticker of this.tickers) ticker.next = this.time;
    this.run();
  }

  get last(): FakeSource {
    return this.sources[this.sources.length - 1] as FakeSource;
  }

  get addresses(): string[] {
    return this.sources.map((source) => source.address);
  }

  private run(): void {
    for (const timer of this.timers.filter((one) => one.at <= this.time)) {
      this.timers = this.timers.filter((one) => one !== timer);
      timer.call();
    }
    for (const ticker of this.tickers) {
      if (ticker.next <= this.time) {
        ticker.next = this.time + ticker.every;
        ticker.call();
      }
    }
  }
}
