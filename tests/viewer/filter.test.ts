// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fieldTerm, hasTerm, hasValue, invertTerm, quoted, termsOf, withoutTerm, withoutValue, withTerm, withValue, wordsOf } from '../../static/src/model/query.js';
import { defaultState, hashOf, isNarrowed, noFilter, parametersOf, stateFromHash } from '../../static/src/model/view_state.js';

test('an expression falls into its terms', () => {
  const cases: [string, string[]][] = [
    ['', []],
    ['  a   b ', ['a', 'b']],
    ['"a phrase" -word', ['"a phrase"', '-word']],
    ['"with \\" quote" x', ['"with \\" quote"', 'x']],
    ['status:5xx duration_ms>=400 level:error', ['status:5xx', 'duration_ms>=400', 'level:error']],
    ['method:(GET|"P O S T") x', ['method:(GET|"P O S T")', 'x']],
    ['/a b/ -/c d/ field:/e f/', ['/a b/', '-/c d/', 'field:/e f/']],
    ['/health x endpoint:/api/v1/* y', ['/health', 'x', 'endpoint:/api/v1/*', 'y']],
    ['message:"two words" z', ['message:"two words"', 'z']],
    ['/a\\/b c/ d', ['/a\\/b c/', 'd']],
    ['"never closed', ['"never closed']],
    ['x:(never closed', ['x:(never closed']],
  ];
  for (const [q, expected] of cases) assert.deepEqual(termsOf(q).map((term) => term.text), expected, q);
  assert.deepEqual(termsOf('-status:5xx a.b>1 -x').map(({ field, negated }) => [field, negated]), [['status', true], ['a.b', false], ['', true]]);
});

test('values are quoted where they have to be', () => {
  assert.equal(quoted('generate_response'), 'generate_response');
  assert.equal(quoted('llama-3.2-3b'), 'llama-3.2-3b');
  for (const value of ['', 'a b', 'a"b', 'a*', '/x', '(a|b)', '-x"', '<', 'ü']) {
    assert.equal(termsOf(fieldTerm('f', value)).length, 1, value);
    assert.ok(quoted(value).startsWith('"'), value);
  }
  assert.equal(fieldTerm('endpoint', 'a "b" \\'), 'endpoint:"a \\"b\\" \\\\"');
});

test('terms are added, taken away and turned around', () => {
  assert.equal(withTerm('a', 'status:500'), 'a status:500');
  assert.equal(withTerm('a status:500', 'status:500'), 'a status:500');
  assert.equal(withTerm('a -status:500', 'status:500'), 'a status:500');
  assert.equal(withTerm('a status:500', '-status:500'), 'a -status:500');
  assert.equal(withoutTerm('a "b c" a', 'a'), '"b c"');
  assert.equal(invertTerm('a -b', 'a'), '-a -b');
  assert.equal(invertTerm('a -b', '-b'), 'a b');
  assert.ok(hasTerm('x level:error', 'level:error') && !hasTerm('x', 'level:error'));
});

test('several values of one field are alternatives', () => {
  assert.equal(withValue('', 'endpoint:a'), 'endpoint:a');
  assert.equal(withValue('x endpoint:a y', 'endpoint:b'), 'x endpoint:(a|b) y');
  assert.equal(withValue('endpoint:(a|b)', 'endpoint:"c d"'), 'endpoint:(a|b|"c d")');
  assert.equal(withValue('endpoint:(a|b)', 'endpoint:b'), 'endpoint:(a|b)');
  assert.equal(withValue('endpoint:a', 'status:500'), 'endpoint:a status:500');
  assert.equal(withValue('-endpoint:a', 'endpoint:a'), 'endpoint:a');
  assert.equal(withValue('-endpoint:a duration_ms>3', 'endpoint:b'), '-endpoint:a duration_ms>3 endpoint:b');
  assert.equal(withValue('x', '"a phrase"'), 'x "a phrase"');
  assert.equal(withValue('endpoint:"a|b"', 'endpoint:c'), 'endpoint:("a|b"|c)');
  assert.equal(withValue('endpoint:(/a|b/|c)', 'endpoint:d'), 'endpoint:(/a|b/|c|d)');
  assert.equal(withoutValue('x endpoint:(a|b|"c d")', 'endpoint:a'), 'x endpoint:(b|"c d")');
  assert.equal(withoutValue('endpoint:(a|b) x', 'endpoint:b'), 'endpoint:a x');
  assert.equal(withoutValue('endpoint:a x', 'endpoint:a'), 'x');
  assert.equal(withoutValue('"a phrase" x', '"a phrase"'), 'x');
  assert.ok(hasValue('x endpoint:(a|b)', 'endpoint:b') && hasValue('endpoint:a', 'endpoint:a') && hasValue('"p q"', '"p q"'));
  assert.ok(!hasValue('endpoint:(a|b)', 'endpoint:c') && !hasValue('-endpoint:(a|b)', 'endpoint:a') && !hasValue('endpoint:(ab|c)', 'endpoint:a'));
});

test('words to mark are those that a match holds', () => {
  assert.deepEqual(wordsOf('foo "bar \\"baz" -not status:500 /re/ x'), ['foo', 'bar "baz']);
});

test('the address holds the whole view, and nothing else gets in', () => {
  assert.deepEqual(stateFromHash(''), defaultState);
  assert.equal(hashOf(defaultState), '');
  const state = { ...noFilter, q: 'a "b&c" -x:1', level: 'WARNING', type: 'errors', since: '2h', until: '', view: 'plots' as const, id: 1764012345678901, hours: 6 };
  assert.deepEqual(stateFromHash(hashOf(state)), state);
  assert.deepEqual(stateFromHash('#level=warn'), { ...defaultState, level: 'WARN' });
  assert.deepEqual(stateFromHash('#level=<b>&id=-1&hours=x&view=evil&type=all'), defaultState);
  assert.equal(stateFromHash('#id=1e300').id, 0);
});

test('the daemon is asked for what narrows only', () => {
  assert.equal(parametersOf(noFilter).toString(), '');
  assert.equal(isNarrowed(noFilter), false);
  assert.equal(parametersOf({ ...noFilter, q: 'a b', level: 'ERROR' }).toString(), 'q=a+b&level=ERROR');
});
