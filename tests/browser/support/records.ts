// SPDX-License-Identifier: MIT
// Records as an app for language models writes them.

export const iso = (epoch: number): string => new Date(epoch).toISOString();

export function numbered(from: number, to: number, more: Record<string, unknown> = {}): Record<string, unknown>[] {
  return Array.from({ length: to - from }, (_, i) => ({ timestamp: iso(Date.now()), level: 'INFO', message: `m${from + i}`, ...more }));
}

export interface CallOptions {
  id: string;
  at?: number;
  endpoint?: string;
  method?: string;
  model?: string;
  question?: string;
  answer?: string;
  status?: number;
  durationMs?: number;
  inputTokens?: number;
  outputTokens?: number;
}

export function request({ id, at = Date.now(), endpoint = 'generate_response', method = 'POST', model = 'llama-3.2-3b', question = 'Hello, how are you?' }: CallOptions): Record<string, unknown> {
  return {
    timestamp: iso(at), level: 'INFO', message: 'Incoming request', module: 'logger', type: 'request', request_id: id, method,
    url: `http://localhost:5001/api/v1/${endpoint}`, endpoint, remote_addr: '127.0.0.1', user_agent: 'curl/7.88.1', content_type: 'application/json',
    args: {}, ...(method === 'POST' ? { request_body: { model, temperature: 0.7, messages: [{ role: 'system', content: 'You are a helpful assistant.' }, { role: 'user', content: question }] } } : {}),
  };
}

export function response({ id, at = Date.now(), endpoint = 'generate_response', method = 'POST', model = 'llama-3.2-3b', answer = 'I am fine, thank you.', status = 200, durationMs = 1234.5, inputTokens = 42, outputTokens = 128 }: CallOptions): Record<string, unknown> {
  const failed = status >= 400;
  const decode = durationMs * 0.8;
  return {
    timestamp: iso(at), level: failed ? 'ERROR' : 'INFO', message: failed ? `Error response - ${status}` : 'Outgoing response', module: 'logger', type: 'response',
    request_id: id, method, url: `http://localhost:5001/api/v1/${endpoint}`, endpoint, status_code: status, content_type: 'application/json', duration_ms: durationMs,
    ...(failed ? { error_type: 'ModelError', response_body: { error: answer } }
      : method === 'POST' ? {
        response_body: {
          model, choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: answer } }],
          usage: { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens },
          timings: { prompt_n: inputTokens, prompt_ms: durationMs * 0.15, predicted_n: outputTokens, predicted_ms: decode, predicted_per_second: (outputTokens * 1000) / decode },
        },
      } : {}),
  };
}

export const call = (options: CallOptions): Record<string, unknown>[] => [request(options), response(options)];
