// SPDX-License-Identifier: MIT
// The list over live and past, against a log that answers as the daemon does.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Api, ApiError } from '../../static/src/model/api.js';
import { LogView } from '../../static/src/model/log_view.js';
import { RowList } from '../../static/src/model/rows.js';
import { noFilter } from '../../static/src/model/view_state.js';
import { FakeBrowser } from './surroundings.js';

interface Stored {
  id: number;
  text: string;
}

/** A log of records m<id>; q matches as a substring. `scan` is how many records a call with scan_ms looks at. */
class FakeLog {
  records: Stored[] = [];
  asked: URLSearchParams[] = [];
  scan = Infinity;
  fail = '';
  /** Answer everything with this status. */
  refuse = 0;

  add(from: number, to: number, more: Record<string, unknown> = {}): void {
    for (let id = from; id <= to; id += 1) this.records.push({ id, text: JSON.stringify({ message: `m${id}`, ...more }) });
  }

  readonly api = new Api('logs', (async (address: string | URL | Request) => this.answer(String(address))) as typeof fetch);

  private answer(address: string): Response {
    const url = new URL(address, 'http://x/');
    const given = url.searchParams;
    this.asked.push(given);
    if (this.fail) throw new TypeError(this.fail);
    if (this.refuse) return new Response('{"error":"too many connections"}', { status: this.refuse });
    const q = given.get('q') ?? '';
    if (q === 'wrong>') return new Response('{"error":"after > comes a number","parameter":"q","at":0}', { status: 400 });
    const lines = Number(given.get('lines') ?? 100);
    const before = Number(given.get('before') ?? Infinity);
    const after = given.has('after') ? Number(given.get('after')) : -1;
    const inside = this.records.filter((one) => one.id < before && one.id > after);
    const limit = given.has('scan_ms') ? this.scan : Infinity;
    const found: Stored[] = [];
    let scanned = 0;
    let at = 0;
    for (const one of given.has('after') ? inside : [...inside].reverse()) {
      at = one.id;
      scanned += 1;
      if (one.text.includes(q)) found.push(one);
      if (found.length >= lines || scanned >= limit) break;
    }
    const all = scanned === inside.length;
    const oldestFirst = found.sort((a, b) => a.id - b.id);
    const scannedTo = given.has('after') ? (at || after) : all ? 0 : at;
    return new Response(oldestFirst.map((one) => `{"livelog_id":${one.id},${one.text.slice(1)}`).join('\n'), { headers: { 'Livelog-Scanned-To': String(scannedTo) } });
  }
}

function make(log: FakeLog, rows = new RowList()) {
  const browser = new FakeBrowser();
  let flush: (() => void) | null = null;
  let shifts = 0;
  const view = new LogView(log.api, browser, (call) => { flush = call; }, {
    rowsChanged: (before) => { shifts += before; }, changed: () => undefined, unseenErrors: () => undefined,
  }, rows);
  /** The daemon sends what the stream asked for, up to an id. */
  const feed = (to = Infinity): void => {
    const source = browser.last;
    const given = new URL(source.address, 'http://x/').searchParams;
    if (source.readyState === 0) source.say('open');
    const q = given.get('q') ?? '';
    const after = view.stream.lastId ?? Number(given.get('after') ?? -1);
    let matching = log.records.filter((one) => one.id > after && one.id <= to && one.text.includes(q));
    if (view.stream.lastId === null && given.has('replay')) matching = matching.slice(-Number(given.get('replay')));
    for (const one of matching) source.say('message', one.text, one.id);
    draw();
  };
  const draw = (): void => {
    while (flush) {
      const call = flush;
      flush = null;
      call();
    }
  };
  const ids = (): number[] => view.rows.rows.map((row) => row.first?.id ?? -1);
  return { browser, view, feed, ids, draw, shifts: () => shifts };
}

