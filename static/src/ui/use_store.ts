// SPDX-License-Identifier: MIT
// Stores in components. Not with the stores themselves: what draws the first rows does without Preact.

import { useLayoutEffect, useReducer } from 'preact/hooks';

import type { Store } from './store.js';

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
