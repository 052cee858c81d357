// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LogStream } from '../../static/src/model/log_stream.js';
import { FakeBrowser } from './surroundings.js';

function start(begin = 'replay=200', filter = '') {
  const browser = new FakeBrowser();
  const ids: number[] = [];
  const gaps: [number | null, number][] = [];
  const stream = new LogStream('logs/stream', browser, {
    record: (id) => ids.push(id), gap: (from, to) => gaps.push([from, to]), changed: () => undefined,
  });
  stream.start(filter, begin);
  return { browser, stream, ids, gaps };
}

test('it begins with the newest and is live when the answer comes', () => {
  const { browser, stream, ids } = start('replay=200', 'q=a');
  assert.deepEqual(browser.addresses, ['logs/stream?replay=200&q=a']);
  assert.equal(stream.state, 'connecting');
  browser.last.say('open');
  assert.equal(stream.state, 'live');
  for (const id of [5, 6, 7]) browser.last.say('message', {}, id);
  assert.deepEqual(ids, [5, 6, 7]);
  assert.equal(stream.lastId, 7);
});

test('nothing is told twice, and nothing without an id', () => {
  const { browser, ids } = start();
  browser.last.say('open');
  for (const id of [5, 6, 6, 4, '' as const, 7]) browser.last.say('message', {}, id);
  assert.deepEqual(ids, [5, 6, 7]);
});

test('while the browser reconnects by itself it is left to it; the filter stays when we do', () => {
  const { browser, stream, ids } = start('replay=200', 'level=ERROR');
  browser.last.say('open');
  browser.last.say('message', {}, 9);
  browser.last.drop();
  assert.equal(stream.state, 'reconnecting');
  browser.pass(5000);
  assert.equal(browser.sources.length, 1);
  browser.last.giveUp();
  browser.pass(1000);
  assert.deepEqual(browser.addresses.slice(1), ['logs/stream?after=9&level=ERROR']);
  browser.last.say('open');
  browser.last.say('message', {}, 9);
  browser.last.say('message', {}, 10);
  assert.deepEqual(ids, [9, 10]);
  assert.equal(stream.state, 'live');
});

test('it tries again ever more slowly, at most every 15 s, and at once when it had worked', () => {
  const { browser, stream } = start();
  const tries: number[] = [];
  for (let i = 0; i < 7; i += 1) {
    const before = browser.time;
    const count = browser.sources.length;
    browser.last.giveUp();
    while (browser.sources.length === count) browser.pass(1000);
    tries.push((browser.time - before) / 1000);
  }
  assert.deepEqual(tries, [1, 2, 4, 8, 15, 15, 15]);
  assert.equal(stream.failures, 7);
  assert.equal(stream.state, 'connecting');
  browser.last.say('open');
  browser.last.say('ping', { id: 3 }, 3);
  assert.equal(stream.failures, 0);
  browser.last.giveUp();
  browser.pass(1000);
  assert.equal(browser.sources.length, 9);
  assert.equal(browser.last.address, 'logs/stream?after=3');
});

test('a ping moves the cursor although no record matches', () => {
  const { browser, stream } = start();
  browser.last.say('open');
  browser.last.say('message', {}, 5);
  browser.last.say('ping', { id: 5000 }, 400);
  assert.equal(stream.lastId, 400);
  assert.equal(stream.newest, 5000);
  assert.equal(stream.behind, true);
  browser.last.giveUp();
  browser.pass(1000);
  assert.equal(browser.last.address, 'logs/stream?after=400');
  browser.last.say('ping', { id: 5000 });
  assert.equal(stream.lastId, 400);
});

test('a connection that says nothing for 40 s is dead; a ping keeps it', () => {
  const { browser, stream } = start();
  browser.last.say('open');
  browser.last.say('message', {}, 5);
  browser.pass(39_000);
  browser.last.say('ping', { id: 5 }, 5);
  browser.pass(39_000);
  assert.equal(browser.sources.length, 1);
  assert.equal(stream.state, 'live');
  browser.pass(3000);
  assert.equal(stream.state, 'reconnecting');
  assert.deepEqual(browser.addresses.slice(1), ['logs/stream?after=5']);
  // What the dead one still has under way is not heard.
  browser.sources[0]?.say('message', {}, 6);
  assert.equal(stream.lastId, 5);
});

