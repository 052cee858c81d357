// SPDX-License-Identifier: MIT
// What the page shows, as the address has it after #: a link shows the same view.

import { severityOf } from './record.js';

export interface Filter {
  q: string;
  /** Least severity, upper case; empty for all. */
  level: string;
  type: string;
  /** Times or ages as the daemon's parameters take them; empty for none. */
  since: string;
  until: string;
}

export interface ViewState extends Filter {
  view: 'records' | 'plots';
  /** The record whose details are open; 0 for none. */
  id: number;
  /** The window of histogram, facets and plots. */
  hours: number;
}

export const noFilter: Filter = { q: '', level: '', type: '', since: '', until: '' };
export const defaultState: ViewState = { ...noFilter, view: 'records', id: 0, hours: 24 };

/** Reads the part after '#'. What cannot be read is as if it were not there. */
export function stateFromHash(hash: string): ViewState {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const level = (given.get('level') ?? '').toUpperCase();
  const type = given.get('type') ?? '';
  const id = Number(given.get('id') ?? 0);
  const hours = Number(given.get('hours') ?? defaultState.hours);
  return {
    q: (given.get('q') ?? '').trim(),
    level: severityOf(level) === undefined ? '' : level,
    type: type === 'all' ? '' : type,
    since: given.get('since') ?? '',
    until: given.get('until') ?? '',
    view: given.get('view') === 'plots' ? 'plots' : 'records',
    id: Number.isSafeInteger(id) && id > 0 ? id : 0,
    hours: hours > 0 && hours <= 87600 ? hours : defaultState.hours,
  };
}

/** The address's part from '#' on; empty for the view that a bare address shows. */
export function hashOf(state: ViewState): string {
  const kept = new URLSearchParams();
  for (const key of ['q', 'level', 'type', 'since', 'until', 'view', 'id', 'hours'] as const) {
    if (state[key] !== defaultState[key]) kept.set(key, String(state[key]));
  }
  const text = kept.toString();
  return text ? `#${text}` : '';
}

/** The daemon's parameters for a filter. */
export function parametersOf(filter: Filter): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const key of ['q', 'level', 'type', 'since', 'until'] as const) {
    if (filter[key] !== '') parameters.set(key, filter[key]);
  }
  return parameters;
}

export function isNarrowed(filter: Filter): boolean {
  return parametersOf(filter).toString() !== '';
}

export function sameFilter(a: Filter, b: Filter): boolean {
  return a.q === b.q && a.level === b.level && a.type === b.type && a.since === b.since && a.until === b.until;
}
