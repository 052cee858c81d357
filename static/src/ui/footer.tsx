// SPDX-License-Identifier: MIT
// The line at the bottom: what the list holds, how far a search has come.

import { count, short } from '../model/format.js';
import { useStore } from './store.js';
import type { Viewer } from './viewer.js';

export function Footer({ viewer }: { viewer: Viewer }) {
  const page = useStore(viewer.page);
  useStore(viewer.ticks);
  const { log } = viewer;
  const errors = log.errors;
  const parts = [`${count(log.rows.rows.length)} rows, ${count(log.rows.records)} records`];
  if (log.rows.removed > 0) parts.push(`${count(log.rows.removed)} removed from this page (not from the log)`);
  if (viewer.narrowed) parts.push('filtered');
  return (
    <footer class="bar footer">
      <dl class="counters">
        <div><dt>Logs</dt><dd id="count-all">{count(log.received)}</dd></div>
        <div class={errors > 0 ? 'errors' : ''}><dt>Errors</dt><dd id="count-errors">{count(errors)}</dd></div>
        <div><dt>per s</dt><dd id="rate">{short(log.rate)}</dd></div>
      </dl>
      <span id="held" class="dim">{parts.join(' · ')}</span>
      <span class="spacer" />
      <span id="said" role="status">{page.said}</span>
      <span id="older" class="dim">{olderText(viewer)}</span>
    </footer>
  );
}

function olderText({ log }: Viewer): string {
  switch (log.older) {
    case 'loading': return log.scannedTo > 0 && log.searchedFrom > log.scannedTo ? `searching the past, at #${log.scannedTo}…` : 'loading older records…';
    case 'end': return 'beginning of the log reached';
    case 'failed': return `older records: ${log.olderError}`;
    default: return log.scannedTo > 0 && log.filter.q !== '' ? `searched back to #${log.scannedTo}` : '';
  }
}
