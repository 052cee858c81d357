// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { curlCommand } from '../../static/src/model/curl.js';
import { age, bytes, duration, epochOf, rowTime, short } from '../../static/src/model/format.js';
import { parseJsonText, prettyPrint, scalarText } from '../../static/src/model/json_text.js';
import { visible } from '../../static/src/model/visible.js';

test('characters that steer the display are made visible, others stay', () => {
  for (const [hidden, seen] of [
    ['\u202egnp.exe', '⟨U+202E⟩gnp.exe'],
    ['a\u2066b\u2069c', 'a⟨U+2066⟩b⟨U+2069⟩c'],
    ['nul\u0000 esc\u001b[31m del\u007f', 'nul␀ esc␛[31m del␡'],
    ['line\nnext\r\ttab', 'line␊next␍␉tab'],
    ['c1\u0085\u009b', 'c1⟨U+0085⟩⟨U+009B⟩'],
    ['zero\u200bwidth\ufeff \u2028', 'zero⟨U+200B⟩width⟨U+FEFF⟩ ⟨U+2028⟩'],
    ['tag\u{e0041}', 'tag⟨U+E0041⟩'],
    ['half \ud83d and \ude00', 'half � and �'],
    ['👩\u200d💻 שלום café', '👩\u200d💻 שלום café'],
  ] as const) {
    assert.equal(visible(hidden), seen);
  }
  assert.equal(visible('a\nb\tc\rd', true), 'a\nb\tc␍d');
});

test('pretty printing changes nothing but white space', () => {
  const text = '{"a":4294967296,"b":1e400,"a":0.10,"c":"x\\u0041\\"{,}","d":[],"e":{},"f":[1,{"g":null}],"":true}';
  const pretty = prettyPrint(text);
  assert.equal(pretty.split('\n').length, 15);
  assert.equal(pretty.replace(/\n\s*/g, '').replace(/: (?=\S)/g, ':'), text);
  assert.match(pretty, /"c": "x\\u0041\\"\{,\}"/);
  assert.equal(prettyPrint('not json'), 'not json');
});

test('the tree of a JSON text keeps spelling, order and duplicates', () => {
  const text = '{"n":1e400,"s":"a\\nb","n":0.10,"o":{"k\\u0031":[true,null]}}';
  const root = parseJsonText(text);
  assert.deepEqual(root.children.map((node) => [node.key, node.kind, scalarText(text, node)]), [
    ['n', 'number', '1e400'], ['s', 'string', 'a\nb'], ['n', 'number', '0.10'], ['o', 'object', '{"k\\u0031":[true,null]}'],
  ]);
  const inner = root.children[3]?.children[0];
  assert.equal(inner?.key, 'k1');
  assert.deepEqual(inner?.children.map((node) => scalarText(text, node)), ['true', 'null']);
  for (const broken of ['', '{', '{"a"}', '{"a":1,}', '[1 2]', '"x', '{"a":1}x']) assert.throws(() => parseJsonText(broken), SyntaxError, broken);
});

test('a string of megabytes and a deep tree are read in a moment', () => {
  const long = JSON.stringify({ a: '\\"'.repeat(1_000_000), b: 1 });
  assert.equal(parseJsonText(long).children.length, 2);
  const deep = `${'['.repeat(128)}1${']'.repeat(128)}`;
  assert.equal(parseJsonText(deep).children.length, 1);
});

test('numbers and durations for people', () => {
  assert.deepEqual([0, 7, 9.5, 42, 999, 1000, 1234, 12_345, 999_499, 2_500_000].map(short), ['0', '7', '9.5', '42', '999', '1k', '1.2k', '12k', '999k', '2.5M']);
  assert.deepEqual([0, 0.25, 45.67, 999.4, 2111.34, 45_000, 185_000, 7_440_000].map(duration), ['0 ms', '0.25 ms', '46 ms', '999 ms', '2.11 s', '45.0 s', '3 min 05 s', '2 h 04 min']);
  assert.deepEqual([500, 5000, 130_000, 8_000_000, 200_000_000].map(age), ['now', '5 s', '2 min', '2 h', '2 d']);
  assert.deepEqual([500, 2048, 3_500_000].map(bytes), ['500 B', '2 KiB', '3.3 MiB']);
});

test('times of rows', () => {
  const now = Date.parse('2026-11-28T12:00:00Z');
  assert.equal(epochOf('2026-11-28T10:30:45.123456Z'), Date.parse('2026-11-28T10:30:45.123Z'));
  assert.equal(epochOf('2026-11-28 10:30:45,5+0100'), Date.parse('2026-11-28T09:30:45.5Z'));
  assert.ok(Number.isNaN(epochOf('yesterday')));
  assert.equal(rowTime('2026-11-28T10:30:45.123456Z', 'utc', now), '10:30:45.123Z');
  assert.equal(rowTime('2026-11-26T10:30:45Z', 'utc', now), '11-26 10:30:45.000Z');
  assert.equal(rowTime('2026-11-28T11:59:30Z', 'relative', now), '30 s ago');
  assert.equal(rowTime('2026-11-28T12:00:10Z', 'relative', now), 'in 10 s');
  // As it was sent: its own digits, whatever zone this machine is in.
  assert.equal(rowTime('2025-06-26T10:30:45.123456', 'sent', now), '06-26 10:30:45.123');
  assert.equal(rowTime('soon', 'local', now), 'soon');
});

test('a request as a curl command cannot break out of its quotes', () => {
  const record = { url: 'http://localhost:5001/api/v1/generate', method: 'POST', content_type: 'application/json' };
  assert.equal(curlCommand(record, '{"q":"it\'s; rm -rf /"}'),
    `curl \\\n  'http://localhost:5001/api/v1/generate' \\\n  -H 'Content-Type: application/json' \\\n  --data-binary '{"q":"it'\\''s; rm -rf /"}'`);
  assert.equal(curlCommand({ url: "http://x/'$(id)", method: 'DELETE' }, ''), `curl \\\n  -X DELETE \\\n  'http://x/'\\''$(id)'`);
  assert.equal(curlCommand({ url: '--output /etc/passwd' }, ''), '');
  assert.equal(curlCommand({ url: 'http://x/', method: 'GET; id' }, ''), `curl \\\n  'http://x/'`);
});