test('after the machine has slept the connection is made anew at once', () => {
  const { browser, stream, ids } = start();
  browser.last.say('open');
  browser.last.say('message', {}, 5);
  browser.sleep(30_000);
  assert.equal(stream.state, 'reconnecting');
  assert.equal(browser.last.address, 'logs/stream?after=5');
  browser.last.say('open');
  browser.last.say('message', {}, 6);
  assert.deepEqual(ids, [5, 6]);
});

test('gaps are told once and move the cursor', () => {
  const { browser, stream, gaps } = start('after=10');
  browser.last.say('open');
  browser.last.say('gap', { from: 11, to: 20, reason: 'x' }, 20);
  browser.last.say('gap', { from: 11, to: 20, reason: 'x' }, 20);
  assert.deepEqual(gaps, [[11, 20]]);
  assert.equal(stream.lastId, 20);
});

test('failing storage is told until it works again, or until another stream says nothing of it', () => {
  const { browser, stream } = start();
  browser.last.say('open');
  browser.last.say('status', { storing: 'failing', reason: 'disk full' });
  assert.equal(stream.trouble, 'disk full');
  assert.equal(stream.state, 'live');
  browser.last.say('status', { storing: 'ok' });
  assert.equal(stream.trouble, '');
  browser.last.say('status', { storing: 'failing', reason: 'disk full' });
  browser.last.drop();
  browser.last.say('open');
  assert.equal(stream.trouble, '');
});

test('a stopped daemon is waited for, and failing attempts do not change what is known', () => {
  const { browser, stream } = start();
  browser.last.say('open');
  browser.last.say('bye', {}, 9);
  browser.last.drop();
  assert.equal(stream.state, 'stopped');
  browser.last.giveUp();
  browser.pass(1000);
  assert.equal(stream.state, 'stopped');
  browser.last.say('open');
  assert.equal(stream.state, 'live');
});

test('a hidden tab gives its stream back after 30 s and resumes where it was', () => {
  const { browser, stream } = start();
  browser.last.say('open');
  browser.last.say('message', {}, 5);
  browser.look(false);
  browser.pass(29_000);
  browser.look(true);
  browser.last.say('ping', { id: 5 }, 5);
  browser.pass(35_000 - 29_000);
  assert.equal(stream.state, 'live');
  browser.look(false);
  browser.pass(31_000);
  assert.equal(stream.state, 'hidden');
  assert.equal(browser.last.readyState, 2);
  browser.pass(600_000);
  assert.equal(browser.sources.length, 1);
  browser.look(true);
  assert.equal(browser.last.address, 'logs/stream?after=5');
  assert.equal(stream.state, 'reconnecting');
  browser.last.say('open');
  assert.equal(stream.state, 'live');
});

test('disconnected by the user it stays so, whatever happens, and resumes without loss', () => {
  const { browser, stream } = start();
  browser.last.say('open');
  browser.last.say('message', {}, 5);
  stream.disconnect();
  browser.look(false);
  browser.pass(60_000);
  browser.look(true);
  browser.sleep(60_000);
  stream.start('q=x', 'replay=200');
  assert.equal(browser.sources.length, 1);
  assert.equal(stream.state, 'disconnected');
  stream.connect();
  assert.equal(browser.last.address, 'logs/stream?replay=200&q=x');
});

test('a stream whose right has ended is signed out, and does not try in vain', () => {
  const { browser, stream } = start();
  browser.last.say('open');
  browser.last.say('message', {}, 5);
  browser.last.say('bye', { reason: 'signed out' }, 5);
  assert.equal(stream.state, 'signed_out');
  browser.pass(120_000);
  browser.look(false);
  browser.look(true);
  browser.pass(120_000);
  assert.equal(browser.sources.length, 1);
  stream.start('level=ERROR', 'replay=200');
  assert.equal(stream.state, 'signed_out');
  assert.equal(browser.sources.length, 1);
  stream.connect();
  assert.equal(browser.sources.length, 2);
});

test('a stopped daemon is not taken for a session that has ended', () => {
  const { browser, stream } = start();
  browser.last.say('open');
  browser.last.say('bye', {}, 5);
  assert.equal(stream.state, 'stopped');
});

test('a refused stream is told as such, and one that is lost is not', () => {
  const browser = new FakeBrowser();
  let refused = 0;
  const stream = new LogStream('logs/stream', browser, { record: () => undefined, gap: () => undefined, changed: () => undefined, refused: () => (refused += 1) });
  stream.start('', 'replay=200');
  browser.last.drop();
  assert.equal(refused, 0);
  browser.last.giveUp();
  assert.equal(refused, 1);
  stream.signedOut();
  browser.pass(60_000);
  assert.equal(browser.sources.length, 1);
});
