// SPDX-License-Identifier: MIT
// What a row of the list says: the cells of a record or of a request with its response.

import { duration, epochOf, rowTime, short, type TimeMode } from '../model/format.js';
import { fieldsOf, fieldText, levelNames, type RowFields } from '../model/record.js';
import { lastRecord, stateOf, type Row } from '../model/rows.js';
import { visible } from '../model/visible.js';

/** As the daemon's orphan_after: a request without an answer for longer is not waited for. */
export const orphanAfterMs = 600_000;

export interface CellContext {
  now: number;
  time: TimeMode;
  fields: string[];
  /** There is a column for the type; without one, records that are no calls tell it where the others tell the call. */
  hasType: boolean;
}

export interface Cells {
  /** Class names of the row. */
  className: string;
  /** Text by column. */
  text: Record<string, string>;
  /** The part of the message that is told less loudly. */
  aside: string;
  /** Where the time in the cell comes from, in full. */
  timestamp: string;
  /** The row changes by itself as time goes by. */
  ticks: boolean;
  /** 0 … 1: how long it took, on a logarithmic scale from 1 ms to 100 s; -1 for none. */
  share: number;
}

export function cellsOf(row: Row, context: CellContext): Cells {
  const first = row.first;
  if (!first) {
    return { className: 'row notice', text: { message: row.notice }, aside: '', timestamp: '', ticks: false, share: -1 };
  }
  const state = stateOf(row);
  const asked = fieldsOf(first);
  const answered = row.second ? fieldsOf(row.second) : null;
  const outcome = answered ?? asked;
  const severity = Math.max(first.severity, row.second?.severity ?? 0);
  const elapsed = context.now - epochOf(asked.timestamp);
  const waits = state === 'in_flight';
  const orphaned = waits && !(elapsed < orphanAfterMs);
  const took = outcome.durationMs;
  const text: Record<string, string> = {
    time: rowTime(asked.timestamp, context.time, context.now),
    level: (row.second && row.second.severity > first.severity ? outcome.level : asked.level) || levelNames[2],
    type: row.second ? 'request' : asked.type,
    request: `${asked.method} ${asked.target}`.trim() || (context.hasType ? '' : asked.type),
    status: waits ? (orphaned ? 'none' : '•••') : outcome.status,
    duration: took !== null ? duration(took) : waits && !orphaned ? duration(Math.max(0, elapsed)).replace(/\.\d+ s/, ' s') : '',
    model: outcome.model || asked.model,
    tokens: tokens(asked, outcome),
    speed: outcome.speed === null ? '' : short(outcome.speed),
  };
  for (const field of context.fields) text[`field:${field}`] = fieldText(lastRecord(row) ?? first, field);
  const said = message(asked, answered, first.kind);
  text['message'] = said.text;
  for (const [key, value] of Object.entries(text)) text[key] = visible(value);
  return {
    className: `row level-${(levelNames[severity] as string).toLowerCase()} is-${orphaned ? 'orphaned' : state}`
      + (first.isError || row.second?.isError ? ' is-error' : ''),
    text,
    aside: visible(said.aside),
    timestamp: asked.timestamp,
    ticks: (waits && !orphaned) || context.time === 'relative',
    share: took === null || took < 1 ? (took === null ? -1 : 0) : Math.min(1, Math.log10(took) / 5),
  };
}

function tokens(asked: RowFields, outcome: RowFields): string {
  const input = outcome.inputTokens ?? asked.inputTokens;
  if (input === null && outcome.outputTokens === null) return '';
  return `${input === null ? '?' : short(input)} → ${outcome.outputTokens === null ? '?' : short(outcome.outputTokens)}`;
}

// Of calls to a model what was asked and answered says more than "Incoming request".
function message(asked: RowFields, answered: RowFields | null, kind: string): { text: string; aside: string } {
  const question = asked.prompt;
  const answer = answered?.answer ?? asked.answer;
  if (kind === 'other') return { text: asked.message, aside: asked.extras };
  if (question) return { text: question, aside: answer && `→ ${answer}` };
  const told = answered?.message ?? asked.message;
  return { text: told, aside: answer && answer !== told ? answer : '' };
}
