// SPDX-License-Identifier: MIT
// The stream that first.js opens while viewer.js is still under way: what it says is kept until the viewer listens.

import type { EventLike, SourceLike } from './log_stream.js';

/** What an unfiltered view asks for first. */
export const firstReplay = 'replay=200';

const names = ['open', 'message', 'ping', 'gap', 'status', 'bye', 'error'] as const;

interface Early {
  address: string;
  source: SourceLike & { removeEventListener(name: string, listener: (event: EventLike) => void): void };
  /** In the order in which it was said. */
  said: [name: string, event: EventLike][];
  hear: Record<string, (event: EventLike) => void>;
}

/** The window. */
export interface Holder {
  livelogdEarly?: Early | undefined;
}

/** Opens it; the viewer finds it in `holder`. */
export function openEarly(holder: Holder, address: string, open: (address: string) => Early['source']): void {
  const early: Early = { address, source: open(address), said: [], hear: {} };
  for (const name of names) {
    early.hear[name] = (event) => void early.said.push([name, event]);
    early.source.addEventListener(name, early.hear[name]);
  }
  holder.livelogdEarly = early;
}

/**
 * The early stream, if there is one for this address; the first caller gets it. What it has said is told to the listeners
 * before anything else can be: in a microtask.
 */
export function takeEarly(holder: Holder, address: string): SourceLike | null {
  const early = holder.livelogdEarly;
  holder.livelogdEarly = undefined;
  if (!early) return null;
  const { source, said, hear } = early;
  for (const name of names) source.removeEventListener(name, hear[name] as (event: EventLike) => void);
  if (early.address !== address) {
    source.close();
    return null;
  }
  const listeners: [string, (event: EventLike) => void][] = [];
  let closed = false;
  queueMicrotask(() => {
    for (const [name, event] of said) {
      for (const [of, listener] of listeners) if (of === name && !closed) listener(event);
    }
    listeners.length = said.length = 0;
  });
  return {
    get readyState() {
      return source.readyState;
    },
    addEventListener: (name, listener) => {
      listeners.push([name, listener]);
      source.addEventListener(name, listener);
    },
    close: () => {
      closed = true;
      source.close();
    },
  };
}

/** Whether the address's part after # narrows the view: then something else is asked for first. */
export function narrows(hash: string): boolean {
  return /[#&](q|level|type|since|until|id)=/.test(hash);
}
