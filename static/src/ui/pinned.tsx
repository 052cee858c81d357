// SPDX-License-Identifier: MIT
// Rows that stay in sight while the list goes on.

import { fieldsOf } from '../model/record.js';
import { rowTime } from '../model/format.js';
import type { Row } from '../model/rows.js';
import { visible } from '../model/visible.js';
import { Icon } from './icons.js';
import { isErrorRow } from '../model/rows.js';
import { useStore } from './store.js';
import type { Viewer } from './viewer.js';

export function Pinned({ viewer }: { viewer: Viewer }) {
  const { pinned } = useStore(viewer.page);
  const { time } = useStore(viewer.settings);
  if (pinned.length === 0) return null;
  return (
    <ul class="pinned" id="pinned" aria-label="Pinned records">
      {pinned.map((row) => (
        <li key={row.key} class={isErrorRow(row) ? 'is-error' : ''}>
          <button type="button" onClick={() => viewer.open(row)}>{summary(row, (text) => rowTime(text, time, Date.now()))}</button>
          <button type="button" class="cross" aria-label="Unpin" onClick={() => viewer.pin(row)}><Icon name="close" /></button>
        </li>
      ))}
    </ul>
  );
}

function summary(row: Row, timeOf: (timestamp: string) => string): string {
  if (!row.first) return row.notice;
  const asked = fieldsOf(row.first);
  const outcome = row.second ? fieldsOf(row.second) : asked;
  return visible([timeOf(asked.timestamp), `${asked.method} ${asked.target}`.trim(), outcome.status, asked.prompt || outcome.message].filter(Boolean).join('  '));
}
