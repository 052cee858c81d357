// SPDX-License-Identifier: MIT
// How many tabs of this page hold a stream. A browser gives one host six connections over HTTP/1.1 and lets the next ones wait
// without a word; this is how a tab that gets none can say why.

export class TabCensus {
  /** Tabs that held a stream when they were last asked, this one left out. */
  others = 0;
  private readonly channel: BroadcastChannel | null;
  private answers = new Set<string>();
  private readonly name = Math.random().toString(36).slice(2);

  constructor(private readonly holdsStream: () => boolean) {
    this.channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(`livelogd ${location.pathname}`) : null;
    this.channel?.addEventListener('message', (event: MessageEvent) => {
      const said = event.data as { ask?: string; here?: string };
      if (said.ask && said.ask !== this.name && this.holdsStream()) this.channel?.postMessage({ here: this.name, for: said.ask });
      else if (said.here && (event.data as { for?: string }).for === this.name) {
        this.answers.add(said.here);
      }
    });
  }

  /** Begins another count; what the last one has brought is `others` now. */
  ask(): void {
    this.others = this.answers.size;
    this.answers = new Set();
    this.channel?.postMessage({ ask: this.name });
  }

  close(): void {
    this.channel?.close();
  }
}
