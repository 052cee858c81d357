// SPDX-License-Identifier: MIT
// Habits of whoever looks: kept in this browser, not in the address.

import type { TimeMode } from '../model/format.js';
import { Store } from './store.js';

export type Theme = 'system' | 'dark' | 'light';
export type Density = 'compact' | 'comfortable';

export interface Settings {
  theme: Theme;
  density: Density;
  wrap: boolean;
  fold: boolean;
  time: TimeMode;
  facets: boolean;
  histogram: boolean;
  /** Columns that are shown, in the order of `columns`; then fields of the user's choice. */
  columns: string[];
  fields: string[];
}

export interface Column {
  id: string;
  title: string;
  /** A CSS grid track. */
  width: string;
}

export const columns: readonly Column[] = [
  { id: 'time', title: 'Time', width: '94px' },
  { id: 'level', title: 'Level', width: '58px' },
  { id: 'type', title: 'Type', width: '96px' },
  { id: 'request', title: 'Request', width: 'minmax(110px, 200px)' },
  { id: 'status', title: 'Status', width: '42px' },
  { id: 'duration', title: 'Duration', width: '82px' },
  { id: 'model', title: 'Model', width: 'minmax(70px, 128px)' },
  { id: 'tokens', title: 'Tokens', width: '88px' },
  { id: 'speed', title: 'tok/s', width: '42px' },
  { id: 'message', title: 'Message', width: 'minmax(140px, 1fr)' },
];

const defaults: Settings = {
  theme: 'system', density: 'compact', wrap: false, fold: true, time: 'sent', facets: true, histogram: true,
  columns: columns.map((column) => column.id).filter((id) => id !== 'type'), fields: [],
};

const key = 'livelogd.viewer';

export function loadSettings(): Store<Settings> {
  let kept: Partial<Settings> = {};
  try {
    const read: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    if (typeof read === 'object' && read !== null) kept = checked(read as Record<string, unknown>);
  } catch {
    // No storage here, or not what we wrote.
  }
  const store = new Store<Settings>({ ...defaults, ...kept });
  store.watch(() => {
    try {
      localStorage.setItem(key, JSON.stringify(store.value));
    } catch {
      // Works without.
    }
  });
  return store;
}

function checked(read: Record<string, unknown>): Partial<Settings> {
  const kept: Record<string, unknown> = {};
  for (const [name, standard] of Object.entries(defaults)) {
    const value = read[name];
    const strings = Array.isArray(value) && value.every((one) => typeof one === 'string');
    if (Array.isArray(standard) ? strings : typeof value === typeof standard) kept[name] = value;
  }
  return kept as Partial<Settings>;
}
