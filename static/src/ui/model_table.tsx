// SPDX-License-Identifier: MIT
// The models side by side, in numbers.

import type { ModelStats, Stats } from '../model/api.js';
import { count, duration, short } from '../model/format.js';
import { fieldTerm } from '../model/query.js';
import { visible } from '../model/visible.js';
import type { Viewer } from './viewer.js';

const columns: [string, (m: ModelStats) => string][] = [
  ['Requests', (m) => count(m.requests)],
  ['Errors', (m) => count(m.errors)],
  ['In', (m) => number(m.input_tokens)],
  ['Cached', (m) => number(m.cached_tokens)],
  ['Out', (m) => number(m.output_tokens)],
  ['Prefill tok/s', (m) => number(m.prefill_tokens_per_second)],
  ['Decode tok/s', (m) => number(m.decode_tokens_per_second)],
  ['First token p50', (m) => time(m.time_to_first_token_ms?.p50)],
  ['p95', (m) => time(m.time_to_first_token_ms?.p95)],
  ['Duration p50', (m) => time(m.duration_ms?.p50)],
  ['p95', (m) => time(m.duration_ms?.p95)],
  ['Cold starts', (m) => count(m.cold_starts)],
];

const number = (value: number | null): string => (value === null ? '–' : short(value));
const time = (value: number | null | undefined): string => (value == null ? '–' : duration(value));

export function ModelTable({ viewer, stats }: { viewer: Viewer; stats: Stats }) {
  const models = Object.entries(stats.llm_stats);
  if (models.length === 0) return null;
  return (
    <div class="model-table" role="region" aria-label="Models" tabIndex={0}>
      <table>
        <thead><tr><th scope="col">Model</th>{columns.map(([title], i) => <th key={i} scope="col">{title}</th>)}</tr></thead>
        <tbody>
          {models.map(([name, model]) => (
            <tr key={name}>
              <th scope="row"><button type="button" class="quiet" onClick={() => { viewer.setView('records'); viewer.include(fieldTerm('model', name)); }}>{visible(name)}</button></th>
              {columns.map(([, show], i) => <td key={i}>{show(model)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
