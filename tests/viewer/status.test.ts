// SPDX-License-Identifier: MIT
// What the pill says.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LogView } from '../../static/src/model/log_view.js';
import { Api } from '../../static/src/model/api.js';
import { noFilter } from '../../static/src/model/view_state.js';
import { statusOf } from '../../static/src/ui/status.js';
import { TabCensus } from '../../static/src/ui/tab_census.js';
import { FakeBrowser } from './surroundings.js';

async function make() {
  const browser = new FakeBrowser();
  const api = new Api('logs', (() => Promise.reject(new TypeError('nothing there'))) as typeof fetch);
  let flush = (): void => undefined;
  const view = new LogView(api, browser, (call) => { flush = call; }, { rowsChanged: () => undefined, changed: () => undefined, unseenErrors: () => undefined });
  await view.show(noFilter);
  const census = { others: 0, asked: 0, ask() { this.asked += 1; } };
  const say = (name: string, data: unknown = {}, id: number | '' = ''): void => {
    browser.last.say(name, data, id);
    flush();
  };
  const pill = (): string => {
    const { state, text, age } = statusOf(view, census, browser.time);
    return `${state}: ${text} ${age}`.trim();
  };
  return { browser, view, census, say, pill };
}

test('live with the age of the last event', async () => {
  const { browser, say, pill } = await make();
  assert.equal(pill(), 'connecting: connecting');
  say('open');
  assert.equal(pill(), 'live: live · now');
  say('message', {}, 5);
  browser.time += 3000;
  assert.equal(pill(), 'live: live · last event 3 s ago');
  say('ping', { id: 5000 }, 5);
  assert.equal(pill(), 'live: live, catching up · now');
});

test('paused with what has come since', async () => {
  const { browser, view, say, pill } = await make();
  say('open');
  view.setFollowing(false);
  assert.equal(pill(), 'paused: paused · now');
  for (const id of [1, 2, 3]) say('message', {}, id);
  browser.time += 2000;
  assert.equal(pill(), 'paused: paused · 3 new, last event 2 s ago');
  view.setFollowing(true);
  assert.equal(pill(), 'live: live · last event 2 s ago');
});

test('lost records are told for a while, also to who has paused', async () => {
  const { browser, view, say, pill } = await make();
  say('open');
  say('message', {}, 5);
  say('gap', { from: 6, to: 45, reason: 'retention' }, 45);
  browser.time += 5000;
  assert.equal(pill(), 'lost: live; 40 records lost 5 s ago · last event 5 s ago');
  view.setFollowing(false);
  assert.equal(pill(), 'lost: paused; 40 records lost 5 s ago · last event 5 s ago');
  browser.time += 30_000;
  assert.equal(pill(), 'paused: paused · last event 35 s ago');
});

test('reconnecting and resuming, and what answers instead', async () => {
  const { browser, view, say, pill } = await make();
  say('open');
  say('message', {}, 7);
  browser.last.drop();
  assert.equal(pill(), 'reconnecting: reconnecting, resuming from #7');
  browser.last.giveUp();
  assert.equal(pill(), 'reconnecting: reconnecting, resuming from #7 · one attempt failed');
  view.refusal = 'the answer was 502';
  assert.equal(pill(), 'reconnecting: reconnecting, resuming from #7 · one attempt failed: the answer was 502');
});

test('storing fails; stopped; hidden; disconnected', async () => {
  const { browser, view, say, pill } = await make();
  say('open');
  say('message', {}, 7);
  say('status', { storing: 'failing', reason: 'disk full' });
  assert.equal(pill(), 'troubled: live, but storing fails: disk full · now');
  say('status', { storing: 'ok' });
  say('bye', {}, 7);
  assert.equal(pill(), 'stopped: daemon stopped; waiting for it, resuming from #7');
  view.stream.disconnect();
  assert.equal(pill(), 'disconnected: disconnected by you');
  view.stream.connect();
  say('open');
  browser.look(false);
  browser.pass(31_000);
  assert.equal(pill(), 'hidden: paused while hidden, resuming from #7');
});

test('no connection because other tabs hold them all', async () => {
  const { browser, census, pill } = await make();
  browser.time += 3000;
  assert.equal(pill(), 'connecting: connecting');
  browser.time += 2000;
  assert.equal(pill(), 'connecting: connecting · no answer for 5 s');
  assert.equal(census.asked, 1);
  census.others = 6;
  assert.match(pill(), /no answer for 5 s: 6 other tabs of this page hold a connection each/);
});

test('tabs are counted anew each time: one that was closed counts no more', async () => {
  (globalThis as { location?: unknown }).location = { pathname: '/api/v1/logs' };
  const asking = new TabCensus(() => false);
  const first = new TabCensus(() => true);
  const second = new TabCensus(() => true);
  const idle = new TabCensus(() => false);
  const round = async (): Promise<number> => {
    asking.ask();
    await new Promise((done) => setTimeout(done, 60));
    asking.ask();
    return asking.others;
  };
  // Answers take as long as the machine needs.
  const settles = async (expected: number): Promise<void> => {
    let found = -1;
    for (let rounds = 0; rounds < 100 && found !== expected; rounds += 1) found = await round();
    assert.equal(found, expected);
  };
  try {
    await settles(2);
    second.close();
    await settles(1);
  } finally {
    for (const one of [asking, first, second, idle]) one.close();
  }
});
