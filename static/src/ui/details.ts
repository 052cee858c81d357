// SPDX-License-Identifier: MIT
// What the panel shows of a row: its records in whole, from the daemon.

import { ApiError, type Api, type RequestRow } from '../model/api.js';
import { parseJsonText } from '../model/json_text.js';
import { isObject, type Json, type JsonObject } from '../model/llm_fields.js';
import type { LogRecord } from '../model/record.js';
import type { Row } from '../model/rows.js';

export interface WholeRecord {
  id: number;
  /** JSON, as stored; strings cut if `elided`. */
  text: string;
  json: JsonObject;
  elided: boolean;
  /** Why there is only what the page had; '' if all is well. */
  note: string;
}

export interface Details {
  /** The record that the row begins with. */
  first: WholeRecord;
  /** Of a call its two records, as far as the log has them. */
  request: WholeRecord | null;
  response: WholeRecord | null;
  /** What the daemon has read from request and response; null if it was not asked or does not know. */
  pair: RequestRow | null;
}

/** Longer strings are asked for only when somebody wants them. */
export const elideAbove = 100_000;

export async function loadDetails(api: Api, row: Row, whole: boolean, signal: AbortSignal): Promise<Details> {
  const first = row.first as LogRecord;
  const isCall = first.kind !== 'other' && first.requestId !== '';
  const [one, two, pair] = await Promise.all([
    loadRecord(api, first, whole, signal),
    row.second ? loadRecord(api, row.second, whole, signal) : null,
    isCall ? loadPair(api, first, signal) : null,
  ]);
  if (first.kind === 'other') return { first: one, request: null, response: null, pair };
  let request = first.kind === 'request' ? one : null;
  let response = first.kind === 'response' ? one : two;
  // What the filter has left out of the list belongs to the call all the same.
  if (!request && pair?.request_record) request = await loadRecord(api, { id: pair.request_record, text: '', whole: false }, whole, signal);
  if (!response && pair?.response_record) response = await loadRecord(api, { id: pair.response_record, text: '', whole: false }, whole, signal);
  return { first: one, request, response, pair };
}

async function loadRecord(api: Api, record: Pick<LogRecord, 'id' | 'text' | 'whole'>, whole: boolean, signal: AbortSignal): Promise<WholeRecord> {
  try {
    const text = await api.record(record.id, whole ? undefined : elideAbove, signal);
    const elided = text.startsWith('{"livelog_elided"');
    return { id: record.id, text: elided ? withoutFirst(text) : text, json: objectOf(text), elided, note: '' };
  } catch (error) {
    if (signal.aborted) throw error;
    const note = error instanceof ApiError && error.status === 404 ? error.message : 'The daemon cannot be asked at the moment.';
    const text = record.text || '{}';
    return { id: record.id, text, json: objectOf(text), elided: false, note: record.whole ? note : `${note} This is what the page has of it.` };
  }
}

async function loadPair(api: Api, record: LogRecord, signal: AbortSignal): Promise<RequestRow | null> {
  try {
    // The row's id is that of the request; one above it lets "the newest below" find exactly that.
    const rows = await api.requests(new URLSearchParams({ request_id: record.requestId, lines: '5', before: String(record.id + 1) }), signal);
    return rows.find((row) => row.request_record === record.id || row.response_record === record.id) ?? null;
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

function objectOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function withoutFirst(text: string): string {
  const first = parseJsonText(text).children[0];
  return first ? `{${text.slice(first.end).replace(/^,/, '')}` : text;
}

/** The records of a row, in the order of their ids. */
export function recordsOfDetails(of: Details): WholeRecord[] {
  return of.request || of.response ? [of.request, of.response].filter((one) => one !== null) : [of.first];
}

/** The record's text with nothing cut. */
export async function wholeText(api: Api, record: WholeRecord): Promise<string> {
  return record.elided ? api.record(record.id) : record.text;
}

/** The JSON text of a member of a record, as it was sent; '' if there is none. */
export function memberText(record: Pick<WholeRecord, 'text'>, key: string): string {
  const node = parseJsonText(record.text).children.filter((child) => child.key === key).pop();
  return node ? record.text.slice(node.start, node.end) : '';
}

export function member(record: WholeRecord | null, key: string): Json | undefined {
  return record && Object.hasOwn(record.json, key) ? record.json[key] : undefined;
}
