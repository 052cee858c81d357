// SPDX-License-Identifier: MIT
// The panel beside the list: one record, or a request with its response.

import { useEffect, useState } from 'preact/hooks';

import { errorText, requestTurns, responseTurns, type Turn } from '../model/conversation.js';
import { curlCommand } from '../model/curl.js';
import { bytes, duration } from '../model/format.js';
import { prettyPrint } from '../model/json_text.js';
import { fieldsOf } from '../model/record.js';
import { stateOf, type Row } from '../model/rows.js';
import { visible } from '../model/visible.js';
import { Conversation } from './conversation_view.js';
import { loadDetails, member, memberText, recordsOfDetails, wholeText, type Details, type WholeRecord } from './details.js';
import { Icon } from './icons.js';
import { JsonTree } from './json_tree.js';
import { Overview } from './overview.js';
import { useStore } from './store.js';
import { Timing } from './timing.js';
import type { Viewer } from './viewer.js';

type Tab = 'Overview' | 'Request' | 'Response' | 'Timing' | 'Raw';
/** Raw text over this is shown in two steps: the browser takes long to lay it out. */
const rawLimit = 200_000;

export function DetailPanel({ viewer }: { viewer: Viewer }) {
  const { selected, panelOpen } = useStore(viewer.page);
  const [tab, setTab] = useState<Tab>('Overview');
  const [details, setDetails] = useState<{ row: Row; of: Details } | null>(null);
  const [whole, setWhole] = useState(false);
  const answered = useAnswer(viewer, selected);
  useEffect(() => setWhole(false), [selected?.key]);
  useEffect(() => {
    if (!panelOpen || !selected?.first) return undefined;
    const abort = new AbortController();
    loadDetails(viewer.api, selected, whole, abort.signal).then(
      (of) => { if (!abort.signal.aborted) setDetails({ row: selected, of }); },
      () => undefined,
    );
    return () => abort.abort();
  }, [selected, panelOpen, whole, answered]);
  if (!panelOpen || !selected?.first) return null;
  const isCall = selected.first.kind !== 'other';
  const tabs: Tab[] = isCall ? ['Overview', 'Request', 'Response', 'Timing', 'Raw'] : ['Overview', 'Raw'];
  const shown = tabs.includes(tab) ? tab : 'Overview';
  const of = details && details.row.key === selected.key ? details.of : null;
  return (
    <aside class="panel" id="panel" aria-label="Details">
      <PanelHead viewer={viewer} row={selected} of={of} />
      <div class="tabs" role="tablist" aria-label="Parts of the record">
        {tabs.map((one, index) => (
          <button key={one} type="button" role="tab" id={`tab-${one}`} aria-selected={shown === one} aria-controls="tab-panel" tabIndex={shown === one ? 0 : -1}
            onClick={() => setTab(one)}
            onKeyDown={(event) => {
              const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
              if (by === 0) return;
              const next = tabs[(index + by + tabs.length) % tabs.length] as Tab;
              setTab(next);
              document.getElementById(`tab-${next}`)?.focus();
              event.stopPropagation();
            }}>{one}</button>
        ))}
      </div>
      <div class="panel-body" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${shown}`} tabIndex={0}>
        {!of && <p class="note">loading…</p>}
        {of && recordsOfDetails(of).map((record) => record.note && <p key={record.id} class="note bad">#{record.id}: {record.note}</p>)}
        {of && recordsOfDetails(of).some((record) => record.elided) && (
          <p class="note">Long strings are cut. <button type="button" class="quiet" onClick={() => setWhole(true)}>Load everything</button></p>
        )}
        {of && <Body viewer={viewer} row={selected} of={of} tab={shown} setTab={setTab} />}
      </div>
    </aside>
  );
}

/** The id of the response that has come to the selected request: it may come while that is looked at. */
function useAnswer(viewer: Viewer, selected: Row | null): number {
  const [answered, setAnswered] = useState(0);
  useEffect(() => {
    const look = (): void => setAnswered(selected?.second?.id ?? 0);
    look();
    return viewer.ticks.watch(look);
  }, [selected]);
  return answered;
}

function PanelHead({ viewer, row, of }: { viewer: Viewer; row: Row; of: Details | null }) {
  const first = row.first!;
  const asked = fieldsOf(first);
  const outcome = row.second ? fieldsOf(row.second) : asked;
  const state = stateOf(row);
  const status = outcome.status;
  const title = first.kind === 'other' ? asked.message : `${asked.method} ${asked.target}`.trim() || asked.message;
  const failed = state === 'failed' || first.isError;
  return (
    <div class={`panel-head${failed ? ' failed' : ''}`}>
      <div class="panel-title">
        <h2 title={visible(title)}>{visible(title)}</h2>
        <div class="panel-buttons">
          <button type="button" class="icon" title="Previous (k)" aria-label="Previous record" onClick={() => viewer.step(-1)}><Icon name="up" /></button>
          <button type="button" class="icon" title="Next (j)" aria-label="Next record" onClick={() => viewer.step(1)}><Icon name="down" /></button>
          <button type="button" class="icon" id="close-panel" title="Close (Esc)" aria-label="Close details" onClick={() => viewer.close()}><Icon name="close" /></button>
        </div>
      </div>
      <p class="panel-facts">
        <span class={`badge level-${failed ? 'error' : 'info'}`}>{state === 'in_flight' ? 'waiting for the answer' : status || visible(outcome.level || 'INFO')}</span>
        {outcome.durationMs !== null && <span>{duration(outcome.durationMs)}</span>}
        {(outcome.model || asked.model) && <span>{visible(outcome.model || asked.model)}</span>}
        <span class="dim">#{first.id}{row.second ? ` → #${row.second.id}` : ''}</span>
      </p>
      <div class="panel-actions">
        <button type="button" id="copy-json" disabled={!of} onClick={() => of && void viewer.copy(copyText(viewer, of), 'JSON')}><Icon name="copy" />JSON</button>
        {of && hasCurl(of) && <button type="button" id="copy-curl" onClick={() => void viewer.copy(curlText(viewer, of), 'curl command')}><Icon name="copy" />curl</button>}
        <button type="button" id="copy-link" onClick={() => void viewer.copy(viewer.linkTo(first.id), 'link')}><Icon name="link" />Link</button>
        <button type="button" id="pin" onClick={() => viewer.pin(row)}><Icon name="pin" />Pin</button>
        <button type="button" id="in-context" title="Its neighbours in time, without the filter (c)" onClick={() => void viewer.inContext(first.id)}><Icon name="context" />In context</button>
      </div>
    </div>
  );
}

