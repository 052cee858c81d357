// SPDX-License-Identifier: MIT
// Tests that end: what hangs in a browser is told by the test's name, and the others still have their turn.

import { test as unlimited } from 'node:test';

/** Far more than any of them takes, also on a busy machine. */
export const limitMs = 90_000;

export function test(name: string, body: () => Promise<void>): void {
  void unlimited(name, { timeout: limitMs }, body);
}
