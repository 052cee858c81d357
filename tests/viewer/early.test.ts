// SPDX-License-Identifier: MIT
// The stream that is opened before the viewer is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { narrows, openEarly, takeEarly, type Holder } from '../../static/src/model/early_stream.js';
import { LogStream } from '../../static/src/model/log_stream.js';
import { FakeBrowser, FakeSource } from './surroundings.js';

const address = 'logs/stream?replay=200';
const settle = (): Promise<void> => new Promise((done) => setImmediate(done));

function early() {
  const holder: Holder = {};
  const source = new FakeSource(address);
  openEarly(holder, address, () => source);
  return { holder, source };
}

test('what came before anybody listened comes first, then what comes later, each once and in order', async () => {
  const { holder, source } = early();
  source.say('open');
  for (const id of [5, 6]) source.say('message', { id }, id);
  source.say('status', { storing: 'failing', reason: 'disk full' });
  const browser = new FakeBrowser();
  const ids: number[] = [];
  browser.open = (wanted) => (takeEarly(holder, wanted) ?? new FakeSource(wanted)) as FakeSource;
  const stream = new LogStream('logs/stream', browser, { record: (id) => ids.push(id), gap: () => undefined, changed: () => undefined });
  stream.start('', 'replay=200');
  assert.deepEqual(ids, [], 'not while the viewer is being made');
  await settle();
  source.say('message', {}, 7);
  assert.deepEqual(ids, [5, 6, 7]);
  assert.equal(stream.state, 'live');
  assert.equal(stream.trouble, 'disk full');
  // Once it has failed for ever the stream opens one of its own.
  source.giveUp();
  browser.pass(1000);
  assert.deepEqual(ids, [5, 6, 7]);
});

test('one that has failed already is tried again', async () => {
  const { holder, source } = early();
  source.giveUp();
  const browser = new FakeBrowser();
  const opened: string[] = [];
  browser.open = (wanted) => {
    opened.push(wanted);
    return (takeEarly(holder, wanted) ?? new FakeSource(wanted)) as FakeSource;
  };
  const stream = new LogStream('logs/stream', browser, { record: () => undefined, gap: () => undefined, changed: () => undefined });
  stream.start('', 'replay=200');
  await settle();
  browser.pass(1000);
  assert.deepEqual(opened, [address, address]);
  assert.equal(stream.failures, 1);
});

test('nobody who asks for something else gets it, and it is closed; closed, it says nothing more', async () => {
  const first = early();
  assert.equal(takeEarly(first.holder, 'logs/stream?after=7'), null);
  assert.equal(first.source.readyState, 2);
  assert.equal(takeEarly(first.holder, address), null);
  const second = early();
  second.source.say('message', {}, 1);
  const taken = takeEarly(second.holder, address);
  let heard = 0;
  taken?.addEventListener('message', () => { heard += 1; });
  taken?.close();
  await settle();
  assert.deepEqual([heard, second.source.readyState], [0, 2]);
  assert.equal(takeEarly({}, address), null);
});

test('a view that an address narrows begins with something else', () => {
  for (const hash of ['', '#', '#view=plots', '#hours=6&view=plots']) assert.equal(narrows(hash), false, hash);
  for (const hash of ['#q=a', '#view=plots&level=ERROR', '#id=7', '#since=2h', '#type=api', '#until=1h']) assert.equal(narrows(hash), true, hash);
});