// What is copied is whole, also where the panel shows less.
async function copyText(viewer: Viewer, of: Details): Promise<string> {
  const records = (await Promise.all(recordsOfDetails(of).map((record) => wholeText(viewer.api, record)))).map(prettyPrint);
  return records.length > 1 ? `[\n${records.join(',\n')}\n]` : (records[0] ?? '');
}

const hasCurl = ({ request }: Details): boolean => request !== null && curlCommand(request.json, '') !== '';

async function curlText(viewer: Viewer, { request }: Details): Promise<string> {
  if (!request) return '';
  return curlCommand(request.json, memberText({ text: await wholeText(viewer.api, request) }, 'request_body'));
}

interface BodyProps {
  viewer: Viewer;
  row: Row;
  of: Details;
  tab: Tab;
  setTab: (tab: Tab) => void;
}

function Body({ viewer, row, of, tab, setTab }: BodyProps) {
  const { request, response } = of;
  switch (tab) {
    case 'Overview':
      return <Overview viewer={viewer} row={row} of={of} setTab={setTab} />;
    case 'Request':
      return request ? <BodyOf viewer={viewer} record={request} bodyKey="request_body" turns={requestTurns(member(request, 'request_body'))} />
        : <p class="note">The request is not in the log.</p>;
    case 'Response':
      if (!response) return <p class="note">{stateOf(row) === 'in_flight' ? 'No answer yet.' : 'The answer is not in the log.'}</p>;
      return (
        <>
          {errorText(member(response, 'response_body')) && <p class="failure">{visible(errorText(member(response, 'response_body')), true)}</p>}
          <BodyOf viewer={viewer} record={response} bodyKey="response_body" turns={responseTurns(member(response, 'response_body'))} />
        </>
      );
    case 'Timing':
      return <Timing of={of} />;
    default:
      return <>{recordsOfDetails(of).map((record) => <Raw key={record.id} viewer={viewer} record={record} />)}</>;
  }
}

function BodyOf({ viewer, record, bodyKey, turns }: { viewer: Viewer; record: Details['first']; bodyKey: string; turns: Turn[] }) {
  const text = memberText(record, bodyKey);
  return (
    <>
      {turns.length > 0 && <Conversation turns={turns} />}
      <h3 class="section">{bodyKey}{text && <span class="dim"> {bytes(text.length)}</span>}</h3>
      {text ? <JsonTree viewer={viewer} text={text} path={bodyKey} label={bodyKey} /> : <p class="note">The record has no {bodyKey}.</p>}
      <h3 class="section">record</h3>
      <JsonTree viewer={viewer} text={withoutMember(record.text, bodyKey, text)} label="record" />
    </>
  );
}

// The record without its body, which has been shown.
function withoutMember(text: string, key: string, value: string): string {
  if (!value) return text;
  const end = text.indexOf(value);
  const start = text.lastIndexOf(`"${key}"`, end);
  if (end < 0 || start < 0) return text;
  const before = text.slice(0, start).replace(/,\s*$/, '');
  const after = text.slice(end + value.length).replace(/^\s*,/, '');
  return before.trim() === '{' || after.trim() === '}' ? `${before}${after}` : `${before},${after}`;
}

function Raw({ viewer, record }: { viewer: Viewer; record: WholeRecord }) {
  const { id, text } = record;
  const [all, setAll] = useState(false);
  const pretty = prettyPrint(text);
  const cut = !all && pretty.length > rawLimit;
  return (
    <section>
      <h3 class="section">record #{id} <span class="dim">{bytes(text.length)}</span>
        <button type="button" class="quiet" onClick={() => void viewer.copy(wholeText(viewer.api, record), `record #${id}`)}>copy as stored</button></h3>
      <pre class="raw">{visible(cut ? pretty.slice(0, rawLimit) : pretty, true)}</pre>
      {cut && <button type="button" class="quiet" onClick={() => setAll(true)}>Show all {pretty.length.toLocaleString('en-GB')} characters</button>}
    </section>
  );
}
