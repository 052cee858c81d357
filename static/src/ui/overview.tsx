// SPDX-License-Identifier: MIT
// The first tab: what happened, in a few lines and the conversation's last words.

import { errorText, requestTurns, responseTurns } from '../model/conversation.js';
import { count, duration, short } from '../model/format.js';
import { stateOf, type Row } from '../model/rows.js';
import { visible } from '../model/visible.js';
import { Conversation } from './conversation_view.js';
import { member, type Details } from './details.js';
import { JsonTree } from './json_tree.js';
import type { Viewer } from './viewer.js';

interface OverviewProps {
  viewer: Viewer;
  row: Row;
  of: Details;
  setTab: (tab: 'Request' | 'Response' | 'Timing') => void;
}

export function Overview({ viewer, row, of, setTab }: OverviewProps) {
  const first = row.first;
  if (!first || first.kind === 'other') return <JsonTree viewer={viewer} text={of.first.text} label="record" />;
  const { request, response } = of;
  const asked = requestTurns(member(request, 'request_body'));
  const answered = responseTurns(member(response, 'response_body'));
  const failure = errorText(member(response, 'response_body'));
  const state = stateOf(row);
  const facts = factsOf(of);
  return (
    <>
      {(failure || state === 'failed') && <p class="failure">{visible(failure || String(member(response, 'message') ?? 'failed'), true)}</p>}
      {state === 'in_flight' && !response && <p class="note">No answer yet. This panel shows it when it comes.</p>}
      {facts.length > 0 && (
        <dl class="facts">
          {facts.map(([name, value, title]) => <div key={name} title={title}><dt>{name}</dt><dd>{value}</dd></div>)}
        </dl>
      )}
      {asked.length > 1 && (
        <p class="note">{count(asked.length - 1)} earlier turn{asked.length === 2 ? '' : 's'} <button type="button" class="quiet" onClick={() => setTab('Request')}>in Request</button></p>
      )}
      <Conversation turns={[...asked.slice(-1), ...answered]} />
      {asked.length === 0 && answered.length === 0 && (
        <>
          {request && <><h3 class="section">request</h3><JsonTree viewer={viewer} text={request.text} label="request" /></>}
          {response && <><h3 class="section">response</h3><JsonTree viewer={viewer} text={response.text} label="response" /></>}
        </>
      )}
      {(asked.length > 0 || answered.length > 0) && <Identity viewer={viewer} of={of} />}
    </>
  );
}

function Identity({ viewer, of }: { viewer: Viewer; of: Details }) {
  const kept = ['timestamp', 'request_id', 'endpoint', 'url', 'remote_addr', 'user_agent']
    .map((key) => [key, member(of.first, key)] as const)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number');
  const text = JSON.stringify(Object.fromEntries(kept));
  return kept.length > 0 ? <><h3 class="section">call</h3><JsonTree viewer={viewer} text={text} label="call" /></> : null;
}

function factsOf(of: Details): [string, string, string][] {
  const pair = of.pair;
  if (!pair) return [];
  const facts: [string, string, string][] = [];
  const add = (name: string, value: number | string | null | undefined, show: (n: number) => string, title = ''): void => {
    if (typeof value === 'number') facts.push([name, show(value), title]);
    else if (typeof value === 'string' && value) facts.push([name, visible(value), title]);
  };
  add('input', pair.input_tokens, short, 'tokens of the prompt');
  add('cached', pair.cached_tokens, short, 'tokens of the prompt that were in the cache');
  add('output', pair.output_tokens, short, 'tokens of the answer');
  add('reasoning', pair.reasoning_tokens, short, 'tokens spent on thinking');
  add('first token', pair.time_to_first_token_ms, duration, 'time to the first token');
  add('prefill', pair.prefill_tokens_per_second, (n) => `${short(n)} tok/s`, 'reading the prompt');
  add('decode', pair.decode_tokens_per_second, (n) => `${short(n)} tok/s`, 'writing the answer');
  add('ended', pair.finish_reason, String, 'why the model stopped');
  add('error', typeof pair.error_type === 'string' ? pair.error_type : null, String);
  return facts;
}
