// SPDX-License-Identifier: MIT
// A record as the page holds it: the daemon's bytes, and what folding, counting and colouring need of them.

import { answerPreview, errorText, promptPreview } from './conversation.js';
import { isObject, llmFields, type JsonObject, type LlmFields } from './llm_fields.js';

export type Kind = 'request' | 'response' | 'other';

export const levelNames = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;

const severities = new Map([
  ['TRACE', 0], ['DEBUG', 1], ['INFO', 2], ['WARNING', 3], ['WARN', 3], ['ERROR', 4], ['CRITICAL', 5], ['FATAL', 5],
]);
const info = 2;
const error = 4;

/** Longer records are not kept: their row keeps what it shows, and the daemon has the rest. */
const longestKept = 16 * 1024;
const longestCell = 400;

/** What a row shows of a record. Strings are cut to a line. */
export interface RowFields extends LlmFields {
  timestamp: string;
  level: string;
  type: string;
  method: string;
  target: string;
  status: string;
  durationMs: number | null;
  message: string;
  prompt: string;
  answer: string;
  /** Other fields, "key=value", for records that are neither request nor response. */
  extras: string;
}

export interface LogRecord {
  readonly id: number;
  /** The JSON text as it came; empty if it was too long to keep. */
  readonly text: string;
  /** Whether `text` is the whole record, not one that the daemon has shortened. */
  readonly whole: boolean;
  readonly severity: number;
  /** As the daemon's filter type=errors has it. */
  readonly isError: boolean;
  readonly kind: Kind;
  /** 7 and "7" are one; "" is none. */
  readonly requestId: string;
  /** Only of records whose text is not kept. */
  readonly fields: RowFields | null;
}

/** The severity 0 … 5 of a level's name, in any case; undefined for other words. */
export function severityOf(name: string): number | undefined {
  return severities.get(name.toUpperCase());
}

function severityOfField(level: unknown): number {
  if (typeof level === 'number') return level < 1 ? info : Math.min(5, Math.floor(level / 10));
  if (typeof level !== 'string') return info;
  return severityOf(level) ?? (/^[0-9]+$/.test(level) ? severityOfField(Number(level)) : info);
}

export function makeRecord(id: number, text: string, whole = true): LogRecord {
  const parsed = parse(text);
  const severity = severityOfField(parsed['level']);
  const status = parsed['status_code'];
  const type = parsed['type'];
  const requestId = parsed['request_id'];
  const kept = text.length <= longestKept;
  return {
    id,
    text: kept ? text : '',
    whole: whole && kept,
    severity,
    isError: severity >= error || (typeof status === 'number' && status >= 400),
    kind: type === 'request' || type === 'response' ? type : 'other',
    requestId: typeof requestId === 'string' || typeof requestId === 'number' ? String(requestId) : '',
    fields: kept ? null : rowFields(parsed, severity),
  };
}

// Rows come and go under the scroll position; what was parsed for the last ones is kept.
const recentlyParsed = new Map<LogRecord, RowFields>();
const parsedLimit = 600;

export function fieldsOf(record: LogRecord): RowFields {
  if (record.fields) return record.fields;
  let found = recentlyParsed.get(record);
  if (!found) {
    found = rowFields(parse(record.text), record.severity);
    if (recentlyParsed.size >= parsedLimit) {
      for (const old of recentlyParsed.keys()) {
        recentlyParsed.delete(old);
        if (recentlyParsed.size <= parsedLimit / 2) break;
      }
    }
    recentlyParsed.set(record, found);
  }
  return found;
}

/** A field for a column of the user's choice: as a key of the record, else as a path, as the filter looks it up. */
export function fieldText(record: LogRecord, name: string): string {
  let here: unknown = parse(record.text);
  let rest = name;
  while (isObject(here)) {
    if (Object.hasOwn(here, rest)) return cell(here[rest]);
    const dot = rest.indexOf('.');
    const key = rest.slice(0, dot);
    if (dot < 0 || !Object.hasOwn(here, key)) return '';
    here = here[key];
    rest = rest.slice(dot + 1);
  }
  return '';
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : { message: text };
  } catch {
    // Cannot come from the daemon, but a proxy may have had its hands on it: show what there is.
    return { message: text };
  }
}

function rowFields(record: JsonObject, severity: number): RowFields {
  const level = record['level'];
  const took = record['duration_ms'];
  const body = record['response_body'];
  const failure = errorText(body);
  return {
    ...llmFields(record),
    timestamp: cell(record['timestamp']),
    level: typeof level === 'number' ? (levelNames[severity] as string) : cell(level),
    type: cell(record['type']),
    method: cell(record['method']),
    target: cell(record['endpoint']) || cell(record['url']),
    status: cell(record['status_code']),
    durationMs: typeof took === 'number' && took >= 0 ? took : null,
    message: cell(record['message']) || (record['message'] === undefined ? shorten(JSON.stringify(record)) : ''),
    prompt: shorten(promptPreview(record['request_body'])),
    answer: shorten(failure || answerPreview(body)),
    extras: extrasOf(record),
  };
}

const shownElsewhere = new Set([
  'timestamp', 'level', 'type', 'message', 'module', 'method', 'endpoint', 'url', 'status_code', 'duration_ms', 'request_id', 'request_body',
  'response_body',
]);

function extrasOf(record: JsonObject): string {
  if (record['type'] === 'request' || record['type'] === 'response') return '';
  const parts: string[] = [];
  let length = 0;
  for (const [key, value] of Object.entries(record)) {
    if (shownElsewhere.has(key) || value === null || length > longestCell) continue;
    const part = `${key.slice(0, 60)}=${(typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 120)}`;
    length += part.length;
    parts.push(part);
  }
  return parts.join('  ');
}

/** Text for a cell: strings as they are, nothing for what is absent, everything else as JSON. */
function cell(value: unknown): string {
  if (typeof value === 'string') return shorten(value);
  return value === undefined || value === null ? '' : shorten(JSON.stringify(value));
}

// The copy through split and join matters: a slice of a long string would keep all of it alive.
function shorten(text: string): string {
  return text.length <= longestCell ? text : `${text.slice(0, longestCell).split('').join('')}…`;
}
