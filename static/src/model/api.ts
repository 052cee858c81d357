// SPDX-License-Identifier: MIT
// The daemon's addresses as functions. Relative ones, so that a proxy may put the whole under a path of its own.

import { makeRecord, type LogRecord } from './record.js';

/** An answer other than 200: what the daemon says, and of `q` the place at fault (-1 if none is told). */
export class ApiError extends Error {
  constructor(message: string, readonly status: number, readonly parameter = '', readonly at = -1) {
    super(message);
  }
}

export interface Page {
  records: LogRecord[];
  /** How far the search has come; null if the daemon does not tell. 0: nothing older is left. */
  scannedTo: number | null;
}

export interface RequestRow {
  id: number;
  state: string;
  request_record: number | null;
  response_record: number | null;
  request_id: unknown;
  timestamp: unknown;
  method: unknown;
  endpoint: unknown;
  status_code: unknown;
  duration_ms: unknown;
  error_type: unknown;
  age_ms: number | null;
  model: string | null;
  input_tokens: number | null;
  cached_tokens: number | null;
  output_tokens: number | null;
  reasoning_tokens: number | null;
  queue_ms: number | null;
  load_ms: number | null;
  prefill_ms: number | null;
  decode_ms: number | null;
  time_to_first_token_ms: number | null;
  prefill_tokens_per_second: number | null;
  decode_tokens_per_second: number | null;
  finish_reason: string | null;
}

/** All null where no record tells. */
export interface Percentiles {
  p50: number | null;
  p90: number | null;
  p95: number | null;
  p99: number | null;
  max: number | null;
}

export interface ModelStats {
  requests: number;
  errors: number;
  input_tokens: number | null;
  cached_tokens: number | null;
  output_tokens: number | null;
  reasoning_tokens: number | null;
  prefill_tokens_per_second: number | null;
  decode_tokens_per_second: number | null;
  time_to_first_token_ms: Percentiles | null;
  duration_ms: Percentiles | null;
  load_ms: Percentiles | null;
  cold_starts: number;
}

export interface Bucket {
  start: string;
  total: number;
  levels: Record<string, number>;
  requests: number;
  errors: number;
  p50: number | null;
  p95: number | null;
  models: Record<string, {
    requests: number;
    input_tokens: number | null;
    output_tokens: number | null;
    prefill_tokens_per_second: number | null;
    decode_tokens_per_second: number | null;
  }>;
}

export interface Stats {
  total_logs: number;
  api_stats: {
    total_requests: number;
    endpoints: Record<string, number>;
    status_codes: Record<string, number>;
    response_time_percentiles: Percentiles | null;
  };
  error_summary: { total_errors: number; error_types: Record<string, number> };
  llm_stats: Record<string, ModelStats>;
  in_flight_count: number;
  orphaned_count: number;
  timeline?: Bucket[];
  facets?: Record<string, Record<string, number>>;
}

/** Whether the daemon asks for a token, and this browser has signed in with it. */
export interface Session {
  required: boolean;
  signed_in: boolean;
}

export class Api {
  /** `base` is the viewer's address relative to the page: "logs". */
  constructor(readonly base = 'logs', private readonly get: typeof fetch = (...given) => fetch(...given)) {}

  async recent(parameters: URLSearchParams, signal?: AbortSignal): Promise<Page> {
    const asked = new URLSearchParams(parameters);
    asked.set('ids', 'true');
    asked.set('format', 'ndjson');
    const answer = await this.ask(`recent?${asked.toString()}`, signal);
    const told = answer.headers.get('Livelog-Scanned-To');
    return { records: recordsOf(await answer.text()), scannedTo: told === null ? null : Number(told) };
  }

  /** The newest id of the log; 0 of an empty one. */
  async newestId(signal?: AbortSignal): Promise<number> {
    const page = await this.recent(new URLSearchParams({ lines: '1', elide: '16' }), signal);
    return page.records[0]?.id ?? 0;
  }

  /** The text of one record, as stored; long strings cut to `elide` bytes if that is given. */
  async record(id: number, elide?: number, signal?: AbortSignal): Promise<string> {
    const answer = await this.ask(`records/${id}${elide ? `?elide=${elide}` : ''}`, signal);
    return (await answer.text()).trimEnd();
  }

  async requests(parameters: URLSearchParams, signal?: AbortSignal): Promise<RequestRow[]> {
    return (await (await this.ask(`requests?${parameters.toString()}`, signal)).json()) as RequestRow[];
  }

  async stats(parameters: URLSearchParams, signal?: AbortSignal): Promise<Stats> {
    return (await (await this.ask(`stats?${parameters.toString()}`, signal)).json()) as Stats;
  }

  /** Answered without a token too. */
  async session(): Promise<Session> {
    return (await (await this.ask('session')).json()) as Session;
  }

  async signOut(): Promise<void> {
    await this.get(`${this.base}/sign-out`, { method: 'POST', credentials: 'same-origin' });
  }

  private async ask(path: string, signal?: AbortSignal): Promise<Response> {
    const answer = await this.get(`${this.base}/${path}`, { signal: signal ?? null, credentials: 'same-origin' });
    if (answer.ok) return answer;
    let told: { error?: unknown; parameter?: unknown; at?: unknown; hint?: unknown } = {};
    try {
      told = (await answer.json()) as typeof told;
    } catch {
      // A proxy's own page.
    }
    throw new ApiError(
      typeof told.error === 'string' ? told.error : `the answer was ${answer.status}`,
      answer.status,
      typeof told.parameter === 'string' ? told.parameter : '',
      typeof told.at === 'number' ? told.at : -1,
    );
  }
}

const idFirst = /^\{"livelog_id":(\d+),?/;
const elidedNext = /^"livelog_elided":\{(?:"(?:[^"\\]|\\.)*":\d+,?)*\},?/;

/** Records with their ids from an answer in lines. The bytes of each stay as they are but for what the daemon has put first. */
export function recordsOf(lines: string): LogRecord[] {
  const records: LogRecord[] = [];
  for (const line of lines.split('\n')) {
    const found = idFirst.exec(line);
    if (!found) continue;
    const rest = line.slice(found[0].length);
    const elided = elidedNext.exec(rest);
    records.push(makeRecord(Number(found[1]), `{${elided ? rest.slice(elided[0].length) : rest}`, elided === null));
  }
  return records;
}