const settle = (): Promise<void> => new Promise((done) => setImmediate(done));
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('the newest over the stream, older ones by id in front of them, no seam', async () => {
  const log = new FakeLog();
  log.add(1, 1500);
  const { browser, view, feed, ids, shifts } = make(log);
  await view.show(noFilter);
  assert.equal(browser.last.address, 'logs/stream?replay=200');
  feed();
  assert.deepEqual(ids(), range(1301, 1500));
  await view.loadOlder();
  assert.deepEqual(ids(), range(801, 1500));
  assert.equal(shifts(), 500);
  log.add(1501, 1510);
  feed();
  await view.loadOlder();
  await view.loadOlder();
  assert.deepEqual(ids(), range(1, 1510));
  assert.equal(view.older, 'end');
  assert.equal(view.received, 210);
});

test('a filter is searched for in the past from exactly where the live rows begin, with progress', async () => {
  const log = new FakeLog();
  log.add(1, 3000);
  log.scan = 700;
  const { browser, view, feed, ids } = make(log);
  await view.show({ ...noFilter, q: '77' });
  assert.equal(browser.last.address, 'logs/stream?after=3000&q=77');
  // Records that come while the past is still being searched.
  log.add(3001, 3100);
  feed();
  for (let i = 0; i < 20; i += 1) await settle();
  const expected = range(1, 3100).filter((id) => String(id).includes('77'));
  assert.deepEqual(ids(), expected);
  assert.equal(view.older, 'end');
  assert.equal(view.scannedTo, 0);
});

test('a filter that cannot be read leaves everything as it is', async () => {
  const log = new FakeLog();
  log.add(1, 10);
  const { browser, view, feed, ids } = make(log);
  await view.show(noFilter);
  feed();
  await assert.rejects(view.show({ ...noFilter, q: 'wrong>' }), (error: ApiError) => error.status === 400 && error.at === 0 && error.parameter === 'q');
  log.add(11, 12);
  feed();
  assert.deepEqual(ids(), range(1, 12));
  assert.equal(browser.sources.length, 1);
  assert.deepEqual(view.filter, noFilter);
});

test('of two filters typed quickly the last one counts', async () => {
  const log = new FakeLog();
  log.add(1, 100);
  const { view, feed, ids } = make(log);
  await view.show(noFilter);
  const first = view.show({ ...noFilter, q: 'm1' }).catch(() => undefined);
  const second = view.show({ ...noFilter, q: 'm5' });
  await Promise.all([first, second]);
  feed();
  for (let i = 0; i < 10; i += 1) await settle();
  assert.deepEqual(ids(), [5, ...range(50, 59)]);
});

test('an empty log: the filter begins at 0, and the first records come', async () => {
  const log = new FakeLog();
  const { view, feed, ids } = make(log);
  await view.show({ ...noFilter, q: 'm' });
  await settle();
  log.add(1, 3);
  feed();
  assert.deepEqual(ids(), [1, 2, 3]);
});

test('around a record: its neighbours on both sides, and on to the live end without a seam', async () => {
  const log = new FakeLog();
  log.add(1, 2000);
  const { browser, view, feed, ids } = make(log);
  await view.show(noFilter, 1000);
  assert.deepEqual(ids(), range(851, 1150));
  assert.ok(view.detached && !view.following);
  feed();
  log.add(2001, 2010);
  feed();
  assert.deepEqual(ids(), range(851, 1150), 'live ones are only counted');
  assert.equal(view.unseen, 10);
  await view.loadNewer();
  assert.deepEqual(ids(), range(851, 1650));
  await view.loadNewer();
  assert.ok(!view.detached);
  assert.equal(browser.last.address, 'logs/stream?after=2010');
  log.add(2011, 2015);
  feed();
  assert.deepEqual(ids(), range(851, 2015));
  await view.loadOlder();
  assert.deepEqual(ids(), range(351, 2015));
});

test('around the newest record it is not cut off from the live end', async () => {
  const log = new FakeLog();
  log.add(1, 300);
  const { browser, view, feed, ids } = make(log);
  await view.show(noFilter, 290);
  assert.ok(!view.detached);
  assert.equal(browser.last.address, 'logs/stream?after=300');
  log.add(301, 302);
  feed();
  assert.deepEqual(ids(), range(141, 302));
});

