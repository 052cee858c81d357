// SPDX-License-Identifier: MIT
// A logged request as a command that sends it again.

import { at, type Json, type JsonObject } from './llm_fields.js';

/** '' if the record does not tell where the request went. `body` is the request body's JSON text as it was sent; '' for none. */
export function curlCommand(record: JsonObject, body: string): string {
  const url = at(record, 'url');
  if (typeof url !== 'string' || !/^https?:\/\//.test(url)) return '';
  const method = at(record, 'method');
  const parts = ['curl'];
  if (typeof method === 'string' && /^[A-Z]+$/.test(method) && method !== (body ? 'POST' : 'GET')) parts.push(`-X ${method}`);
  parts.push(shellQuoted(url));
  if (body) {
    const type: Json | undefined = at(record, 'content_type');
    parts.push(`-H ${shellQuoted(`Content-Type: ${typeof type === 'string' ? type : 'application/json'}`)}`, `--data-binary ${shellQuoted(body)}`);
  }
  return parts.join(' \\\n  ');
}

/** In single quotes, where a shell takes everything but the quote itself as it is. */
export function shellQuoted(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}
