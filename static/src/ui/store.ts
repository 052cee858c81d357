// SPDX-License-Identifier: MIT
// Values that parts of the page watch.

export class Store<T extends object> {
  private readonly watchers = new Set<() => void>();

  constructor(public value: T) {}

  set(change: Partial<T>): void {
    const keys = Object.keys(change) as (keyof T)[];
    if (keys.every((key) => Object.is(this.value[key], change[key]))) return;
    this.value = { ...this.value, ...change };
    for (const watcher of [...this.watchers]) watcher();
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }
}