test('while it follows, old rows go; while it does not, new ones are only counted once it is full', async () => {
  const log = new FakeLog();
  log.add(1, 10);
  const { view, feed, ids } = make(log, new RowList(true, { rows: 1000, characters: 1e9 }));
  await view.show(noFilter);
  feed();
  log.add(11, 5000);
  feed();
  assert.ok(ids().length <= 1000);
  assert.equal(ids()[ids().length - 1], 5000);
  view.setFollowing(false);
  const first = ids()[0];
  log.add(5001, 9000);
  feed();
  assert.equal(ids()[0], first, 'what is looked at stays');
  assert.ok(view.detached && view.unseen === 4000);
  view.setFollowing(true);
  await settle();
  feed();
  assert.deepEqual(ids(), range(8801, 9000));
  assert.deepEqual([view.detached, view.unseen], [false, 0] as unknown[]);
});

test('clear empties the page; older ones come back only when asked for', async () => {
  const log = new FakeLog();
  log.add(1, 100);
  const { view, feed, ids } = make(log);
  await view.show(noFilter);
  feed();
  view.clear();
  assert.deepEqual(ids(), []);
  await view.loadOlder();
  assert.deepEqual(ids(), []);
  log.add(101, 103);
  feed();
  assert.deepEqual(ids(), [101, 102, 103]);
  await view.loadOlder(true);
  assert.deepEqual(ids(), range(1, 103));
});

test('clear empties a list that stands in the past, too, and what was under way does not come back', async () => {
  const log = new FakeLog();
  log.add(1, 2000);
  const { view, feed, ids } = make(log);
  await view.show(noFilter, 1000);
  feed();
  const loading = [view.loadOlder(), view.loadNewer()];
  view.clear();
  await Promise.all(loading);
  assert.deepEqual(ids(), []);
  assert.equal(view.older, 'cleared');
  assert.deepEqual([view.detached, view.following], [false, true] as unknown[]);
  log.add(2001, 2003);
  feed();
  assert.deepEqual(ids(), [2001, 2002, 2003]);
});

test('back to the newest while the daemon does not answer: the list stays, and it can be tried again', async () => {
  const log = new FakeLog();
  log.add(1, 2000);
  const { view, feed, ids } = make(log);
  await view.show({ ...noFilter, q: 'm' }, 1000);
  log.fail = 'no network';
  view.setFollowing(true); // an unhandled rejection would end this test
  await settle();
  assert.equal(ids().length, 300);
  assert.ok(view.detached && !view.following);
  log.fail = '';
  view.setFollowing(true);
  for (let i = 0; i < 10; i += 1) await settle();
  feed();
  assert.equal(ids()[ids().length - 1], 2000);
});

test('disconnected by the user, every filter, also none, shows what the log has', async () => {
  const log = new FakeLog();
  log.add(1, 50);
  const { browser, view, feed, ids } = make(log);
  await view.show(noFilter);
  feed();
  view.stream.disconnect();
  log.add(51, 60);
  await view.show({ ...noFilter, q: 'm1' });
  for (let i = 0; i < 10; i += 1) await settle();
  assert.deepEqual(ids(), [1, ...range(10, 19)]);
  await view.show(noFilter);
  for (let i = 0; i < 10; i += 1) await settle();
  assert.deepEqual(ids(), range(1, 60));
  assert.equal(browser.sources.length, 1);
  log.add(61, 62);
  view.stream.connect();
  feed();
  assert.deepEqual(ids(), range(1, 62));
});

test('what comes again because the list was cut off from the live end counts once', async () => {
  const log = new FakeLog();
  log.add(1, 400);
  const { view, feed } = make(log);
  await view.show(noFilter, 100);
  feed();
  log.add(401, 450, { level: 'ERROR' });
  feed();
  assert.deepEqual([view.received, view.errors, view.unseen], [50, 50, 50]);
  const loading = view.loadNewer(); // reads up to 450, and the stream goes on from there
  log.add(451, 455);
  feed();
  await loading;
  feed();
  log.add(456, 457);
  feed();
  assert.equal(view.rows.rows.at(-1)?.first?.id, 457);
  assert.deepEqual([view.received, view.errors, view.unseen], [57, 50, 57]);
});

