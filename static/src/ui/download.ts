// SPDX-License-Identifier: MIT
// Saves exactly what the filter selects, from the daemon and not from the page: every retained record, as stored.

import { parametersOf, type Filter } from '../model/view_state.js';

const most = 100_000;

export function download(base: string, filter: Filter, format: 'json' | 'ndjson'): void {
  const parameters = parametersOf(filter);
  parameters.set('lines', String(most));
  if (format === 'ndjson') parameters.set('format', 'ndjson');
  const link = document.createElement('a');
  link.href = `${base}/recent?${parameters.toString()}`;
  link.download = `logs-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}.${format}`;
  link.click();
}
