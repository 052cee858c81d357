// SPDX-License-Identifier: MIT
// Values that parts of the page watch.

import { useLayoutEffect, useReducer } from 'preact/hooks';

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

/** The store's value in a component, which is drawn again when it changes. */
export function useStore<T extends object>(store: Store<T>): T {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const { value } = store;
  // Before the browser paints, so that nothing is missed; what other components have set meanwhile is looked for.
  useLayoutEffect(() => {
    if (store.value !== value) redraw(undefined);
    return store.watch(() => redraw(undefined));
  }, [store]);
  return value;
}