test('why there is no stream is asked and told: an answer other than 200', async () => {
  const log = new FakeLog();
  log.add(1, 3);
  const { browser, view, feed } = make(log);
  await view.show(noFilter);
  feed();
  log.refuse = 503;
  browser.last.giveUp();
  browser.pass(1000);
  browser.last.giveUp();
  await settle();
  await settle();
  assert.equal(view.refusal, 'too many connections');
  log.refuse = 0;
  browser.pass(5000);
  feed();
  assert.equal(view.stream.state, 'live');
  assert.equal(view.refusal, '');
});

test('a hidden tab takes in what comes as fast as a visible one', async () => {
  const log = new FakeLog();
  const { browser, view, feed } = make(log);
  log.add(1, 1);
  await view.show(noFilter);
  feed();
  browser.isHidden = true;
  log.add(2, 20_000);
  let flushes = 0;
  const flush = view.flush.bind(view);
  view.flush = (...given) => { flushes += 1; flush(...given); };
  feed();
  assert.equal(view.rows.records, 20_000);
  // Frames come once a second there.
  assert.ok(flushes <= 10, `${flushes}`);
});

test('a gap is a row where it belongs, and is counted', async () => {
  const log = new FakeLog();
  log.add(1, 5);
  const { browser, view, feed, draw } = make(log);
  await view.show(noFilter);
  feed();
  browser.last.say('gap', { from: 6, to: 20, reason: 'retention' }, 20);
  log.add(21, 22);
  feed();
  draw();
  assert.deepEqual(view.rows.rows.map((row) => row.first?.id ?? row.notice), [1, 2, 3, 4, 5, 'Records #6–#20 were removed before they could be shown.', 21, 22]);
  assert.equal(view.lost, 15);
});

test('errors that nobody sees are counted until somebody looks', async () => {
  const log = new FakeLog();
  const { browser, view, feed } = make(log);
  await view.show(noFilter);
  log.add(1, 3, { level: 'ERROR' });
  feed();
  assert.deepEqual([view.errors, view.unseenErrors], [3, 0]);
  browser.isHidden = true;
  log.add(4, 5, { level: 'ERROR' });
  feed();
  assert.deepEqual([view.errors, view.unseenErrors], [5, 2]);
  view.seen();
  assert.equal(view.unseenErrors, 0);
});

test('a tab that has given its stream back still learns of errors, and counts none twice', async () => {
  const log = new FakeLog();
  log.add(1, 3);
  const { browser, view, feed } = make(log);
  await view.show(noFilter);
  feed();
  await view.peekAtErrors(); // asks nothing while the stream is there
  assert.equal(log.asked.length, 0);
  browser.look(false);
  browser.pass(31_000);
  assert.equal(view.stream.state, 'hidden');
  log.add(4, 6, { level: 'ERROR', mark: 'type:errors' }); // the mark is what the fake log's q looks for
  await view.peekAtErrors();
  await view.peekAtErrors();
  assert.equal(view.unseenErrors, 3);
  assert.equal(log.asked.at(-1)?.get('after'), '3');
  browser.look(true);
  feed();
  assert.deepEqual([view.errors, view.unseenErrors, view.rows.records], [3, 0, 6]);
});

test('a failed search says so and can be tried again', async () => {
  const log = new FakeLog();
  log.add(1, 500);
  const { view, feed, ids } = make(log);
  await view.show(noFilter);
  feed();
  log.fail = 'no network';
  await view.loadOlder();
  assert.equal(view.older, 'failed');
  log.fail = '';
  await view.loadOlder();
  assert.deepEqual(ids(), range(1, 500));
});

test('records from an answer keep their bytes', async () => {
  const { recordsOf } = await import('../../static/src/model/api.js');
  const [a, b, c] = recordsOf('{"livelog_id":7,"n":1e400,"a":0.10}\n{"livelog_id":8}\n{"livelog_id":9,"livelog_elided":{"a.b":100,"c\\"":5},"c":"x…"}\n');
  assert.deepEqual([a?.id, a?.text, a?.whole], [7, '{"n":1e400,"a":0.10}', true]);
  assert.deepEqual([b?.id, b?.text], [8, '{}']);
  assert.deepEqual([c?.id, c?.text, c?.whole], [9, '{"c":"x…"}', false]);
});
